package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"concert"
)

// sealedPrint is what of a print stands under its item's key.
type sealedPrint struct {
	PDQ     []byte             `json:"pdq,omitempty"`
	Quality int                `json:"quality,omitempty"`
	Frames  []sealedKnownFrame `json:"frames,omitempty"`
	Sketch  []byte             `json:"sketch,omitempty"`
	SHA256  string             `json:"sha256,omitempty"`
	SHA1    string             `json:"sha1,omitempty"`
	MD5     string             `json:"md5,omitempty"`
	Trouble string             `json:"trouble,omitempty"`
}

type sealedKnownFrame struct {
	PDQ     []byte  `json:"p"`
	Quality int     `json:"q"`
	Seconds float64 `json:"s"`
}

func printOf(p concert.Print) sealedPrint {
	s := sealedPrint{Quality: p.Quality, Sketch: p.Sketch, SHA256: p.SHA256, SHA1: p.SHA1, MD5: p.MD5, Trouble: p.Trouble}
	if p.Kind == concert.PrintPicture {
		s.PDQ = p.PDQ[:]
	}
	for _, f := range p.Frames {
		s.Frames = append(s.Frames, sealedKnownFrame{f.PDQ[:], f.Quality, f.Seconds})
	}
	return s
}

func (s sealedPrint) into(p *concert.Print) {
	p.PDQ, p.Quality, p.Sketch, p.SHA256, p.SHA1, p.MD5, p.Trouble = place(s.PDQ), s.Quality, s.Sketch, s.SHA256, s.SHA1, s.MD5, s.Trouble
	for _, f := range s.Frames {
		p.Frames = append(p.Frames, concert.KnownFrame{PDQ: place(f.PDQ), Quality: f.Quality, Seconds: f.Seconds})
	}
}

// Unprinted is a capture whose content was not compared with anything yet.
type Unprinted struct {
	concert.Capture
	Bytes string // equal for equal bytes of one authority
}

// Unprinted are captures that nothing was made of yet, the oldest first.
func (tx *Tx) Unprinted(ctx context.Context, limit int) ([]Unprinted, error) {
	type row struct {
		u               Unprinted
		sealed, wrapped []byte
	}
	rows, err := list(ctx, tx, func(r rowScanner) (x row, err error) {
		x.u.Capture, err = scanCapture(r, &x.u.Bytes, &x.sealed, &x.wrapped)
		return x, err
	}, "SELECT "+captureCols+", c.bytes, c.sealed, k.wrapped FROM capture c LEFT JOIN "+keyTable+" k ON k.subject = c.item WHERE c.printed_at = 0 AND c.erased_at = 0 ORDER BY c.id LIMIT ?", limit)
	if err != nil {
		return nil, fmt.Errorf("captures without a print: %w", err)
	}
	out := make([]Unprinted, len(rows))
	for i, x := range rows {
		if err := tx.knowKey(string(x.u.Item), x.wrapped); err != nil {
			return nil, err
		}
		var t concert.CaptureText
		if err := tx.open(ctx, string(x.u.Item), "capture", x.sealed, &t); err != nil {
			return nil, err
		}
		out[i] = x.u
		out[i].SHA256 = t.SHA256
	}
	return out, nil
}

// Unrecognised reports whether a capture or an entry waits to be compared.
func (tx *Tx) Unrecognised(ctx context.Context) (bool, error) {
	var n int
	err := tx.row(ctx, "SELECT (SELECT count(*) FROM (SELECT 1 FROM capture WHERE printed_at = 0 AND erased_at = 0 LIMIT 1) c) + (SELECT count(*) FROM (SELECT 1 FROM bank_entry WHERE looked_back_at = 0 LIMIT 1) e)").Scan(&n)
	return n > 0, err
}

// Printed notes that prints of the captures were made, or could not be.
func (tx *Tx) Printed(ctx context.Context, ids []concert.CaptureID, at time.Time) error {
	all := strs(ids)
	for len(all) > 0 {
		k := chunk(len(all), 1)
		if _, err := tx.exec(ctx, "UPDATE capture SET printed_at = ? WHERE id IN (?"+repeat(",?", k-1)+")", append([]any{concert.Micros(at)}, anys(all[:k])...)...); err != nil {
			return fmt.Errorf("captures with prints: %w", err)
		}
		all = all[k:]
	}
	return nil
}

