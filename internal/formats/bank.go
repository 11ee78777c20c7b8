package formats

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"iter"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"concert"
	"concert/internal/match"
)

const (
	// BankFaultsMost is how many faults of one list are kept; all are counted.
	BankFaultsMost = 1000
	// bankLineMost bounds a line, and a string in JSON: the frames of a video of
	// concert.FramesMost frames have some 370 kB.
	bankLineMost = maxObject
)

// BankFormat names a form in which entries of banks travel (docs/banks.md).
type BankFormat string

// The forms.
const (
	BankLines          BankFormat = "lines"          // python-threatexchange's local files: type and value
	BankCSV            BankFormat = "csv"            // Concert's own, a row a hash
	BankNDJSON         BankFormat = "ndjson"         // the same, an object a line
	BankThreatExchange BankFormat = "threatexchange" // Meta's threat_updates and threat descriptors
	BankTAT            BankFormat = "tat"            // Tech Against Terrorism's hash list, version 2
	BankSTIX           BankFormat = "stix"           // STIX 2.1
	BankMISP           BankFormat = "misp"           // MISP's core format
)

// BankFormats lists them.
var BankFormats = []BankFormat{BankLines, BankCSV, BankNDJSON, BankThreatExchange, BankTAT, BankSTIX, BankMISP}

// MediaType is what HTTP calls the form.
func (f BankFormat) MediaType() string {
	switch f {
	case BankLines:
		return "text/plain; charset=utf-8"
	case BankCSV:
		return "text/csv; charset=utf-8"
	case BankNDJSON:
		return "application/x-ndjson"
	case BankSTIX:
		return "application/stix+json;version=2.1"
	}
	return "application/json"
}

// Provenance is where an entry comes from and what it may be used for, in its
// owner's words. What is left out is "".
type Provenance struct {
	Owner      string // who answers for it
	Source     string // the exchange or list that it was first in
	Purpose    string
	LegalBasis string
}

// SharedEntry is an entry as it travels between banks. Read, it has no number, no
// reference and no bank of this house: SourceID is what its source calls it.
type SharedEntry struct {
	concert.BankEntry
	UpdatedAt  time.Time // by its source; zero where that does not say
	Gone       bool      // a tombstone: whoever holds the entry drops it. It may have no hashes
	Checkpoint string    // from where its source's feed goes on behind it; "" where the form has none
	Provenance Provenance
	// Given are the opinions of the source's members where there are several. Where
	// they contradict each other Opinion is concert.OpinionSeed, and Stands says so.
	Given []concert.Opinion
}

// Stands is the opinion on the entry, of all that were given here and at its
// source.
func (e SharedEntry) Stands() concert.Opinion {
	if len(e.Given) == 0 {
		return e.BankEntry.Stands()
	}
	return concert.OpinionOf(append(e.opinions(), e.Given...))
}

// opinions are that of the owner and those given here.
func (e *SharedEntry) opinions() []concert.Opinion {
	out := []concert.Opinion{e.Opinion}
	for _, s := range e.Said {
		out = append(out, s.Opinion)
	}
	return out
}

// opined sets the opinions that a source has of an entry.
func (e *SharedEntry) opined(given ...concert.Opinion) {
	if e.Opinion = concert.OpinionOf(given); e.Opinion == concert.OpinionDisputed {
		e.Opinion = concert.OpinionSeed
	}
	if e.Given = nil; len(given) > 1 {
		e.Given = given
	}
}

// said sets an opinion that is written as one word, disputed among them.
func (e *SharedEntry) said(o concert.Opinion) bool {
	switch {
	case o == concert.OpinionDisputed:
		e.opined(concert.OpinionPositive, concert.OpinionNegative)
	case slices.Contains(concert.Opinions, o):
		e.opined(o)
	default:
		return false
	}
	return true
}

// BankPage is what a part of a feed says of itself, and of its reading.
type BankPage struct {
	Count          int    // how many entries the whole feed has; 0 where it does not say
	Next, Previous string // addresses of the pages beside it; "" for none
	Checkpoint     string // from where to ask for more; "" where the feed has none
	Entries        int    // how many were read or written, tombstones among them
	Faults         int    // how many lines or objects said no entry, listed or not
}

