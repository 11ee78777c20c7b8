package formats

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"regexp"
	"strings"

	"concert"
)

// OrderReplyFile is Annex II or Annex III as an addressee sends it by mail: the JSON of
// docs/formats/annex.md, alone or as the payload of a signed envelope.
type OrderReplyFile struct {
	Order  string // reference of the order that it answers
	Answer concert.OrderAnswer
	Signed bool // it came in an envelope; whose signature that is, is not checked here
}

var unknownField = regexp.MustCompile(`unknown field "([^"]{1,80})"`)

// ReadOrderReply reads it strictly: what is unknown, or of another version, is refused by
// its field. Whether the answer may be given is the act's to say.
func ReadOrderReply(data []byte) (OrderReplyFile, error) {
	var out OrderReplyFile
	var head struct {
		Type        string `json:"type"`
		PayloadType string `json:"payloadType"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return out, notAnAnnex()
	}
	if head.PayloadType != "" {
		var e concert.Envelope
		if err := annexStrictly(data, &e); err != nil {
			return out, err
		}
		if e.PayloadType != concert.FeedbackPayloadType && e.PayloadType != concert.ImpossiblePayloadType {
			return out, concert.Refuse(concert.Invalid, "mailreply.type", "payloadType", "the envelope holds neither Annex II nor Annex III: its type is %s or %s", concert.FeedbackPayloadType, concert.ImpossiblePayloadType)
		}
		var inner struct {
			PayloadType string `json:"payloadType"`
		}
		if json.Unmarshal(e.Payload, &inner) != nil || inner.PayloadType != "" {
			return out, notAnAnnex() // an envelope in an envelope is none
		}
		out, err := ReadOrderReply(e.Payload)
		out.Signed = true
		return out, err
	}
	switch head.Type {
	case "order_feedback":
		var p concert.OrderFeedback
		if err := annexStrictly(data, &p); err != nil {
			return out, err
		}
		at, err := concert.ParseTime(p.MeasureAt)
		if err != nil {
			return out, concert.Refuse(concert.Invalid, "mailreply.measure_at", "measure_at", "say when the measure was taken as RFC 3339 in UTC, such as 2026-05-04T09:20:00.000Z: got %.40q", p.MeasureAt)
		}
		out = answerOf(p.OrderReply)
		out.Answer.Measure, out.Answer.MeasureAt = p.Measure, at
		return out, versionOne(p.OrderReply)
	case "order_impossible":
		var p concert.OrderImpossible
		if err := annexStrictly(data, &p); err != nil {
			return out, err
		}
		if len(p.Reasons) == 0 {
			return out, concert.Refuse(concert.Invalid, "mailreply.reasons", "reasons", "Annex III names at least one reason: choose of %v", concert.ImpossibleReasons)
		}
		out = answerOf(p.OrderReply)
		out.Answer.Reasons, out.Answer.Further, out.Answer.Needed = p.Reasons, p.Further, p.Needed
		return out, versionOne(p.OrderReply)
	}
	return out, concert.Refuse(concert.Invalid, "mailreply.type", "type", "the attached document is neither Annex II nor Annex III: its type is %q or %q, not %.40q", "order_feedback", "order_impossible", head.Type)
}

func answerOf(p concert.OrderReply) OrderReplyFile {
	return OrderReplyFile{Order: p.Order, Answer: concert.OrderAnswer{Items: p.Places, File: p.AddresseeFile, Person: p.Person, Email: p.Email}}
}

func versionOne(p concert.OrderReply) error {
	if p.Version != 1 {
		return concert.Refuse(concert.Invalid, "mailreply.version", "version", "this program reads version 1 of Annex II and III, not %d: send that", p.Version)
	}
	return nil
}

func notAnAnnex() error {
	return concert.Refuse(concert.Invalid, "mailreply.json", "", "the attached document is no JSON of Annex II or Annex III: docs/formats/annex.md has their schemas")
}

// annexStrictly decodes one document with no field but its own.
func annexStrictly(data []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	err := d.Decode(v)
	if err == nil {
		if _, err := d.Token(); !errors.Is(err, io.EOF) {
			return notAnAnnex()
		}
		return nil
	}
	var kind *json.UnmarshalTypeError
	if errors.As(err, &kind) && kind.Field != "" {
		name := kind.Field[strings.LastIndexByte(kind.Field, '.')+1:]
		return concert.Refuse(concert.Invalid, "mailreply.field", name, "the field %s is a %s, not a %s: write it as the schema says", name, kind.Type.String(), kind.Value)
	}
	if m := unknownField.FindStringSubmatch(err.Error()); m != nil {
		return concert.Refuse(concert.Invalid, "mailreply.unknown", m[1], "Annex II and III have no field %.80q: leave it out", m[1])
	}
	return notAnAnnex()
}
