package formats

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"time"

	"concert"
)

// digestHeader are the columns of a digest's CSV.
var digestHeader = []string{"notice", "referral", "item", "location", "location_kind", "platform", "object_id", "item_type", "content_type", "outlet", "scope_entry", "language", "severity", "authority", "unit", "sent_at", "remedy", "answer_link", "answer_until", "exercise"}

// WriteDigestCSV writes one line an item of a digest, RFC 4180 in UTF-8 with a
// header. Places are exact. A cell that a spreadsheet would take for a formula
// begins with an apostrophe.
func WriteDigestCSV(n *Notice) ([]byte, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.UseCRLF = true
	rows := [][]string{digestHeader}
	for _, p := range n.Parts {
		until := ""
		if p.Link != "" {
			until = p.Expires.UTC().Format(time.RFC3339)
		}
		for _, it := range p.Payload.Items {
			rows = append(rows, []string{string(p.Kind), p.Payload.Ref, it.Ref, uriOf(it.Location), it.Location.Kind, it.Location.Platform, it.Location.ObjectID, string(it.Type), string(it.ContentType), it.Outlet, it.ScopeEntry,
				it.Language, string(it.Severity), p.Payload.Author.Name, p.Payload.Author.Unit, p.Payload.SentAt, p.Remedy, p.Link, until, fmt.Sprint(n.Exercise)})
		}
	}
	for _, r := range rows {
		for i := range r {
			r[i] = concert.PlainCell(oneLine(r[i]))
		}
		if err := w.Write(r); err != nil {
			return nil, fmt.Errorf("digest: %w", err)
		}
	}
	w.Flush()
	return b.Bytes(), w.Error()
}
