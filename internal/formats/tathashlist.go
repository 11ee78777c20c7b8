package formats

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"iter"
	"strings"
	"time"

	"concert"
)

// TATCheckpoint is from where Tech Against Terrorism's hash list goes on behind a
// record: its time of change, in seconds since 1970 with six decimals, and its id.
func TATCheckpoint(updated time.Time, id string) string {
	return unixOf(updated) + "," + id
}

// ParseTATCheckpoint reads a checkpoint; "" is the beginning of the list.
func ParseTATCheckpoint(s string) (updated time.Time, id string, err error) {
	if s == "" {
		return time.Time{}, "", nil
	}
	at, id, ok := strings.Cut(s, ",")
	if updated, err = whenOf(at); err != nil || !ok || at == "" || id == "" || len(id) > concert.EntryIDMost || strings.ContainsAny(at, "-T:") {
		return time.Time{}, "", concert.Refuse(concert.Invalid, "bank.checkpoint", "after", "%.80q is no checkpoint: it is written seconds,id, like 1724856487.709035,10594", s)
	}
	return updated, id, nil
}

// unixOf is a time in seconds since 1970, to the microsecond.
func unixOf(t time.Time) string {
	if t.IsZero() {
		return "0"
	}
	return fmt.Sprintf("%d.%06d", t.Unix(), t.Nanosecond()/1000)
}

// tatRecord is a record of the list as it is read.
type tatRecord struct {
	Digest    word `json:"hash_digest"`
	Algorithm word `json:"algorithm"`
	Ideology  word `json:"ideology"`
	FileType  word `json:"file_type"`
	Deleted   word `json:"deleted"`
	UpdatedOn word `json:"updated_on"`
	CreatedOn word `json:"created_on"`
	ID        word `json:"id"`
}

// tat reads pages of the hash list (api/hash-list/v2), or records one by one.
func (b *bankReader) tat(r io.Reader) error {
	return walk(r, b.bad, jsonShape{
		holds: map[string]bool{"results": true}, asks: []string{"count", "next", "previous", "checkpoint"}, most: bankLineMost,
		object: b.tatRecord,
		closed: func(asked map[string][]byte) error {
			var count int
			if decode(asked["count"], &count) == "" {
				b.page.Count = count
			}
			for name, to := range map[string]*string{"next": &b.page.Next, "previous": &b.page.Previous, "checkpoint": &b.page.Checkpoint} {
				var w word
				if decode(asked[name], &w) == "" {
					*to = string(w)
				}
			}
			return nil
		},
	})
}

func (b *bankReader) tatRecord(line int, raw []byte, _ bool) error {
	var o tatRecord
	if why := decode(raw, &o); why != "" {
		return b.bad(wrong(line, "%s", why))
	}
	var e SharedEntry
	e.SourceID, e.Gone = string(o.ID), o.Deleted.yes()
	e.Provenance.Source = "Tech Against Terrorism"
	if err := whens(timed{o.UpdatedOn, &e.UpdatedAt}, timed{o.CreatedOn, &e.AddedAt}); err != nil {
		return b.bad(wrong(line, "%s", err))
	}
	if o.ID != "" {
		e.Checkpoint = TATCheckpoint(e.UpdatedAt, e.SourceID)
	}
	for prefix, w := range map[string]word{ideologyLabel: o.Ideology, fileLabel: o.FileType} {
		if w != "" && w != "all" {
			e.Labels = append(e.Labels, prefix+string(w))
		}
	}
	e.opined(concert.OpinionPositive)
	kind := hashKind(string(o.Algorithm))
	if kind == "" && !e.Gone {
		return b.bad(wrong(line, "has no hash of a kind known here: %.40q", string(o.Algorithm)))
	}
	e.Hashes = []concert.KnownHash{{Kind: kind, Value: string(o.Digest), Quality: -1}}
	return b.part(line, e)
}

// tatOut is a record as it is written.
type tatOut struct {
	Digest    string  `json:"hash_digest"`
	Algorithm string  `json:"algorithm"`
	Ideology  string  `json:"ideology"`
	FileType  string  `json:"file_type"`
	Deleted   bool    `json:"deleted"`
	UpdatedOn rawJSON `json:"updated_on"`
	CreatedOn string  `json:"created_on"`
	ID        any     `json:"id"` // a number where there is one
}

// rawJSON is JSON that is written as it is.
type rawJSON string

// MarshalJSON implements the encoder's interface.
func (r rawJSON) MarshalJSON() ([]byte, error) { return []byte(r), nil }

// tat writes a page of the hash list, a record a hash. The list has no opinions:
// its readers take everything in it for established, so what does not stand as
// positive goes out as deleted.
func (out *bankWriter) tat(w io.Writer, entries iter.Seq2[SharedEntry, error]) error {
	list := jsonList{w: bufio.NewWriter(w)}
	list.text(`{"results":[`)
	n := 0
	for e, err := range entries {
		if err != nil {
			return err
		}
		out.page.Checkpoint = TATCheckpoint(e.UpdatedAt, e.number())
		ideology, labels := labelled(e.Labels, ideologyLabel)
		file, _ := labelled(labels, fileLabel)
		r := tatOut{Ideology: cmp.Or(ideology, "all"), FileType: file, Deleted: e.Gone || e.Stands() != concert.OpinionPositive, UpdatedOn: rawJSON(unixOf(e.UpdatedAt)), CreatedOn: stamp(e.AddedAt), ID: e.number()}
		if e.N > 0 {
			r.ID = e.N
		}
		hashes := e.Hashes
		if len(hashes) == 0 {
			hashes = []concert.KnownHash{{}}
		}
		for _, h := range hashes {
			if r.Digest, err = hashValue(h); err != nil {
				return fmt.Errorf("entry %s: %w", e.id(), err)
			}
			r.Algorithm = strings.ToUpper(string(h.Kind))
			list.add(r)
			n++
		}
	}
	out.page.Count = max(out.page.Count, n)
	list.text(`],"count":`)
	list.value(out.page.Count)
	for _, p := range []struct{ name, address string }{{"next", out.page.Next}, {"previous", out.page.Previous}} {
		list.text(`,"` + p.name + `":`)
		if p.address == "" {
			list.text("null")
		} else {
			list.value(p.address)
		}
	}
	list.text(`,"checkpoint":`)
	list.value(out.page.Checkpoint)
	list.text("}\n")
	return list.end()
}
