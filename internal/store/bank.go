package store

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"concert"
)

// sealedBank is what of a bank stands under its own key.
type sealedBank struct {
	Purpose    string   `json:"purpose"`
	LegalBasis string   `json:"legal_basis"`
	Labels     []string `json:"labels,omitempty"`
}

// sealedEntry is what of an entry stands under its bank's key.
type sealedEntry struct {
	Name   string   `json:"name,omitempty"`
	Labels []string `json:"labels,omitempty"`
	Note   string   `json:"note,omitempty"`
}

// numbers takes k neighbouring numbers of a row of them, from 1 on. Who takes some
// waits for who took the ones before.
func (tx *Tx) numbers(ctx context.Context, name string, k int) (first int64, err error) {
	if _, err := tx.exec(ctx, "INSERT INTO running_number (name, next) VALUES (?, 1) ON CONFLICT (name) DO NOTHING", name); err != nil {
		return 0, fmt.Errorf("number of a %s: %w", name, err)
	}
	if err := tx.row(ctx, "UPDATE running_number SET next = next + ? WHERE name = ? RETURNING next", k, name).Scan(&first); err != nil {
		return 0, fmt.Errorf("number of a %s: %w", name, err)
	}
	return first - int64(k), nil
}

const bankCols = "b.id, b.n, b.ref, b.authority, b.name, b.source, b.radius, b.handling, b.open_to, b.ratio, b.negative, b.expires_at, b.closed_at, b.created_by, b.created_at, b.exercise, b.version"

func scanBank(r rowScanner, more ...any) (concert.Bank, error) {
	var b concert.Bank
	var open string
	var expires, closed, created int64
	err := r.Scan(append([]any{&b.ID, &b.N, &b.Ref, &b.Authority, &b.Name, &b.Source, &b.Radius, &b.Handling, &open, &b.Ratio, &b.Negative, &expires, &closed, &b.CreatedBy, &created, &b.Exercise, &b.Version}, more...)...)
	for d := range strings.FieldsSeq(open) {
		b.OpenTo = append(b.OpenTo, concert.Destination(d))
	}
	b.ExpiresAt, b.ClosedAt, b.CreatedAt = concert.FromMicros(expires), concert.FromMicros(closed), concert.FromMicros(created)
	return b, err
}

func openTo(b concert.Bank) string {
	var to []string
	for _, d := range b.OpenTo {
		to = append(to, string(d))
	}
	return strings.Join(to, " ")
}

// AddBank writes a new bank and gives it its number.
func (tx *Tx) AddBank(ctx context.Context, b concert.Bank) (concert.Bank, error) {
	tx.touch("bank")
	if err := tx.newSubjects(ctx, string(b.ID)); err != nil {
		return b, err
	}
	sealed, err := tx.seal(ctx, string(b.ID), "bank", sealedBank{b.Purpose, b.LegalBasis, b.Labels})
	if err != nil {
		return b, err
	}
	if b.N, err = tx.numbers(ctx, "bank", 1); err != nil {
		return b, err
	}
	seq, err := tx.bankChange(ctx)
	if err != nil {
		return b, err
	}
	_, err = tx.insert(ctx, "bank", "id, n, ref, authority, name, sealed, source, radius, handling, open_to, ratio, negative, expires_at, closed_at, created_by, created_at, seq, exercise, version",
		[][]any{{string(b.ID), b.N, b.Ref, string(b.Authority), b.Name, sealed, b.Source, b.Radius, string(b.Handling), openTo(b), b.Ratio, flag(b.Negative), concert.Micros(b.ExpiresAt), concert.Micros(b.ClosedAt), string(b.CreatedBy), concert.Micros(b.CreatedAt), seq, flag(b.Exercise), 1}}, "")
	return b, err
}

