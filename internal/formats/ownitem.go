package formats

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"time"

	"concert"
)

// OwnColumns are the columns of a provider's export of its own items
// (docs/portal.md). Places are defanged; platform and object_id name the thing
// without an address.
var OwnColumns = []string{"item", "referral", "sent_at", "author", "article16", "location", "kind", "platform", "object_id", "type", "content_type", "outlet", "scope_entry", "language", "severity", "claimed", "answered_at", "observed", "seen_at", "withdrawn", "exercise"}

// OwnRecord is one line of the export as JSON lines. Location is there only where
// live places were asked for.
type OwnRecord struct {
	Item        string `json:"item"`
	Referral    string `json:"referral"`
	SentAt      string `json:"sent_at"`
	Author      string `json:"author"`
	Article16   bool   `json:"article16"`
	Display     string `json:"location_defanged"`
	Location    string `json:"location,omitempty"`
	Kind        string `json:"kind"`
	Platform    string `json:"platform,omitempty"`
	ObjectID    string `json:"object_id,omitempty"`
	Type        string `json:"type,omitempty"`
	ContentType string `json:"content_type,omitempty"`
	Outlet      string `json:"outlet,omitempty"`
	ScopeEntry  string `json:"scope_entry,omitempty"`
	Language    string `json:"language,omitempty"`
	Severity    string `json:"severity,omitempty"`
	Claimed     string `json:"claimed,omitempty"`
	AnsweredAt  string `json:"answered_at,omitempty"`
	Observed    string `json:"observed,omitempty"`
	SeenAt      string `json:"seen_at,omitempty"`
	Withdrawn   bool   `json:"withdrawn"`
	Exercise    bool   `json:"exercise"`
}

// OwnRecordOf is an item's record; author is the name of who judged, and live
// puts the place in as it was found.
func OwnRecordOf(o concert.OwnItem, author string, live bool) OwnRecord {
	r := OwnRecord{Item: o.Ref, Referral: o.RefRef, SentAt: stamped(o.SentAt), Author: author, Article16: o.Article16, Display: o.Location.Display, Kind: o.Location.Kind, Platform: o.Location.Platform, ObjectID: o.Location.ObjectID,
		Type: string(o.Item.Type), ContentType: string(o.Said.ContentType), Outlet: o.Said.Outlet, ScopeEntry: o.Said.ScopeEntry, Language: o.Said.Language, Severity: string(o.Said.Severity),
		Claimed: string(o.Claimed), AnsweredAt: stamped(o.AnsweredAt), Observed: string(o.Observed), SeenAt: stamped(o.SeenAt), Withdrawn: o.Status == concert.ItemWithdrawn, Exercise: o.Exercise}
	if live {
		r.Location = o.Location.Submitted
	}
	return r
}

func stamped(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(concert.TimeFormat)
}

// OwnCSV writes records as CSV, the head first.
type OwnCSV struct{ w *csv.Writer }

// NewOwnCSV begins one.
func NewOwnCSV(w io.Writer) (*OwnCSV, error) {
	c := csv.NewWriter(w)
	return &OwnCSV{c}, c.Write(OwnColumns)
}

// Write writes one record.
func (c *OwnCSV) Write(r OwnRecord) error {
	row := []string{r.Item, r.Referral, r.SentAt, r.Author, strconv.FormatBool(r.Article16), r.Display, r.Kind, r.Platform, r.ObjectID, r.Type, r.ContentType, r.Outlet, r.ScopeEntry, r.Language, r.Severity, r.Claimed, r.AnsweredAt, r.Observed, r.SeenAt, strconv.FormatBool(r.Withdrawn), strconv.FormatBool(r.Exercise)}
	for i, s := range row {
		row[i] = concert.PlainCell(s)
	}
	return c.w.Write(row)
}

// Close writes what is left.
func (c *OwnCSV) Close() error {
	c.w.Flush()
	return c.w.Error()
}

// WriteOwnLine writes a record as one line of JSON.
func WriteOwnLine(w io.Writer, r OwnRecord) error {
	b, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("export of item %s: %w", r.Item, err)
	}
	_, err = w.Write(append(b, '\n'))
	return err
}