// AddPrints writes prints under their items' keys and gives them their numbers;
// what belongs to an erased item is left out. Nobody's case changes by it.
func (tx *Tx) AddPrints(ctx context.Context, ps []concert.Print) ([]concert.Print, error) {
	if len(ps) == 0 {
		return nil, nil
	}
	first, err := tx.numbers(ctx, "print", len(ps))
	if err != nil {
		return nil, err
	}
	var out []concert.Print
	var rows, hints [][]any
	for i, p := range ps {
		if _, there, err := tx.sealer(ctx, string(p.Item)); err != nil {
			return nil, err
		} else if !there {
			continue
		}
		p.N = first + int64(i)
		sealed, err := tx.seal(ctx, string(p.Item), fmt.Sprintf("print %d", p.N), printOf(p))
		if err != nil {
			return nil, err
		}
		out = append(out, p)
		rows = append(rows, []any{p.N, string(p.Item), string(p.Authority), string(p.Capture), string(p.Kind), sealed, concert.Micros(p.At)})
		if p.Language != "" {
			hints = append(hints, []any{string(p.Item), p.Language, p.Script, p.Sure, concert.Micros(p.At)})
		}
	}
	if _, err := tx.insert(ctx, "print", "n, item, authority, capture, kind, sealed, at", rows, ""); err != nil {
		return nil, err
	}
	for _, h := range hints { // one item may have several in one statement
		if _, err := tx.insert(ctx, "language_hint", "item, language, script, sure, at", [][]any{h}, "ON CONFLICT (item) DO UPDATE SET language = excluded.language, script = excluded.script, sure = excluded.sure, at = excluded.at WHERE excluded.sure >= language_hint.sure"); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// DropPrints takes away what was begun with captures and not finished.
func (tx *Tx) DropPrints(ctx context.Context, ids []concert.CaptureID) error {
	for _, id := range ids {
		if _, err := tx.exec(ctx, "DELETE FROM print WHERE capture = ?", string(id)); err != nil {
			return fmt.Errorf("prints begun before: %w", err)
		}
	}
	return nil
}

// digestOf is a keyed digest of bytes by one of theirs: no list of hashes can be
// compared with the table.
func (db *DB) digestOf(digest string) []byte {
	d := keyed(db.Keys.Derive("digests of prints"), []byte(digest))
	return d[:16]
}

// AddDigests writes by which digests an item's bytes are found again.
func (tx *Tx) AddDigests(ctx context.Context, ps []concert.Print) error {
	var rows [][]any
	for _, p := range ps {
		for _, d := range []string{p.SHA256, p.SHA1, p.MD5} {
			if d != "" {
				rows = append(rows, []any{tx.db.digestOf(d), string(p.Item), string(p.Authority)})
			}
		}
	}
	_, err := tx.insert(ctx, "print_digest", "value, item, authority", rows, "ON CONFLICT (value, item, authority) DO NOTHING")
	return err
}

// SameBytes are items whose captures have a digest (SHA-256, SHA-1 or MD5, in
// hexadecimal), and whose captures those are, the oldest first.
type SameBytes struct {
	Item      concert.ItemID
	Authority concert.AuthorityID
}

// ItemsWithDigest are at most limit items with the digest.
func (tx *Tx) ItemsWithDigest(ctx context.Context, digest string, limit int) ([]SameBytes, error) {
	return list(ctx, tx, func(r rowScanner) (s SameBytes, err error) { return s, r.Scan(&s.Item, &s.Authority) },
		"SELECT item, authority FROM print_digest WHERE value = ? ORDER BY item LIMIT ?", tx.db.digestOf(digest), limit)
}

const printCols = "SELECT p.n, p.item, p.authority, p.capture, p.kind, p.at, p.sealed, k.wrapped FROM print p JOIN " + keyTable + " k ON k.subject = p.item WHERE "

// prints are opened prints; those of erased items are not there.
func (tx *Tx) prints(ctx context.Context, where string, args ...any) ([]concert.Print, error) {
	type row struct {
		p               concert.Print
		sealed, wrapped []byte
	}
	rows, err := list(ctx, tx, func(r rowScanner) (x row, err error) {
		var at int64
		err = r.Scan(&x.p.N, &x.p.Item, &x.p.Authority, &x.p.Capture, &x.p.Kind, &at, &x.sealed, &x.wrapped)
		x.p.At = concert.FromMicros(at)
		return x, err
	}, printCols+where, args...)
	if err != nil {
		return nil, fmt.Errorf("prints: %w", err)
	}
	out := make([]concert.Print, len(rows))
	for i, x := range rows {
		if err := tx.knowKey(string(x.p.Item), x.wrapped); err != nil {
			return nil, err
		}
		var s sealedPrint
		if err := tx.open(ctx, string(x.p.Item), fmt.Sprintf("print %d", x.p.N), x.sealed, &s); err != nil {
			return nil, err
		}
		out[i] = x.p
		s.into(&out[i])
	}
	return out, nil
}

// PrintsAfter are the prints that came after a number, in the order of numbers: how
// a node fills its index.
func (tx *Tx) PrintsAfter(ctx context.Context, n int64, limit int) ([]concert.Print, error) {
	return tx.prints(ctx, "p.n > ? ORDER BY p.n LIMIT ?", n, limit)
}

// PrintsByN are prints by their numbers, as far as they are there.
func (tx *Tx) PrintsByN(ctx context.Context, ns []int64) (map[int64]concert.Print, error) {
	out := map[int64]concert.Print{}
	for len(ns) > 0 {
		k := chunk(len(ns), 1)
		ps, err := tx.prints(ctx, "p.n IN (?"+repeat(",?", k-1)+")", anys(ns[:k])...)
		if err != nil {
			return nil, err
		}
		for _, p := range ps {
			out[p.N] = p
		}
		ns = ns[k:]
	}
	return out, nil
}

// PrintsOf are an item's prints of one authority's captures.
func (tx *Tx) PrintsOf(ctx context.Context, item concert.ItemID, a concert.AuthorityID) ([]concert.Print, error) {
	return tx.prints(ctx, "p.item = ? AND p.authority = ? ORDER BY p.n", string(item), string(a))
}

// Pending reports whether a capture of the item waits to be compared.
func (tx *Tx) Pending(ctx context.Context, item concert.ItemID) (bool, error) {
	var n int
	err := tx.row(ctx, "SELECT count(*) FROM capture WHERE item = ? AND printed_at = 0 AND erased_at = 0", string(item)).Scan(&n)
	return n > 0, err
}

// PrintedCaptures are the captures that prints were made of.
func (tx *Tx) PrintedCaptures(ctx context.Context, ns []int64) (map[int64]concert.CaptureID, error) {
	type row struct {
		n int64
		c concert.CaptureID
	}
	got, err := in(ctx, tx, func(r rowScanner) (x row, err error) { return x, r.Scan(&x.n, &x.c) }, "SELECT n, capture FROM print WHERE n IN (%s)", anys(ns))
	out := map[int64]concert.CaptureID{}
	for _, x := range got {
		out[x.n] = x.c
	}
	return out, err
}

const matchCols = "m.ref, m.item, m.authority, m.by_print, m.entry, m.other, m.owner, m.print, m.other_side, m.distance, m.quality, m.turn, m.share_here, m.share_then, m.at, m.said, m.said_by, m.said_at, m.sealed"

func scanMatch(r rowScanner, more ...any) (concert.KnownMatch, []byte, error) {
	var m concert.KnownMatch
	var sealed []byte
	var at, said int64
	err := r.Scan(append([]any{&m.Ref, &m.Item, &m.Authority, &m.By, &m.Entry, &m.Other, &m.Owner, &m.Print, &m.OtherSide, &m.Distance, &m.Quality, &m.Turn, &m.ShareHere, &m.ShareThen, &at, &m.Said, &m.SaidBy, &said, &sealed}, more...)...)
	m.At, m.SaidAt = concert.FromMicros(at), concert.FromMicros(said)
	return m, sealed, err
}

// AddMatches writes what items were found to be like, each pair once for each kind
// of print, and gives those that are new.
func (tx *Tx) AddMatches(ctx context.Context, id func() string, ms []concert.KnownMatch) ([]concert.KnownMatch, error) {
	type pair struct {
		item  concert.ItemID
		of    concert.AuthorityID
		entry int64
		other concert.ItemID
		by    concert.PrintKind
	}
	var items []concert.ItemID
	for _, m := range ms {
		items = append(items, m.Item)
	}
	slices.Sort(items)
	had, err := in(ctx, tx, func(r rowScanner) (p pair, err error) { return p, r.Scan(&p.item, &p.of, &p.entry, &p.other, &p.by) },
		"SELECT item, authority, entry, other, by_print FROM known_match WHERE item IN (%s)", anys(strs(slices.Compact(items))))
	if err != nil {
		return nil, fmt.Errorf("matches that are known: %w", err)
	}
	known := make(map[pair]bool, len(had))
	for _, p := range had {
		known[p] = true
	}
	var fresh []concert.KnownMatch
	var rows [][]any
	for _, m := range ms {
		p := pair{m.Item, m.Authority, m.Entry, m.Other, m.By}
		if _, there, err := tx.sealer(ctx, string(m.Item)); err != nil {
			return nil, err
		} else if !there || known[p] {
			continue
		}
		known[p] = true
		var sealed []byte
		if m.Detail.Here != nil || m.Detail.There != nil || m.Detail.Why != "" || m.Detail.Segments != nil {
			if sealed, err = tx.seal(ctx, string(m.Item), "match "+m.Ref, m.Detail); err != nil {
				return nil, err
			}
		}
		fresh = append(fresh, m)
		rows = append(rows, []any{id(), m.Ref, string(m.Item), string(m.Authority), string(m.By), m.Entry, string(m.Other), string(m.Owner), m.Print, m.OtherSide, m.Distance, m.Quality, m.Turn, m.ShareHere, m.ShareThen, sealed, concert.Micros(m.At), "", "", 0})
	}
	_, err = tx.insert(ctx, "known_match", "id, ref, item, authority, by_print, entry, other, owner, print, other_side, distance, quality, turn, share_here, share_then, sealed, at, said, said_by, said_at", rows, "ON CONFLICT (item, authority, entry, other, by_print) DO NOTHING")
	return fresh, err
}

// MatchesOf are what an item was found to be like, of one authority's captures:
// entries of banks, earlier items, and later ones that were found to be like it.
func (tx *Tx) MatchesOf(ctx context.Context, item concert.ItemID, a concert.AuthorityID) ([]concert.KnownMatch, error) {
	type row struct {
		m               concert.KnownMatch
		sealed, wrapped []byte
	}
	rows, err := list(ctx, tx, func(r rowScanner) (x row, err error) {
		x.m, x.sealed, err = scanMatch(r, &x.wrapped)
		return x, err
	}, "SELECT "+matchCols+", k.wrapped FROM known_match m JOIN "+keyTable+" k ON k.subject = m.item WHERE m.item = ? AND m.authority = ? OR m.other = ? AND m.owner = ? ORDER BY m.id",
		string(item), string(a), string(item), string(a))
	if err != nil {
		return nil, fmt.Errorf("matches of an item: %w", err)
	}
	out := make([]concert.KnownMatch, len(rows))
	for i, x := range rows {
		if err := tx.knowKey(string(x.m.Item), x.wrapped); err != nil {
			return nil, err
		}
		out[i] = x.m
		if err := tx.open(ctx, string(x.m.Item), "match "+x.m.Ref, x.sealed, &out[i].Detail); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// MatchByRef is one match.
func (tx *Tx) MatchByRef(ctx context.Context, ref string) (concert.KnownMatch, error) {
	var wrapped []byte
	m, sealed, err := scanMatch(tx.row(ctx, "SELECT "+matchCols+", k.wrapped FROM known_match m JOIN "+keyTable+" k ON k.subject = m.item WHERE m.ref = ?", ref), &wrapped)
	if err != nil {
		return m, err
	}
	if err := tx.knowKey(string(m.Item), wrapped); err != nil {
		return m, err
	}
	return m, tx.open(ctx, string(m.Item), "match "+m.Ref, sealed, &m.Detail)
}

// SaveMatchWord writes what a person said of a match.
func (tx *Tx) SaveMatchWord(ctx context.Context, m concert.KnownMatch) error {
	tx.touch("known_match")
	_, err := tx.exec(ctx, "UPDATE known_match SET said = ?, said_by = ?, said_at = ? WHERE ref = ?", string(m.Said), string(m.SaidBy), concert.Micros(m.SaidAt), m.Ref)
	return err
}

// ClustersOf are the clusters that items belong to, of works that are copies of one.
func (tx *Tx) ClustersOf(ctx context.Context, items []concert.ItemID) (map[concert.ItemID]string, error) {
	got, err := in(ctx, tx, func(r rowScanner) (s [2]string, err error) { return s, r.Scan(&s[0], &s[1]) }, "SELECT item, cluster FROM item_cluster WHERE item IN (%s)", anys(strs(items)))
	if err != nil {
		return nil, fmt.Errorf("clusters: %w", err)
	}
	out := make(map[concert.ItemID]string, len(got))
	for _, s := range got {
		out[concert.ItemID(s[0])] = s[1]
	}
	return out, nil
}

// JoinCluster puts items into a cluster, and all of the clusters gone with them.
func (tx *Tx) JoinCluster(ctx context.Context, cluster string, items []concert.ItemID, gone []string) error {
	rows := make([][]any, len(items))
	for i, it := range items {
		rows[i] = []any{string(it), cluster}
	}
	for _, old := range gone {
		if _, err := tx.exec(ctx, "UPDATE item_cluster SET cluster = ? WHERE cluster = ?", cluster, old); err != nil {
			return fmt.Errorf("clusters: %w", err)
		}
	}
	_, err := tx.insert(ctx, "item_cluster", "item, cluster", rows, "ON CONFLICT (item) DO UPDATE SET cluster = excluded.cluster")
	return err
}

// AlikePairs are the items of a cluster with what makes them copies of each other.
func (tx *Tx) AlikePairs(ctx context.Context, cluster string) (pairs [][2]concert.ItemID, err error) {
	return list(ctx, tx, func(r rowScanner) (p [2]concert.ItemID, err error) { return p, r.Scan(&p[0], &p[1]) },
		"SELECT m.item, m.other FROM item_cluster l JOIN known_match m ON m.item = l.item WHERE l.cluster = ? AND m.other <> '' AND "+alike, cluster)
}

// ClusterItems are the items of a cluster.
func (tx *Tx) ClusterItems(ctx context.Context, cluster string) ([]concert.ItemID, error) {
	return list(ctx, tx, func(r rowScanner) (id concert.ItemID, err error) { return id, r.Scan(&id) }, "SELECT item FROM item_cluster WHERE cluster = ? ORDER BY item", cluster)
}

// LeaveClusters takes items out of any cluster.
func (tx *Tx) LeaveClusters(ctx context.Context, items []concert.ItemID) error {
	for _, id := range items {
		if _, err := tx.exec(ctx, "DELETE FROM item_cluster WHERE item = ?", string(id)); err != nil {
			return fmt.Errorf("clusters: %w", err)
		}
	}
	return nil
}

// AlikeWaiting are the items of an authority in a cluster, apart from one, that
// wait in a status, the oldest first, and how many there are in all.
func (tx *Tx) AlikeWaiting(ctx context.Context, cluster string, a concert.AuthorityID, status concert.ItemStatus, besides concert.ItemID, limit int) (items []concert.Item, n int, err error) {
	const from = " FROM item_cluster l JOIN item i ON i.id = l.item WHERE l.cluster = ? AND i.status = ? AND i.erased_at = 0 AND i.id <> ? AND EXISTS (SELECT 1 FROM sighting s WHERE s.item = i.id AND s.authority = ?)"
	args := []any{cluster, string(status), string(besides), string(a)}
	if err := tx.row(ctx, "SELECT count(*)"+from, args...).Scan(&n); err != nil || n == 0 {
		return nil, 0, err
	}
	items, err = list(ctx, tx, scanBare, "SELECT "+bareCols+from+" ORDER BY i.id LIMIT ?", append(args, limit)...)
	return items, n, err
}

// Works is how many works are behind the items that were compared: clusters, and
// items that are like no other.
type Works struct {
	Items    int // with a capture that was compared
	Clusters int
	Copies   int // items in clusters
}

// Distinct is the number of works.
func (w Works) Distinct() int { return w.Items - w.Copies + w.Clusters }

// Works counts all authorities' items.
func (tx *Tx) Works(ctx context.Context) (w Works, err error) {
	if err := tx.row(ctx, "SELECT count(*) FROM (SELECT item FROM print UNION SELECT item FROM print_digest) p").Scan(&w.Items); err != nil {
		return w, err
	}
	err = tx.row(ctx, "SELECT count(*), count(DISTINCT cluster) FROM item_cluster").Scan(&w.Copies, &w.Clusters)
	return w, err
}

// LanguageHint is the language that the words of an item's captures seem to be in.
type LanguageHint struct {
	Language, Script string
	Sure             int // thousandths
}

// LanguageHint is the item's; the zero one where nothing is known.
func (tx *Tx) LanguageHint(ctx context.Context, item concert.ItemID) (h LanguageHint, err error) {
	err = tx.row(ctx, "SELECT language, script, sure FROM language_hint WHERE item = ?", string(item)).Scan(&h.Language, &h.Script, &h.Sure)
	if errors.Is(err, concert.ErrNotFound) {
		return LanguageHint{}, nil
	}
	return h, err
}

// PrintsGone are prints that went with their items after a place in the order in
// which they went, and the place of the last.
func (tx *Tx) PrintsGone(ctx context.Context, after int64) (ns []int64, last int64, err error) {
	last = after
	ns, err = list(ctx, tx, func(r rowScanner) (n int64, err error) {
		var seq int64
		err = r.Scan(&n, &seq)
		last = max(last, seq)
		return n, err
	}, "SELECT print, seq FROM print_gone WHERE seq > ? ORDER BY seq", after)
	if err != nil {
		return nil, after, fmt.Errorf("prints of erased items: %w", err)
	}
	return ns, last, nil
}

// ForgetPrintsGone drops what every node knows to be gone since before the time.
func (tx *Tx) ForgetPrintsGone(ctx context.Context, before time.Time) error {
	_, err := tx.exec(ctx, "DELETE FROM print_gone WHERE at < ?", concert.Micros(before))
	return err
}

// noteGone lets every node know which prints go with an item.
func (tx *Tx) noteGone(ctx context.Context, item concert.ItemID) error {
	ns, err := list(ctx, tx, func(r rowScanner) (n int64, err error) { return n, r.Scan(&n) }, "SELECT n FROM print WHERE item = ?", string(item))
	if err != nil || len(ns) == 0 {
		return err
	}
	seq, err := tx.numbers(ctx, "print_gone", 1)
	if err != nil {
		return err
	}
	rows := make([][]any, len(ns))
	for i, n := range ns {
		rows[i] = []any{n, seq, concert.Micros(time.Now())}
	}
	_, err = tx.insert(ctx, "print_gone", "print, seq, at", rows, "ON CONFLICT (print) DO NOTHING")
	return err
}

// erasePrints takes all with it that was made of an item's captures.
func (tx *Tx) erasePrints(ctx context.Context, item concert.ItemID) error {
	if err := tx.noteGone(ctx, item); err != nil {
		return fmt.Errorf("erase prints: %w", err)
	}
	for _, q := range []string{
		"DELETE FROM print WHERE item = ?", "DELETE FROM print_digest WHERE item = ?", "DELETE FROM known_match WHERE item = ?", "DELETE FROM known_match WHERE other = ?", "DELETE FROM item_cluster WHERE item = ?",
		"DELETE FROM language_hint WHERE item = ?", "UPDATE bank_entry SET item = '' WHERE item = ? AND item <> ''",
	} {
		if _, err := tx.exec(ctx, q, string(item)); err != nil {
			return fmt.Errorf("erase prints: %w", err)
		}
	}
	return nil
}
