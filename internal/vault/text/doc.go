// Package text takes the words out of files that are text: plain text in UTF-8,
// UTF-16 with its mark, windows-1256, windows-1251 and ISO 8859-1, and HTML. It
// runs in children that may die, keeps nothing, and never holds a file whole.
//
// The invariant: the same bytes give the same parts of text, so that a place in
// them that was noted once is found again.
package text
