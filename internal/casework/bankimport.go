package casework

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"slices"
	"strings"

	"concert"
	"concert/internal/formats"
	"concert/internal/store"
)

// Imported is what became of a list that came into a bank, or would.
type Imported struct {
	Format   formats.BankFormat
	Entries  int // that the list says, tombstones among them
	Added    int
	Known    int // there already
	Recalled int
	Refused  int           // entries and lines that did not go in
	Faults   []ImportFault // the first of them, by their places
}

// ImportFault is an entry or a line that did not go in, and why.
type ImportFault struct {
	Line     int // where it begins; 0 for an entry that was read and that the bank refused
	Entry    int // which of those that were read, from 1; 0 for what is none
	SourceID string
	Why      string
	Refusal  *concert.Error // the bank's; nil for a line
}

// ImportBank fills a bank of the actor's authority from a list in one of the forms of
// banks, in acts of at most concert.BankEntriesMost entries: what was filled before the
// list broke off stays, and the same list once more adds nothing. Of a list that names
// nothing an entry's first hash is its name.
func (s *Service) ImportBank(ctx context.Context, by concert.Actor, ref string, f formats.BankFormat, r io.Reader) (Imported, error) {
	return s.importBank(ctx, by, ref, f, r, func(batch []Filling) ([]Result, error) { return s.FillBank(ctx, by, ref, batch) })
}

// PreviewImport says what ImportBank would do, and does nothing.
func (s *Service) PreviewImport(ctx context.Context, by concert.Actor, ref string, f formats.BankFormat, r io.Reader) (Imported, error) {
	return s.importBank(ctx, by, ref, f, r, func(batch []Filling) (out []Result, err error) {
		err = s.DB.View(ctx, func(tx *store.Tx) error {
			sorted, err := s.sorted(ctx, tx, by, ref, batch)
			out = sorted.results
			return err
		})
		return out, err
	})
}

func (s *Service) importBank(ctx context.Context, by concert.Actor, ref string, f formats.BankFormat, r io.Reader, fill func([]Filling) ([]Result, error)) (Imported, error) {
	out := Imported{Format: f}
	if err := by.MayFillBanks(); err != nil {
		return out, err
	}
	err := s.DB.View(ctx, func(tx *store.Tx) error { _, err := s.ownBank(ctx, tx, by, ref); return err })
	if err != nil {
		return out, err
	}
	if !slices.Contains(formats.BankFormats, f) {
		return out, concert.Refuse(concert.Invalid, "bank.format", "format", "%.40q is no form of a bank; the forms are %v", f, formats.BankFormats)
	}
	var batch []Filling
	var failed error // of an act
	flush := func() error {
		var rs []Result
		if rs, failed = fill(batch); failed != nil {
			return failed
		}
		for i, res := range rs {
			out.count(batch[i], res, out.Entries-len(batch)+i+1)
		}
		batch = batch[:0]
		return nil
	}
	page, faults, err := formats.ReadBankPage(f, r, func(e formats.SharedEntry) error {
		out.Entries++
		if batch = append(batch, fillingOf(e)); len(batch) == concert.BankEntriesMost {
			return flush()
		}
		return nil
	})
	if err == nil && len(batch) > 0 {
		err = flush()
	}
	if refused, other := refusal(err); failed == nil && refused == nil && other != nil && ctx.Err() == nil {
		err = concert.Refuse(concert.Invalid, "bank.list", "", "the list cannot be read to its end (%.200s): the %d entries that were added before stay; send the whole list again", other, out.Added)
	}
	for _, x := range faults {
		out.Faults = append(out.Faults, ImportFault{Line: x.Line, Why: x.Why})
	}
	slices.SortStableFunc(out.Faults, func(a, b ImportFault) int { return a.Line - b.Line })
	out.Refused += page.Faults
	return out, err
}

func (out *Imported) count(f Filling, res Result, entry int) {
	switch {
	case res.Err != nil:
		if out.Refused++; len(out.Faults) < formats.BankFaultsMost {
			out.Faults = append(out.Faults, ImportFault{Entry: entry, SourceID: f.SourceID, Why: res.Err.Message, Refusal: res.Err})
		}
	case res.Outcome == OutcomeAdded:
		out.Added++
	case res.Outcome == OutcomeRecalled:
		out.Recalled++
	default:
		out.Known++
	}
}

// fillingOf is an entry of a list as a bank takes it.
func fillingOf(e formats.SharedEntry) Filling {
	b := e.BankEntry
	b.SourceID = strings.ReplaceAll(strings.ToValidUTF8(b.SourceID, "\ufffd"), "\x00", "\ufffd") // what both databases take
	if b.SourceID == "" && len(b.Hashes) > 0 {
		b.SourceID = hashName(b.Hashes[0])
	}
	return Filling{BankEntry: concert.BankEntry{SourceID: b.SourceID, Hashes: b.Hashes, Name: b.Name, Labels: b.Labels, Note: b.Note, Handling: b.Handling, Opinion: b.Opinion, ExpiresAt: b.ExpiresAt}, Gone: e.Gone}
}

// hashName is a hash as a name of what it is of.
func hashName(h concert.KnownHash) string {
	text := h.Value
	if h.Kind == concert.HashVPDQ || len(text) > 128 {
		sum := sha256.New()
		for _, f := range h.Frames {
			sum.Write(f.PDQ[:])
		}
		sum.Write([]byte(text))
		text = fmt.Sprintf("%x", sum.Sum(nil))
	}
	return string(h.Kind) + " " + text
}