// BankFormatOf tells the form from a file's first bytes; 64 KiB are plenty. A file
// of which it cannot be told gives false.
func BankFormatOf(head []byte) (BankFormat, bool) {
	text, err := io.ReadAll(io.LimitReader(plain(bytes.NewReader(head)), maxCSVLine))
	if err != nil {
		return "", false
	}
	text = bytes.TrimLeft(text, " \t\r\n")
	if len(text) > 0 && (text[0] == '{' || text[0] == '[') {
		m := bankSigns.FindSubmatchIndex(text)
		for i, f := range []BankFormat{BankTAT, BankThreatExchange, BankMISP, BankSTIX, BankNDJSON} {
			if m != nil && m[2*i+2] >= 0 {
				return f, true
			}
		}
		return "", false
	}
	for line := range bytes.Lines(text) {
		s := strings.TrimSpace(string(line))
		switch {
		case isBankHeader(s):
			return BankCSV, true
		case s == "" || s[0] == '#' || isHashHeader(s):
			continue
		}
		_, found, err := hashesIn(s)
		if err != nil || len(found) == 0 {
			return "", false
		}
		_, err = checkedHash(found[0])
		return BankLines, err == nil
	}
	return "", false
}

// bankSigns are names that only one of the forms has, in the order of
// [BankFormatOf]; the first in the text decides.
var bankSigns = regexp.MustCompile(`"(hash_digest|checkpoint|results)"\s*:|"(raw_indicator|indicator|should_delete|share_level|descriptors|paging|data)"\s*:|"(Event|Attribute|event_id|object_relation|response|category)"\s*:|` +
	`"(spec_version|pattern_type|object_refs|type"\s*:\s*"bundle|id"\s*:\s*"[a-z-]+--[0-9a-f]{8}-)|"(value|pdq|sha256|sha1|md5)"\s*:`)

// ReadBank reads entries. each gets every entry that has what a bank needs, in the
// order of the file, and may stop the reading with an error, which is handed back.
// A line or object that says no entry is a fault, with the line where it begins,
// and the rest goes on; of more than [BankFaultsMost] the last one listed counts
// the others. Nothing of the file is held but what waits for the rest of its
// object, event or work. Neither the hashes of a tombstone nor its texts need be
// there.
func ReadBank(f BankFormat, r io.Reader, each func(SharedEntry) error) (faults []HashFault, err error) {
	_, faults, err = ReadBankPage(f, r, each)
	return faults, err
}

// ReadBankPage is [ReadBank] of one page of a feed: it says, too, where the feed
// goes on.
func ReadBankPage(f BankFormat, r io.Reader, each func(SharedEntry) error) (BankPage, []HashFault, error) {
	b := &bankReader{each: each}
	var err error
	switch f {
	case BankLines, BankNDJSON:
		err = b.lines(r)
	case BankCSV:
		err = b.csv(r)
	case BankThreatExchange:
		err = b.threatExchange(r)
	case BankTAT:
		err = b.tat(r)
	case BankSTIX:
		err = b.stix(r)
	case BankMISP:
		err = b.misp(r)
	default:
		return b.page, nil, fmt.Errorf("%q is no form of a bank; the forms are %v", f, BankFormats)
	}
	if err == nil {
		err = b.flush()
	}
	b.page.Checkpoint = cmp.Or(b.page.Checkpoint, b.last)
	if more := b.page.Faults - len(b.faults); more > 0 {
		b.faults[len(b.faults)-1].Why += fmt.Sprintf("; %d more are not listed", more)
	}
	return b.page, b.faults, err
}

// bankReader is a file while it is read.
type bankReader struct {
	each   func(SharedEntry) error
	page   BankPage
	faults []HashFault
	open   *SharedEntry // a work of which more hashes may follow
	last   string       // checkpoint of the last entry
}

// bad notes a fault.
func (b *bankReader) bad(e RowError) error {
	if e.Note {
		return nil
	}
	if b.page.Faults++; len(b.faults) < BankFaultsMost {
		b.faults = append(b.faults, HashFault{e.Line, e.Reason})
	}
	return nil
}

// part hands in one hash of a work: rows that follow one another under one id are
// one entry, and the first says all but the hashes.
func (b *bankReader) part(line int, e SharedEntry) error {
	e, err := soundEntry(e)
	if err != nil {
		return b.bad(wrong(line, "%s", err))
	}
	if b.open != nil && e.SourceID != "" && e.SourceID == b.open.SourceID && e.Gone == b.open.Gone {
		if len(b.open.Hashes)+len(e.Hashes) > concert.EntryHashesMost {
			return b.bad(wrong(line, "the entry %.80q has more than %d hashes", e.SourceID, concert.EntryHashesMost))
		}
		b.open.Hashes = append(b.open.Hashes, e.Hashes...)
		b.open.Checkpoint = cmp.Or(e.Checkpoint, b.open.Checkpoint)
		return nil
	}
	if err := b.flush(); err != nil {
		return err
	}
	b.open = &e
	return nil
}