// SaveBank writes a changed bank back.
func (tx *Tx) SaveBank(ctx context.Context, b concert.Bank) error {
	tx.touch("bank")
	sealed, err := tx.seal(ctx, string(b.ID), "bank", sealedBank{b.Purpose, b.LegalBasis, b.Labels})
	if err != nil {
		return err
	}
	seq, err := tx.bankChange(ctx)
	if err != nil {
		return err
	}
	if _, err := tx.exec(ctx, "UPDATE bank SET sealed = ? WHERE id = ? AND version = ?", sealed, string(b.ID), b.Version); err != nil {
		return fmt.Errorf("update bank: %w", err)
	}
	return tx.update(ctx, "bank", []typed{{"radius", "BIGINT"}, {"handling", "TEXT"}, {"open_to", "TEXT"}, {"ratio", "BIGINT"}, {"negative", "BIGINT"}, {"expires_at", "BIGINT"}, {"closed_at", "BIGINT"}, {"seq", "BIGINT"}},
		[][]any{{string(b.ID), b.Version, b.Radius, string(b.Handling), openTo(b), b.Ratio, flag(b.Negative), concert.Micros(b.ExpiresAt), concert.Micros(b.ClosedAt), seq}})
}

// bankChange is the number of this act's change of banks and their entries.
func (tx *Tx) bankChange(ctx context.Context) (int64, error) {
	return tx.numbers(ctx, "bank_change", 1)
}

// BankStamp is the number of the last change of banks and their entries: what a
// node knows up to it, it knows whole.
func (tx *Tx) BankStamp(ctx context.Context) (seq int64, err error) {
	err = tx.row(ctx, "SELECT next - 1 FROM running_number WHERE name = 'bank_change'").Scan(&seq)
	if errors.Is(err, concert.ErrNotFound) {
		return 0, nil
	}
	return seq, err
}

// Bank is one, by reference or id, with what is sealed.
func (tx *Tx) Bank(ctx context.Context, ref string) (concert.Bank, error) {
	var sealed []byte
	b, err := scanBank(tx.row(ctx, "SELECT "+bankCols+", b.sealed FROM bank b WHERE b.ref = ? OR b.id = ?", ref, ref), &sealed)
	if err != nil {
		return b, err
	}
	return tx.openBank(ctx, b, sealed)
}

func (tx *Tx) openBank(ctx context.Context, b concert.Bank, sealed []byte) (concert.Bank, error) {
	var s sealedBank
	err := tx.open(ctx, string(b.ID), "bank", sealed, &s)
	b.Purpose, b.LegalBasis, b.Labels = s.Purpose, s.LegalBasis, s.Labels
	return b, err
}

// BareBanks are all banks of the house without what is sealed, in the order in
// which they came to be: which of them a person may know of is the caller's to say.
func (tx *Tx) BareBanks(ctx context.Context) ([]concert.Bank, error) {
	return list(ctx, tx, func(r rowScanner) (concert.Bank, error) { return scanBank(r) }, "SELECT "+bankCols+" FROM bank b ORDER BY b.n")
}

// BankCount is how many entries of a bank stand where.
type BankCount struct{ Matching, Quarantined, Ended int }

// BankCounts counts the entries of a bank.
func (tx *Tx) BankCounts(ctx context.Context, id concert.BankID) (c BankCount, err error) {
	err = tx.row(ctx, "SELECT coalesce(sum(CASE WHEN ended_at = 0 AND quarantined_at = 0 THEN 1 ELSE 0 END), 0), coalesce(sum(CASE WHEN ended_at = 0 AND quarantined_at > 0 THEN 1 ELSE 0 END), 0), coalesce(sum(CASE WHEN ended_at > 0 THEN 1 ELSE 0 END), 0) FROM bank_entry WHERE bank = ?",
		string(id)).Scan(&c.Matching, &c.Quarantined, &c.Ended)
	return c, err
}

const entryCols = "e.n, e.ref, e.bank, e.source_id, e.handling, e.opinion, e.item, e.added_by, e.added_at, e.expires_at, e.ended_at, e.ended_code, e.quarantined_at, e.cleared, e.changed_at, e.version, e.sealed"

func scanEntry(r rowScanner, more ...any) (concert.BankEntry, []byte, error) {
	var e concert.BankEntry
	var sealed []byte
	var added, expires, ended, quarantined, changed int64
	err := r.Scan(append([]any{&e.N, &e.Ref, &e.Bank, &e.SourceID, &e.Handling, &e.Opinion, &e.Item, &e.AddedBy, &added, &expires, &ended, &e.End, &quarantined, &e.Cleared, &changed, &e.Version, &sealed}, more...)...)
	e.AddedAt, e.ExpiresAt, e.EndedAt, e.QuarantinedAt, e.ChangedAt = concert.FromMicros(added), concert.FromMicros(expires), concert.FromMicros(ended), concert.FromMicros(quarantined), concert.FromMicros(changed)
	return e, sealed, err
}

