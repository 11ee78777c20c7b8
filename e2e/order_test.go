package e2e

import (
	"bytes"
	"fmt"
	"os"

	"codeberg.org/go-pdf/fpdf"
	"github.com/rogpeppe/go-internal/testscript"

	"concert"
	"concert/internal/formats"
	"concert/internal/testkit/orderdesk"
	"concert/order"
)

// orderFiles writes what an invented authority makes: orderfiles NAME. There are then NAME.json (an order), NAME.pdf (the same in a PDF), NAME.with.json
// (with its register along), NAME.register.json and its next edition NAME.next.json, in which the key is revoked; NAME.ROOT is in the variable ROOT_NAME.
func orderFiles(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: orderfiles NAME")
	}
	name := args[0]
	write := func(suffix string, raw []byte) { ts.Check(os.WriteFile(ts.MkAbs(name+suffix), raw, 0o600)) }
	d := orderdesk.New(scripted{ts}, name)
	p := d.Payload(1)
	write(".json", d.File(p))
	write(".register.json", d.Register())
	along, e := d.Envelope(), d.Seal(p)
	with, err := order.File(e, d.Prove(p, e), &along)
	ts.Check(err)
	write(".with.json", with)
	pdf := fpdf.New("P", "mm", "A4", "")
	pdf.AddPage()
	pdf.SetAttachments([]fpdf.Attachment{{Filename: formats.OrderAttachment, Content: d.File(p)}})
	var b bytes.Buffer
	ts.Check(pdf.Output(&b))
	write(".pdf", b.Bytes())
	raw, err := concert.CanonicalJSON(concert.ReferralPayload{Type: "referral", Version: 1, Ref: "RF-1", Voluntary: concert.VoluntaryNotice, Exercise: true})
	ts.Check(err)
	referral, err := concert.CanonicalJSON(concert.Envelope{PayloadType: concert.ReferralPayloadType, Payload: raw}.Sign("author", d.Author))
	ts.Check(err)
	write(".referral.json", referral)
	d.Edition.Serial++
	d.Edition.Authorities[0].Keys[0].Revoked = "2026-02-01T00:00:00.000Z"
	write(".next.json", d.Register())
	ts.Setenv("ROOT_"+name, d.Fingerprint().String())
}

// scripted is a script as fixtures want a test: what cannot be made ends it.
type scripted struct{ *testscript.TestScript }

func (scripted) Helper() {}

func (s scripted) Fatal(args ...any) { s.Fatalf("%s", fmt.Sprint(args...)) }