// flush hands in the work that is open.
func (b *bankReader) flush() error {
	if b.open == nil {
		return nil
	}
	e := *b.open
	b.open = nil
	return b.hand(e)
}

func (b *bankReader) hand(e SharedEntry) error {
	b.page.Entries++
	b.last = cmp.Or(e.Checkpoint, b.last)
	return b.each(e)
}

// whole hands in an entry that has all its hashes.
func (b *bankReader) whole(line int, e SharedEntry) error {
	e, err := soundEntry(e)
	if err != nil {
		return b.bad(wrong(line, "%s", err))
	}
	return b.hand(e)
}

// soundEntry is the entry as a bank would take it, or what is wrong with it. Texts
// that are too long are cut.
func soundEntry(e SharedEntry) (SharedEntry, error) {
	var hashes []concert.KnownHash
	var first error
	for _, h := range e.Hashes {
		h, err := checkedHash(h)
		switch {
		case err == nil:
			hashes = append(hashes, h)
		case first == nil:
			first = err
		}
	}
	e.Hashes = hashes
	switch {
	case len(e.SourceID) > concert.EntryIDMost || e.SourceID == elided:
		return e, fmt.Errorf("its id has more than %d bytes", concert.EntryIDMost)
	case e.Gone && e.SourceID != "":
		// What is withdrawn by its id needs no hash.
	case first != nil:
		return e, first
	case len(hashes) == 0:
		return e, errors.New("it has no hash of a kind known here")
	case len(hashes) > concert.EntryHashesMost:
		return e, fmt.Errorf("it has %d hashes; an entry has at most %d, of one work", len(hashes), concert.EntryHashesMost)
	}
	e.Name = cut(shown(e.Name), concert.EntryNameMost)
	e.Labels = labelsKept(e.Labels)
	if e.Opinion == "" {
		e.Opinion = concert.OpinionPositive
	}
	p := &e.Provenance
	for _, s := range []*string{&p.Owner, &p.Source, &p.Purpose, &p.LegalBasis} {
		*s = cut(shown(*s), 1000)
	}
	return e, nil
}

// checkedHash is the hash as it is kept; the frames of a video may still stand in
// its value.
func checkedHash(h concert.KnownHash) (concert.KnownHash, error) {
	if h.Value == elided {
		return h, fmt.Errorf("its value has more than %d bytes", bankLineMost)
	}
	if h.Kind == concert.HashVPDQ && h.Frames == nil {
		frames, err := match.ReadFrameList(strings.NewReader(h.Value))
		if err != nil {
			return h, err
		}
		h.Frames, h.Value = KnownFrames(frames), ""
	}
	if h.Kind != concert.HashPDQ && h.Quality >= 0 {
		h.Quality = -1
	}
	return h.Checked()
}

// hashValue is the hash as text: of a video its frames in JSON.
func hashValue(h concert.KnownHash) (string, error) {
	if h.Kind != concert.HashVPDQ {
		return h.Value, nil
	}
	return match.FrameListText(MatchFrames(h.Frames))
}

// shown is a text of others on one line, without what steers a screen.
func shown(s string) string {
	if s == elided {
		return ""
	}
	return oneLine(strings.ToValidUTF8(s, replacement))
}

// cut shortens a text to so many bytes, at the end of a letter.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	end := most - len("…")
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}

func labelsKept(in []string) []string {
	var out []string
	for _, l := range in {
		if l = cut(shown(l), concert.LabelMost); l != "" {
			out = append(out, l)
		}
	}
	slices.Sort(out)
	out = slices.Compact(out)
	return out[:min(len(out), concert.LabelsMost)]
}