// entryID is the id by which entries are updated like other versioned rows.
func entryID(n int64) string { return fmt.Sprintf("%016x", n) }

// AddEntries writes new entries of one bank with their hashes, and gives them
// their numbers.
func (tx *Tx) AddEntries(ctx context.Context, b concert.Bank, es []concert.BankEntry) ([]concert.BankEntry, error) {
	if len(es) == 0 {
		return nil, nil
	}
	tx.touch("bank_entry")
	first, err := tx.numbers(ctx, "bank_entry", len(es))
	if err != nil {
		return nil, err
	}
	seq, err := tx.bankChange(ctx)
	if err != nil {
		return nil, err
	}
	es = slices.Clone(es)
	rows := make([][]any, len(es))
	var hashes [][]any
	for i := range es {
		e := &es[i]
		e.N, e.Version = first+int64(i), 1
		var sealed []byte
		if e.Name != "" || e.Note != "" || len(e.Labels) > 0 {
			if sealed, err = tx.seal(ctx, string(b.ID), "entry "+entryID(e.N), sealedEntry{e.Name, e.Labels, e.Note}); err != nil {
				return nil, err
			}
		}
		rows[i] = []any{e.N, entryID(e.N), e.Ref, string(e.Bank), e.SourceID, sealed, string(e.Handling), string(e.Opinion), string(e.Stands()), string(e.Item), string(e.AddedBy), concert.Micros(e.AddedAt), concert.Micros(e.ExpiresAt), concert.Micros(e.EndedAt), string(e.End), concert.Micros(e.QuarantinedAt), flag(e.Cleared), 0, concert.Micros(e.ChangedAt), seq, 1}
		of, err := hashRows(*e)
		if err != nil {
			return nil, err
		}
		hashes = append(hashes, of...)
	}
	if _, err := tx.insert(ctx, "bank_entry", "n, id, ref, bank, source_id, sealed, handling, opinion, stands, item, added_by, added_at, expires_at, ended_at, ended_code, quarantined_at, cleared, looked_back_at, changed_at, seq, version", rows, ""); err != nil {
		return nil, err
	}
	_, err = tx.insert(ctx, "bank_hash", "entry, k, kind, value, quality, at_ms", hashes, "")
	return es, err
}

// hashRows are an entry's hashes as rows; each frame of a video is one.
func hashRows(e concert.BankEntry) (rows [][]any, err error) {
	k := 0
	put := func(kind concert.HashKind, value []byte, quality int, seconds float64) {
		rows = append(rows, []any{e.N, k, string(kind), value, quality, int64(seconds * 1000)})
		k++
	}
	for _, h := range e.Hashes {
		switch h.Kind {
		case concert.HashVPDQ:
			for _, f := range h.Frames {
				put(h.Kind, f.PDQ[:], f.Quality, f.Seconds)
			}
		case concert.HashPDQ, concert.HashSHA256, concert.HashSHA1, concert.HashMD5, concert.HashSHA512:
			raw, err := hex.DecodeString(h.Value)
			if err != nil {
				return nil, fmt.Errorf("hash of entry %s: %w", e.Ref, err)
			}
			put(h.Kind, raw, h.Quality, 0)
		default:
			put(h.Kind, []byte(h.Value), h.Quality, 0)
		}
	}
	return rows, nil
}

// SaveEntries writes back what happened to entries.
func (tx *Tx) SaveEntries(ctx context.Context, es []concert.BankEntry) error {
	if len(es) == 0 {
		return nil
	}
	tx.touch("bank_entry")
	seq, err := tx.bankChange(ctx)
	if err != nil {
		return err
	}
	rows := make([][]any, len(es))
	for i, e := range es {
		rows[i] = []any{entryID(e.N), e.Version, string(e.Stands()), concert.Micros(e.EndedAt), string(e.End), concert.Micros(e.QuarantinedAt), flag(e.Cleared), concert.Micros(e.ChangedAt), seq}
	}
	return tx.update(ctx, "bank_entry", []typed{{"stands", "TEXT"}, {"ended_at", "BIGINT"}, {"ended_code", "TEXT"}, {"quarantined_at", "BIGINT"}, {"cleared", "BIGINT"}, {"changed_at", "BIGINT"}, {"seq", "BIGINT"}}, rows)
}

