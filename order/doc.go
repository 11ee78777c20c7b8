// Package order seals removal orders under Article 3 of Regulation (EU) 2021/784
// and lets anyone check one offline: a provider, a court, the person whose content
// it is about. It needs nothing of the rest of Concert beyond the words of the root
// and the arithmetic of tlog, opens no file and no connection, and knows no clock.
//
// An order travels as a file (docs/formats/order.md): an envelope with the signed
// payload, which is Annex I of the Regulation, and the proof that its issuing stands
// in the transparency log. Whose key may sign what is said by a register, which is
// signed by a root key.
//
// The one invariant: a verdict is [Valid] only by a [Register] that was read under
// a root which the reader pinned, having learnt it by another way than with the
// order. There is no other way to make a Register, and what comes along with an
// order is never asked.
package order
