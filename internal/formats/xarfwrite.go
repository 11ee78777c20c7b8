package formats

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"concert"
	"concert/internal/match"
)

const (
	xarfWrites = "4.2.0"
	// XARFType is what our reports call themselves, since XARF has no type for
	// terrorist content; XARFTag says the same to who filters by tags.
	XARFType = "terrorist_content"
	// XARFTag marks a voluntary referral under Regulation (EU) 2021/784.
	XARFTag = "tco:referral"
	// XARFSchema is the JSON Schema of the block tco (docs/formats/xarf-tco.schema.json).
	XARFSchema = "https://concert.invalid/schemas/xarf-tco-1.json"
)

// xarfOut is one report as we write it. The block tco is ours; all else is
// XARF 4's core and its base of content.
type xarfOut struct {
	Version      string   `json:"xarf_version"`
	ID           string   `json:"report_id"`
	Timestamp    string   `json:"timestamp"`
	Reporter     xarfWho  `json:"reporter"`
	Sender       xarfWho  `json:"sender"`
	Source       string   `json:"source_identifier"`
	Category     string   `json:"category"`
	Type         string   `json:"type"`
	URL          string   `json:"url"`
	Domain       string   `json:"domain,omitempty"`
	Evidence     string   `json:"evidence_source"`
	Verification string   `json:"verification_method"`
	Tags         []string `json:"tags"`
	Description  string   `json:"description"`
	TCO          xarfTCO  `json:"tco"`
}

type xarfWho struct {
	Org     string `json:"org"`
	Contact string `json:"contact"`
	Domain  string `json:"domain"`
}

type xarfTCO struct {
	Schema      string              `json:"schema"`
	Instrument  string              `json:"instrument"` // always "referral": an order has another format
	Voluntary   string              `json:"voluntary"`
	Notice      concert.NoticeKind  `json:"notice"`
	Referral    string              `json:"referral"`
	Item        string              `json:"item"`
	Authority   string              `json:"authority"`
	Country     string              `json:"country"`
	Unit        string              `json:"unit"`
	ContentType concert.ContentType `json:"content_type"`
	ItemType    concert.ItemType    `json:"item_type,omitempty"`
	Outlet      string              `json:"outlet"`
	ScopeEntry  string              `json:"scope_entry"`
	Language    string              `json:"language"`
	Severity    concert.Severity    `json:"severity"`
	Kind        string              `json:"location_kind"`
	Platform    string              `json:"platform,omitempty"`
	ObjectID    string              `json:"object_id,omitempty"`
	Facts       string              `json:"facts"`
	Reason      string              `json:"reason"`
	Remedy      string              `json:"remedy,omitempty"`
	RemedyWhy   string              `json:"remedy_reason,omitempty"`
	Exercise    bool                `json:"exercise"`
}

// WriteXARF writes one XARF 4 report an item: a single object where there is one
// item, an object a line (NDJSON) where there are more. Places are exact. It
// holds no officer, no capture and no evidence.
func WriteXARF(n *Notice) ([]byte, error) {
	var out []byte
	for i := range n.Parts {
		p := &n.Parts[i]
		if p.Kind == concert.NoticeQuestion {
			continue // a message reports nothing: programs would take it for one more report
		}
		for j := range p.Payload.Items {
			text, err := json.Marshal(n.report(p, &p.Payload.Items[j]))
			if err != nil {
				return nil, fmt.Errorf("XARF report of item %s: %w", p.Payload.Items[j].Ref, err)
			}
			out = append(append(out, text...), '\n')
		}
	}
	return out, nil
}

func (n *Notice) report(p *NoticePart, it *concert.PayloadItem) xarfOut {
	_, domain, _ := strings.Cut(n.Reply, "@")
	address := uriOf(it.Location)
	what := fmt.Sprintf("Voluntary referral %s of suspected terrorist content (%s), Regulation (EU) 2021/784 Art. 2(7). You decide alone, under your own terms.", p.Payload.Ref, it.ContentType)
	if p.Kind == concert.NoticeWithdrawal {
		what = fmt.Sprintf("Referral %s of this item is WITHDRAWN: treat it as never made.", p.Payload.Ref)
	}
	if n.Exercise {
		what = "EXERCISE: " + what
	}
	source := it.Location.Domain
	if source == "" {
		source = it.Location.Platform
	}
	if source == "" {
		source = it.Location.Kind
	}
	return xarfOut{
		Version: xarfWrites, ID: reportID(p, it), Timestamp: p.Payload.SentAt, Source: source, Category: "content", Type: XARFType, URL: address, Domain: it.Location.Domain,
		Reporter: xarfWho{firstRunes(p.Payload.Author.Name, 200), n.Reply, domain}, Sender: xarfWho{firstRunes("Concert, "+n.Sender, 200), n.Reply, domain},
		Evidence: "researcher_analysis", Verification: "manual", Tags: tagsOf(p, it, n.Exercise), Description: firstRunes(what, 1000),
		TCO: xarfTCO{Schema: XARFSchema, Instrument: "referral", Voluntary: concert.VoluntaryNotice, Notice: p.Kind, Referral: p.Payload.Ref, Item: it.Ref, Authority: p.Payload.Author.Name, Country: p.Payload.Author.Country,
			Unit: p.Payload.Author.Unit, ContentType: it.ContentType, ItemType: it.Type, Outlet: it.Outlet, ScopeEntry: it.ScopeEntry, Language: it.Language, Severity: it.Severity, Kind: it.Location.Kind,
			Platform: it.Location.Platform, ObjectID: it.Location.ObjectID, Facts: it.Facts, Reason: it.Reason, Remedy: p.Remedy, RemedyWhy: p.Reason, Exercise: n.Exercise},
	}
}

// tagsOf are the report's tags, each "namespace:predicate" of XARF's letters.
func tagsOf(p *NoticePart, it *concert.PayloadItem, exercise bool) []string {
	tags := []string{XARFTag, "tco:" + tagWord(string(it.ContentType)), "tco:notice-" + tagWord(string(p.Kind)), "language:" + tagWord(it.Language)}
	if it.Severity == concert.SeverityThreat {
		tags = append(tags, "tco:threat-to-life")
	}
	if exercise {
		tags = append(tags, "tco:exercise")
	}
	return tags
}

func tagWord(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '_', r == '+', r == '-':
			return r
		}
		return '-'
	}, strings.ToLower(s))
	if s = strings.TrimLeft(s, "_+-"); s == "" {
		return "und"
	}
	return s
}

// reportID is the same for the same notice on the same item, so that a report
// that arrives twice is known as one. It has the form of a UUID of version 4.
func reportID(p *NoticePart, it *concert.PayloadItem) string {
	d := sha256.Sum256([]byte("xarf report\x00" + string(p.Kind) + "\x00" + p.Payload.Ref + "\x00" + it.Ref + "\x00" + p.Remedy))
	d[6], d[8] = d[6]&0x0f|0x40, d[8]&0x3f|0x80
	h := hex.EncodeToString(d[:16])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// uriOf is the place as a URI: the address itself, or a URN of our own where the
// place has none.
func uriOf(l concert.Location) string {
	for _, s := range []string{l.Submitted, l.Canonical} {
		if address, ok := match.Fetchable(s); ok {
			if u, err := url.Parse(address); err == nil && u.IsAbs() {
				return u.String()
			}
		}
	}
	return "urn:x-concert:" + url.PathEscape(l.Kind) + ":" + url.PathEscape(l.Canonical)
}

func firstRunes(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}