// SetOpinion writes what an authority thinks of an entry.
func (tx *Tx) SetOpinion(ctx context.Context, n int64, o concert.EntryOpinion) error {
	tx.touch("bank_opinion")
	_, err := tx.insert(ctx, "bank_opinion", "entry, authority, person, opinion, at", [][]any{{n, string(o.Authority), string(o.Person), string(o.Opinion), concert.Micros(o.At)}},
		"ON CONFLICT (entry, authority) DO UPDATE SET person = excluded.person, opinion = excluded.opinion, at = excluded.at")
	return err
}

// EntryFilter narrows a list of a bank's entries.
type EntryFilter struct {
	Bank        concert.BankID
	Quarantined bool // only those in quarantine
	Ended       bool // those that ended, too
	Before      int64
	Limit       int
}

// Entries are a page of a bank's entries with their hashes and opinions, the
// newest first.
func (tx *Tx) Entries(ctx context.Context, f EntryFilter) ([]concert.BankEntry, error) {
	where, args := "e.bank = ?", []any{string(f.Bank)}
	if f.Quarantined {
		where += " AND e.quarantined_at > 0"
	}
	if !f.Ended {
		where += " AND e.ended_at = 0"
	}
	if f.Before > 0 {
		where += " AND e.n < ?"
		args = append(args, f.Before)
	}
	return tx.entries(ctx, where+" ORDER BY e.n DESC LIMIT ?", append(args, min(max(f.Limit, 1), 1000))...)
}

// BankPlace is a place in the order in which entries changed.
type BankPlace struct {
	Seq int64 // number of the change
	N   int64 // of the entry
}

// EntriesAfter are entries of a bank in the order in which they changed, ended ones
// among them: what a holder has not seen yet. next is the place of the last.
func (tx *Tx) EntriesAfter(ctx context.Context, bank concert.BankID, at BankPlace, limit int) (es []concert.BankEntry, next BankPlace, err error) {
	places, err := list(ctx, tx, func(r rowScanner) (p BankPlace, err error) { return p, r.Scan(&p.Seq, &p.N) },
		"SELECT seq, n FROM bank_entry WHERE bank = ? AND (seq, n) > (?, ?) ORDER BY seq, n LIMIT ?", string(bank), at.Seq, at.N, min(max(limit, 1), 1000))
	if err != nil || len(places) == 0 {
		return nil, at, err
	}
	ns := make([]int64, len(places))
	for i, p := range places {
		ns[i] = p.N
	}
	byN, err := tx.EntriesByN(ctx, ns)
	for _, n := range ns {
		es = append(es, byN[n])
	}
	return es, places[len(places)-1], err
}

// EntryByRef is one entry by its reference or, in digits, its number.
func (tx *Tx) EntryByRef(ctx context.Context, ref string) (concert.BankEntry, error) {
	es, err := tx.entries(ctx, "e.ref = ?", ref)
	if err == nil && len(es) == 0 {
		err = concert.ErrNotFound
	}
	if err != nil {
		return concert.BankEntry{}, err
	}
	return es[0], nil
}

// EntriesByN are entries by their numbers, as far as they are there.
func (tx *Tx) EntriesByN(ctx context.Context, ns []int64) (map[int64]concert.BankEntry, error) {
	out := map[int64]concert.BankEntry{}
	for len(ns) > 0 {
		k := chunk(len(ns), 1)
		es, err := tx.entries(ctx, "e.n IN (?"+repeat(",?", k-1)+")", anys(ns[:k])...)
		if err != nil {
			return nil, err
		}
		for _, e := range es {
			out[e.N] = e
		}
		ns = ns[k:]
	}
	return out, nil
}

