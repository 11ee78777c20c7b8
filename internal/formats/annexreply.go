package formats

import (
	"fmt"
	"slices"

	"concert"
)

// Feedback fills Annex II.
func (w *AnnexWords) Feedback(p concert.OrderFeedback, o AnnexOptions) (*AnnexDocument, error) {
	b := w.begin("feedback", p.Order, p.Exercise)
	b.replyOf("order_feedback", p.Type, p.OrderReply)
	b.section(w.say("feedback.b.title"),
		annexTicks(b, "feedback.b.tick", "measure", "measure", concert.OrderMeasures, []concert.OrderMeasure{p.Measure}),
		b.when("feedback.b.at", "measure_at", p.MeasureAt))
	b.section(w.say("feedback.c.title"), append(b.replier(p.OrderReply),
		b.field("reply.c.person", b.need("person", p.Person)), b.code("feedback.c.email", b.need("email", p.Email)),
		b.when("feedback.c.date", "at", p.At))...)
	return b.finish(p, concert.FeedbackPayloadType, "", o)
}

// Impossible fills Annex III. The errors and what is needed are asked for where
// one of the two reasons of Art. 3(8) is ticked.
func (w *AnnexWords) Impossible(p concert.OrderImpossible, o AnnexOptions) (*AnnexDocument, error) {
	b := w.begin("impossible", p.Order, p.Exercise)
	b.replyOf("order_impossible", p.Type, p.OrderReply)
	if slices.Contains(p.Reasons, concert.ImpossibleErrors) || slices.Contains(p.Reasons, concert.ImpossibleInsufficient) {
		b.need("needed", p.Needed)
	}
	b.section(w.say("impossible.b.title"),
		annexTicks(b, "impossible.b.tick", "impossible", "reasons", concert.ImpossibleReasons, p.Reasons),
		b.prose("impossible.b.further", b.need("further", p.Further)),
		b.prose("impossible.b.needed", p.Needed))
	c := append(b.replier(p.OrderReply),
		b.field("reply.c.person", b.need("person", p.Person)), b.code("impossible.c.contact", b.need("email", p.Email)))
	signature := b.words("impossible.c.signature", b.say("sign.none"))
	if o.File != nil {
		signature = b.words("impossible.c.signature", b.say("sign.title"))
	}
	b.section(w.say("impossible.c.title"), append(c, signature, b.when("impossible.c.date", "at", p.At))...)
	return b.finish(p, concert.ImpossiblePayloadType, "", o)
}

// replyOf fills section A, which both have in common.
func (b *annexBuilder) replyOf(want, got string, p concert.OrderReply) {
	if got != want || p.Version != 1 {
		b.refuse("type", "the form is not drawn: this is %.40q version %d, this annex shows an %s of version 1", got, p.Version, want)
	}
	b.doc.at = b.stated("at", p.At)
	places := annexBlock{label: b.say("reply.places")}
	for i, ref := range p.Places {
		places.values = append(places.values, annexValue{text: visibleCode(b.need(fmt.Sprintf("places[%d]", i), ref)), form: formCode})
	}
	if len(p.Places) == 0 {
		b.refuse("places", "the form is not drawn: it does not say of which content it speaks; give the references")
	}
	b.section(b.say("section.a"),
		b.field("reply.addressee", b.need("addressee", p.Addressee)),
		b.field("reply.authority", b.need("authority", p.Authority)),
		b.field("reply.authority_file", b.need("authority_file", p.AuthorityFile)),
		b.field("reply.addressee_file", p.AddresseeFile),
		b.when("reply.received", "received_at", p.ReceivedAt),
		b.code("order.a.ref", p.Order), places)
}

// replier names who answers: the provider, or its legal representative.
func (b *annexBuilder) replier(p concert.OrderReply) []annexBlock {
	state := "feedback.c.host"
	blocks := []annexBlock{b.field("reply.c.provider", p.Addressee)}
	if p.Representative != "" {
		state = "feedback.c.representative"
		blocks = append(blocks, b.field("reply.c.representative", p.Representative))
	}
	return append(blocks, b.words(state, b.state(b.need("state", p.State))))
}