// whenOf reads a time in any of the ways in which lists write it: RFC 3339, a day,
// ISO 8601 without a zone (UTC) or without a colon in it, seconds since 1970 with
// their fractions; zero for "".
func whenOf(s string) (time.Time, error) {
	if s = strings.TrimSpace(s); s == "" || s == "0" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339Nano, time.DateOnly, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04:05.999999999-0700", "2006-01-02 15:04:05.999999999"} {
		if t, err := time.Parse(layout, s); err == nil && t.Year() > 0 {
			return t.UTC(), nil
		}
	}
	whole, part, _ := strings.Cut(s, ".")
	if part = (part + "000000000")[:9]; len(whole) < 12 && strings.Trim(whole+part, "0123456789") == "" {
		seconds, err := strconv.ParseInt(whole, 10, 64)
		nanos, err2 := strconv.ParseInt(part, 10, 64)
		if err == nil && err2 == nil {
			return time.Unix(seconds, nanos).UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%.40q is no time: write it as 2026-01-31T12:00:00Z, or in seconds since 1970", s)
}

// timed is a time as a list writes it, and where it goes.
type timed struct {
	text word
	to   *time.Time
}

func whens(of ...timed) error {
	for _, w := range of {
		t, err := whenOf(string(w.text))
		if err != nil {
			return err
		}
		*w.to = t
	}
	return nil
}

// bankWriter is a file while it is written.
type bankWriter struct {
	bank concert.Bank
	page *BankPage
}

// WriteBank writes entries of the bank, in their order. What an entry leaves out
// of its provenance and handling is the bank's. An entry that ended goes out as a
// tombstone; whether one in quarantine goes out at all is the caller's to say. Of
// an exercise's bank every entry is labelled EXERCISE. The first error of entries
// or w is handed back, and the text breaks off there.
func WriteBank(f BankFormat, w io.Writer, b concert.Bank, entries iter.Seq2[SharedEntry, error]) error {
	_, err := WriteBankPage(f, w, b, BankPage{}, entries)
	return err
}

// WriteBankPage is [WriteBank] of one page of a feed, with the addresses of its
// neighbours; the checkpoint is that of the last entry, or the page's where it has
// none. The page comes back as it was written.
func WriteBankPage(f BankFormat, w io.Writer, b concert.Bank, page BankPage, entries iter.Seq2[SharedEntry, error]) (BankPage, error) {
	page.Entries = 0
	out := &bankWriter{bank: b, page: &page}
	all := out.filled(entries)
	var err error
	switch f {
	case BankLines:
		err = out.lines(w, all)
	case BankCSV:
		err = out.csv(w, all)
	case BankNDJSON:
		err = out.ndjson(w, all)
	case BankThreatExchange:
		err = out.threatExchange(w, all)
	case BankTAT:
		err = out.tat(w, all)
	case BankSTIX:
		err = out.stix(w, all)
	case BankMISP:
		err = out.misp(w, all)
	default:
		err = fmt.Errorf("%q is no form of a bank; the forms are %v", f, BankFormats)
	}
	return page, err
}

// filled gives the entries with what they take from their bank.
func (out *bankWriter) filled(entries iter.Seq2[SharedEntry, error]) iter.Seq2[SharedEntry, error] {
	b := out.bank
	return func(yield func(SharedEntry, error) bool) {
		for e, err := range entries {
			e.Handling = cmp.Or(e.Handling, b.Handling)
			p := &e.Provenance
			p.Owner, p.Source = cmp.Or(p.Owner, string(b.Authority)), cmp.Or(p.Source, b.Source)
			p.Purpose, p.LegalBasis = cmp.Or(p.Purpose, b.Purpose), cmp.Or(p.LegalBasis, b.LegalBasis)
			e.Gone = e.Gone || !e.EndedAt.IsZero()
			e.UpdatedAt = firstTime(e.UpdatedAt, e.ChangedAt, e.EndedAt, e.AddedAt).UTC()
			if b.Exercise {
				e.Labels = append(slices.Clone(e.Labels), "EXERCISE")
			}
			e.Name, e.Labels = shown(e.Name), labelsKept(e.Labels)
			if err == nil {
				out.page.Entries++
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

// firstTime is the first of them that is one.
func firstTime(times ...time.Time) time.Time {
	for _, t := range times {
		if !t.IsZero() {
			return t
		}
	}
	return time.Time{}
}

// id is what holders know an entry by.
func (e *SharedEntry) id() string { return cmp.Or(e.Ref, e.SourceID) }

// number is what holders know an entry by where ids are numbers.
func (e *SharedEntry) number() string {
	if e.N > 0 {
		return strconv.FormatInt(e.N, 10)
	}
	return e.id()
}

// stamp is a time as RFC 3339, "" for none.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}