// EntriesBySource are a bank's entries by what their source calls them.
func (tx *Tx) EntriesBySource(ctx context.Context, bank concert.BankID, ids []string) (map[string]concert.BankEntry, error) {
	out := map[string]concert.BankEntry{}
	for len(ids) > 0 {
		k := chunk(len(ids), 1)
		es, err := tx.entries(ctx, "e.bank = ? AND e.source_id IN (?"+repeat(",?", k-1)+")", append([]any{string(bank)}, anys(ids[:k])...)...)
		if err != nil {
			return nil, err
		}
		for _, e := range es {
			out[e.SourceID] = e
		}
		ids = ids[k:]
	}
	return out, nil
}

// EntriesOf are the entries that were made of an item.
func (tx *Tx) EntriesOf(ctx context.Context, item concert.ItemID) ([]concert.BankEntry, error) {
	return tx.entries(ctx, "e.item = ? AND e.item <> '' ORDER BY e.n", string(item))
}

// ExpiredEntries are entries whose time is over and that have not ended yet.
func (tx *Tx) ExpiredEntries(ctx context.Context, now time.Time, limit int) ([]concert.BankEntry, error) {
	return tx.entries(ctx, "e.expires_at > 0 AND e.ended_at = 0 AND e.expires_at <= ? ORDER BY e.expires_at LIMIT ?", concert.Micros(now), limit)
}

// EntriesToLookBack are entries that nothing seen before was compared with yet.
func (tx *Tx) EntriesToLookBack(ctx context.Context, limit int) ([]concert.BankEntry, error) {
	return tx.entries(ctx, "e.looked_back_at = 0 ORDER BY e.n LIMIT ?", limit)
}

// LookedBack notes that what was seen before was compared with the entries.
func (tx *Tx) LookedBack(ctx context.Context, ns []int64, at time.Time) error {
	for len(ns) > 0 {
		k := chunk(len(ns), 1)
		if _, err := tx.exec(ctx, "UPDATE bank_entry SET looked_back_at = ? WHERE n IN (?"+repeat(",?", k-1)+")", append([]any{concert.Micros(at)}, anys(ns[:k])...)...); err != nil {
			return fmt.Errorf("looked back: %w", err)
		}
		ns = ns[k:]
	}
	return nil
}

// LookBackAgain lets what was seen before be compared with the entry once more.
func (tx *Tx) LookBackAgain(ctx context.Context, n int64) error {
	_, err := tx.exec(ctx, "UPDATE bank_entry SET looked_back_at = 0 WHERE n = ?", n)
	return err
}

// EntryHandlings are the handling codes of their own that a bank's entries carry.
func (tx *Tx) EntryHandlings(ctx context.Context, id concert.BankID) ([]concert.Handling, error) {
	return list(ctx, tx, func(r rowScanner) (h concert.Handling, err error) { return h, r.Scan(&h) }, "SELECT DISTINCT handling FROM bank_entry WHERE bank = ? AND handling <> '' AND ended_at = 0", string(id))
}

// BankLast is the number of the last change of a bank's entries.
func (tx *Tx) BankLast(ctx context.Context, id concert.BankID) (seq int64, err error) {
	err = tx.row(ctx, "SELECT coalesce(max(seq), 0) FROM bank_entry WHERE bank = ?", string(id)).Scan(&seq)
	return seq, err
}

func (tx *Tx) entries(ctx context.Context, where string, args ...any) ([]concert.BankEntry, error) {
	type row struct {
		e      concert.BankEntry
		sealed []byte
	}
	rows, err := list(ctx, tx, func(r rowScanner) (x row, err error) {
		x.e, x.sealed, err = scanEntry(r)
		return x, err
	}, "SELECT "+entryCols+" FROM bank_entry e WHERE "+where, args...)
	if err != nil {
		return nil, fmt.Errorf("entries of banks: %w", err)
	}
	out := make([]concert.BankEntry, len(rows))
	at := make(map[int64]int, len(rows))
	ns := make([]any, len(rows))
	for i, x := range rows {
		var s sealedEntry
		if err := tx.open(ctx, string(x.e.Bank), "entry "+entryID(x.e.N), x.sealed, &s); err != nil {
			return nil, err
		}
		x.e.Name, x.e.Labels, x.e.Note = s.Name, s.Labels, s.Note
		out[i], at[x.e.N], ns[i] = x.e, i, x.e.N
	}
	if err := tx.hashesOf(ctx, out, at, ns); err != nil {
		return nil, err
	}
	_, err = in(ctx, tx, func(r rowScanner) (struct{}, error) {
		var n, us int64
		var o concert.EntryOpinion
		err := r.Scan(&n, &o.Authority, &o.Person, &o.Opinion, &us)
		o.At = concert.FromMicros(us)
		out[at[n]].Said = append(out[at[n]].Said, o)
		return struct{}{}, err
	}, "SELECT entry, authority, person, opinion, at FROM bank_opinion WHERE entry IN (%s) ORDER BY entry, at", ns)
	return out, err
}

