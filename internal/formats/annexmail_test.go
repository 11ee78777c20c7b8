package formats

import (
	"encoding/json"
	"errors"
	"testing"

	"concert"
)

const mailedAnnex2 = `{"type":"order_feedback","version":1,"order":"OR-7K3M-9QXT-4D2FH","addressee":"EXERCISE Video","authority":"EXERCISE Authority","authority_file":"EX-1","received_at":"2026-05-04T09:00:00.000Z","places":["IT-7K3M-9QXT-4D2FH"],"state":"IE","person":"EXERCISE Moderator","email":"legal@video.example","at":"2026-05-04T09:20:00.000Z","exercise":true,"measure":"removed","measure_at":"2026-05-04T09:20:00.000Z"}`

// A refusal names the field, whatever stands there instead.
func TestMailedAnnexNamesTheFieldThatIsWrong(t *testing.T) {
	t.Parallel()
	got, err := ReadOrderReply([]byte(mailedAnnex2))
	if err != nil || got.Order != "OR-7K3M-9QXT-4D2FH" || got.Answer.Measure != concert.MeasureRemoved || got.Answer.MeasureAt.Hour() != 9 || len(got.Answer.Items) != 1 || got.Answer.Person != "EXERCISE Moderator" || got.Signed {
		t.Fatalf("%+v, %v", got, err)
	}
	for _, x := range []struct{ field, code, value string }{
		{"type", "mailreply.type", `"referral"`}, {"version", "mailreply.version", `2`}, {"measure_at", "mailreply.measure_at", `"soon"`}, {"places", "mailreply.field", `"IT-1"`}, {"exercise", "mailreply.field", `"yes"`}, {"void", "mailreply.unknown", `true`},
	} {
		var doc map[string]json.RawMessage
		if err := json.Unmarshal([]byte(mailedAnnex2), &doc); err != nil {
			t.Fatal(err)
		}
		doc[x.field] = json.RawMessage(x.value)
		raw, err := json.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		_, err = ReadOrderReply(raw)
		var e *concert.Error
		if !errors.As(err, &e) || e.Code != x.code || e.Field != x.field {
			t.Errorf("%s = %s: %v", x.field, x.value, err)
		}
	}
	for _, bad := range []string{"", "null", "[]", mailedAnnex2 + "{}", `{"type":"order_feedback"`} {
		if _, err := ReadOrderReply([]byte(bad)); err == nil {
			t.Errorf("%.40q is read", bad)
		}
	}
}

// Whatever comes by mail is read or refused by name: it never breaks the reader, and what is read names an order.
func FuzzReadOrderReply(f *testing.F) {
	envelope, err := json.Marshal(concert.Envelope{PayloadType: concert.FeedbackPayloadType, Payload: []byte(mailedAnnex2), Signatures: []concert.Signature{}})
	if err != nil {
		f.Fatal(err)
	}
	inner, err := json.Marshal(concert.Envelope{PayloadType: concert.FeedbackPayloadType, Payload: envelope, Signatures: []concert.Signature{}})
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range []string{mailedAnnex2, string(envelope), string(inner), `{"type":"order_impossible","version":1,"reasons":["force_majeure"]}`, "{}", "null", `{"payloadType":"x"}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := ReadOrderReply(data)
		var e *concert.Error
		if err != nil && !errors.As(err, &e) {
			t.Errorf("no refusal: %v", err)
		}
		if err == nil && got.Answer.Measure == "" && len(got.Answer.Reasons) == 0 && got.Answer.MeasureAt.IsZero() {
			t.Errorf("it is read and says nothing: %+v", got)
		}
	})
}