func (tx *Tx) hashesOf(ctx context.Context, out []concert.BankEntry, at map[int64]int, ns []any) error {
	_, err := in(ctx, tx, func(r rowScanner) (struct{}, error) {
		var n, ms int64
		var kind concert.HashKind
		var value []byte
		var quality int
		if err := r.Scan(&n, &kind, &value, &quality, &ms); err != nil {
			return struct{}{}, err
		}
		e := &out[at[n]]
		switch last := len(e.Hashes) - 1; {
		case kind != concert.HashVPDQ:
			e.Hashes = append(e.Hashes, concert.KnownHash{Kind: kind, Value: hashText(kind, value), Quality: quality})
		default:
			if last < 0 || e.Hashes[last].Kind != concert.HashVPDQ {
				e.Hashes = append(e.Hashes, concert.KnownHash{Kind: kind, Quality: -1})
				last++
			}
			e.Hashes[last].Frames = append(e.Hashes[last].Frames, concert.KnownFrame{PDQ: place(value), Quality: quality, Seconds: float64(ms) / 1000})
		}
		return struct{}{}, nil
	}, "SELECT entry, kind, value, quality, at_ms FROM bank_hash WHERE entry IN (%s) ORDER BY entry, k", ns)
	if err != nil {
		return fmt.Errorf("hashes of entries: %w", err)
	}
	return nil
}

func hashText(kind concert.HashKind, value []byte) string {
	switch kind {
	case concert.HashTMK, concert.HashTLSH, concert.HashPhotoDNA:
		return string(value)
	}
	return hex.EncodeToString(value)
}

// DigestHit is an entry with the same digest of bytes.
type DigestHit struct {
	Entry int64
	Bank  int64 // its number
}

// EntriesWithDigest are the entries that may match with one of the digests, of
// SHA-256, SHA-1 or MD5 in hexadecimal. Which banks answer is the caller's to say.
func (tx *Tx) EntriesWithDigest(ctx context.Context, digests ...string) ([]DigestHit, error) {
	var values []any
	for _, d := range digests {
		raw, err := hex.DecodeString(d)
		if err != nil {
			return nil, fmt.Errorf("digest: %w", err)
		}
		values = append(values, raw)
	}
	return in(ctx, tx, func(r rowScanner) (h DigestHit, err error) { return h, r.Scan(&h.Entry, &h.Bank) },
		"SELECT DISTINCT e.n, b.n FROM bank_hash h JOIN bank_entry e ON e.n = h.entry JOIN bank b ON b.id = e.bank WHERE h.kind IN ('sha256', 'sha1', 'md5') AND h.value IN (%s) AND e.ended_at = 0 AND e.quarantined_at = 0 AND e.stands <> 'negative'", values)
}

// IndexedHash is a hash that the index of nearness holds: the K-th of an entry.
type IndexedHash struct {
	Entry   int64
	K       int
	Bank    int64
	Hash    [32]byte
	Matches bool
}

const indexedCols = "SELECT h.entry, h.k, b.n, h.value, CASE WHEN e.ended_at = 0 AND e.quarantined_at = 0 AND e.stands <> 'negative' THEN 1 ELSE 0 END FROM bank_entry e JOIN bank b ON b.id = e.bank JOIN bank_hash h ON h.entry = e.n WHERE h.kind IN ('pdq', 'vpdq') AND (h.quality < 0 OR h.quality >= ?)"

func scanIndexed(r rowScanner) (h IndexedHash, err error) {
	var value []byte
	err = r.Scan(&h.Entry, &h.K, &h.Bank, &value, &h.Matches)
	h.Hash = place(value)
	return h, err
}

// AllIndexed yields every hash that may match, of quality least or more, in the
// order of entries. It reads one snapshot to its end.
func (tx *Tx) AllIndexed(ctx context.Context, least int) iter.Seq2[IndexedHash, error] {
	return func(yield func(IndexedHash, error) bool) {
		rows, err := tx.query(ctx, indexedCols+" AND e.ended_at = 0 AND e.quarantined_at = 0 AND e.stands <> 'negative' ORDER BY h.entry, h.k", least)
		if err != nil {
			yield(IndexedHash{}, err)
			return
		}
		defer rows.Close()
		for rows.Next() {
			h, err := scanIndexed(rows)
			if !yield(h, err) || err != nil {
				return
			}
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			yield(IndexedHash{}, err)
		}
	}
}

// IndexedSince are the hashes of the entries that changed after a place, in the
// order of entries, with whether they still match, of limit entries at most. next
// is the place of the last, and more whether there may be some behind it.
func (tx *Tx) IndexedSince(ctx context.Context, least int, at BankPlace, limit int) (hs []IndexedHash, next BankPlace, more bool, err error) {
	// One bound on both, or SQLite goes through all that came before.
	changed, err := list(ctx, tx, func(r rowScanner) (p BankPlace, err error) { return p, r.Scan(&p.Seq, &p.N) },
		"SELECT seq, n FROM bank_entry WHERE (seq, n) > (?, ?) ORDER BY seq, n LIMIT ?", at.Seq, at.N, limit)
	if err != nil || len(changed) == 0 {
		return nil, at, false, err
	}
	ns := make([]any, len(changed))
	for i, p := range changed {
		ns[i] = p.N
	}
	for len(ns) > 0 {
		k := chunk(len(ns), 1)
		part, err := list(ctx, tx, scanIndexed, indexedCols+" AND h.entry IN (?"+repeat(",?", k-1)+")", append([]any{least}, ns[:k]...)...)
		if err != nil {
			return nil, at, false, err
		}
		hs, ns = append(hs, part...), ns[k:]
	}
	slices.SortFunc(hs, func(a, b IndexedHash) int { return cmp.Or(cmp.Compare(a.Entry, b.Entry), cmp.Compare(a.K, b.K)) })
	return hs, changed[len(changed)-1], len(changed) == limit, nil
}

// Holder is who takes a bank's entries, and how far it has come.
type Holder struct {
	Party   string // "authority:…" or "provider:…", an id
	Upto    int64  // number of the last change that it was given
	Entries int
	At      time.Time
}

// SetHolder notes how far a holder has come with a bank. It is no change of the
// case: nothing is recorded.
func (tx *Tx) SetHolder(ctx context.Context, bank concert.BankID, h Holder) error {
	_, err := tx.insert(ctx, "bank_holder", "bank, party, upto, entries, at", [][]any{{string(bank), h.Party, h.Upto, h.Entries, concert.Micros(h.At)}},
		"ON CONFLICT (bank, party) DO UPDATE SET upto = CASE WHEN excluded.upto > bank_holder.upto THEN excluded.upto ELSE bank_holder.upto END, entries = bank_holder.entries + excluded.entries, at = excluded.at")
	return err
}

// IsHolder reports whether somebody took entries of a bank.
func (tx *Tx) IsHolder(ctx context.Context, bank concert.BankID, party string) (bool, error) {
	var n int
	err := tx.row(ctx, "SELECT count(*) FROM bank_holder WHERE bank = ? AND party = ?", string(bank), party).Scan(&n)
	return n > 0, err
}

// BankChanged is the number of the last change of a bank itself.
func (tx *Tx) BankChanged(ctx context.Context, id concert.BankID) (seq int64, err error) {
	err = tx.row(ctx, "SELECT seq FROM bank WHERE id = ?", string(id)).Scan(&seq)
	return seq, err
}

// Holders are who took entries of a bank, who is furthest behind first.
func (tx *Tx) Holders(ctx context.Context, bank concert.BankID) ([]Holder, error) {
	return list(ctx, tx, func(r rowScanner) (h Holder, err error) {
		var at int64
		err = r.Scan(&h.Party, &h.Upto, &h.Entries, &at)
		h.At = concert.FromMicros(at)
		return h, err
	}, "SELECT party, upto, entries, at FROM bank_holder WHERE bank = ? ORDER BY upto, party", string(bank))
}
