package casework

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"concert"
	"concert/internal/formats"
	"concert/internal/match"
	"concert/internal/store"
	"concert/pdq"
)

// KnownLook is one hash that is looked up in the banks.
type KnownLook struct {
	Kind    concert.HashKind
	Value   string   // hexadecimal
	Turned  []string // of HashPDQ: the picture turned and mirrored, by pdq.Orientation, in place of Value
	Quality int      // of HashPDQ, 0 to 100; -1 where the asker does not know
}

// AskOptions say which banks are asked, and how far they look.
type AskOptions struct {
	Banks  []string // names as the asker has them (concert.BankNames), or references; nil for all that answer
	Radius int      // bits; -1 for each bank's own, which is the most in any case
	Seed   string   // the same seed has the same banks answer; "" draws
	Whole  bool     // banks that answer a share answer all the same
	Lax    bool     // names of banks that there are not are passed over
}

// NamedHit is an entry that was found, with the name that the asker has for its bank.
type NamedHit struct {
	KnownHit
	Name string
}

// Looked is what became of one look-up.
type Looked struct {
	Outcome concert.LookOutcome
	Why     string // of LookInvalid
	Hits    []NamedHit
}

// bankNames are the banks that answer somebody, by name.
type bankNames struct {
	of map[int64]string
	n  map[string]int64 // by name and by reference
}

// namesFor are the names of the banks that answer the actor. They are made in memory:
// the database is read where an authority is new.
func (s *Service) namesFor(ctx context.Context, k *known, a *asking, by concert.Actor) (*bankNames, error) {
	if n := a.names.Load(); n != nil {
		return n, nil
	}
	banks := make([]concert.Bank, 0, len(a.banks))
	for _, b := range a.banks {
		banks = append(banks, b)
	}
	units := k.units.Load()
	if units == nil || slices.ContainsFunc(banks, func(b concert.Bank) bool { return (*units)[b.Authority] == "" }) {
		fresh := map[concert.AuthorityID]string{}
		err := s.DB.View(ctx, func(tx *store.Tx) error {
			as, err := tx.Authorities(ctx)
			for _, a := range as {
				fresh[a.ID] = a.Unit
			}
			return err
		})
		if err != nil {
			return nil, err
		}
		units = &fresh
		k.units.Store(units)
	}
	n := &bankNames{of: concert.BankNames(by.Authority, banks, *units), n: map[string]int64{}}
	for _, b := range banks {
		n.n[b.Ref] = b.N
	}
	for number, name := range n.of {
		n.n[name] = number
	}
	a.names.Store(n)
	return n, nil
}

// coinOf is the coin, below concert.RatioWhole, that decides which banks answer of
// those that answer a share of questions: always the same one for the same seed, a
// new one for "".
func coinOf(seed string) int {
	if seed == "" {
		return rand.IntN(concert.RatioWhole)
	}
	sum := sha256.Sum256([]byte(seed))
	return int(binary.BigEndian.Uint64(sum[:]) % concert.RatioWhole)
}

// question is the options as the index takes them.
func (o AskOptions) question(names *bankNames) (KnownQuery, error) {
	coin := coinOf(o.Seed)
	q := KnownQuery{Radius: o.Radius, Coin: func() int { return coin }, Whole: o.Whole}
	if o.Banks == nil {
		return q, nil
	}
	q.Banks = []int64{}
	for _, b := range o.Banks {
		n, there := names.n[strings.TrimSpace(b)]
		if there {
			q.Banks = append(q.Banks, n)
		} else if !o.Lax {
			return q, concert.Refuse(concert.Invalid, "known.bank", "banks", "no bank %.70q answers you: leave it out, or see GET /api/v1/banks", b)
		}
	}
	return q, nil
}

// Look looks one hash up in the banks that answer the actor. That of a picture is
// sought in memory; of a digest the database is asked. What it finds decides nothing.
func (s *Service) Look(ctx context.Context, by concert.Actor, l KnownLook, o AskOptions) (Looked, error) {
	ask, err := s.asker(ctx, by, o)
	if err != nil {
		return Looked{}, err
	}
	return ask(l)
}

// asker prepares one question, so that many hashes have the same banks answer.
func (s *Service) asker(ctx context.Context, by concert.Actor, o AskOptions) (func(KnownLook) (Looked, error), error) {
	if err := by.MayAskBanks(); err != nil {
		return nil, err
	}
	k, err := s.knowing()
	if err != nil {
		return nil, err
	}
	now := s.now()
	a := k.forWhom(by, now)
	names, err := s.namesFor(ctx, k, a, by)
	if err != nil {
		return nil, err
	}
	q, err := o.question(names)
	if err != nil {
		return nil, err
	}
	return func(l KnownLook) (Looked, error) {
		var hits []KnownHit
		q := q
		if q.Hashes, err = l.hashes(); err != nil {
			refused, other := refusal(err)
			if other != nil {
				return Looked{}, other
			}
			return Looked{Outcome: concert.LookInvalid, Why: refused.Message}, nil
		}
		switch {
		case l.Kind != concert.HashPDQ:
			hits, err = s.askDigest(ctx, a, l, q)
		case l.Quality >= 0 && l.Quality < pdq.QualityLeast:
			return Looked{Outcome: concert.LookLowQuality}, nil
		default:
			hits, err = k.ask(by, q, now)
		}
		if err != nil || len(hits) == 0 {
			return Looked{Outcome: concert.LookNone}, err
		}
		out := Looked{Outcome: concert.LookFound, Hits: make([]NamedHit, len(hits))}
		for i, h := range hits {
			out.Hits[i] = NamedHit{h, names.of[h.Bank.N]}
		}
		return out, nil
	}, nil
}

// hashes are what of a look-up is sought by nearness, none of a digest.
func (l *KnownLook) hashes() ([]match.Hash, error) {
	texts := l.Turned
	if len(texts) == 0 {
		texts = []string{l.Value}
	}
	switch {
	case !slices.Contains([]concert.HashKind{concert.HashPDQ, concert.HashSHA256, concert.HashSHA1, concert.HashMD5}, l.Kind):
		return nil, concert.Refuse(concert.Invalid, "hash.kind", "kind", "hashes of the kind %.40q are not looked up: the kinds are pdq, sha256, sha1 and md5", l.Kind)
	case len(texts) > int(pdq.FlipMinus)+1:
		return nil, concert.Refuse(concert.TooLarge, "hash.turned", "turned", "a picture is turned in %d ways at most", int(pdq.FlipMinus)+1)
	}
	var out []match.Hash
	for _, text := range texts {
		h, err := concert.KnownHash{Kind: l.Kind, Value: text, Quality: -1}.Checked()
		if err != nil {
			return nil, err
		}
		l.Value = h.Value
		if l.Kind != concert.HashPDQ {
			return nil, nil
		}
		parsed, err := pdq.Parse(h.Value)
		if err != nil {
			return nil, err
		}
		out = append(out, parsed.Bytes())
	}
	return out, nil
}

// CompareHashes says whether two hashes of a kind are of one work as far as a usual
// bank would tell, and of pictures in how many bits they differ.
func CompareHashes(kind concert.HashKind, a, b string) (same bool, distance int, err error) {
	var hs [2]concert.KnownHash
	for i, text := range []string{a, b} {
		if hs[i], err = (concert.KnownHash{Kind: kind, Value: text, Quality: -1}).Checked(); err != nil {
			return false, 0, err
		}
	}
	if kind != concert.HashPDQ {
		return hs[0].Value == hs[1].Value, 0, nil
	}
	x, err := pdq.Parse(hs[0].Value)
	if err != nil {
		return false, 0, err
	}
	y, err := pdq.Parse(hs[1].Value)
	d := x.Distance(y)
	return err == nil && d <= concert.RadiusUsual, d, err
}

// askDigest finds the entries with the very digest.
func (s *Service) askDigest(ctx context.Context, a *asking, l KnownLook, q KnownQuery) (out []KnownHit, err error) {
	radii := a.narrowed(q)
	err = s.DB.View(ctx, func(tx *store.Tx) error {
		hits, err := tx.EntriesWithDigest(ctx, l.Value)
		out = nil
		for _, h := range hits {
			b := a.banks[uint32(h.Bank)]
			if _, asked := radii[uint32(h.Bank)]; !asked {
				continue
			}
			if b.Negative {
				out = nil
				break
			}
			out = append(out, KnownHit{Entry: h.Entry, Bank: b})
		}
		return err
	})
	slices.SortFunc(out, func(x, y KnownHit) int { return int(x.Entry - y.Entry) })
	return out, err
}

// LookedUp is what became of one of many look-ups, with what is told of the entries.
type LookedUp struct {
	Looked
	Entries map[int64]concert.BankEntry // by number; of others' banks without what only their owner sees
}

// LookUp looks many hashes up at once, at most concert.LooksMost, the same banks
// answering all of them, and tells of each entry that was found what is said of it.
// Of one hash at most concert.MatchesMost entries are told, the nearest.
func (s *Service) LookUp(ctx context.Context, by concert.Actor, looks []KnownLook, o AskOptions) ([]LookedUp, error) {
	if len(looks) > concert.LooksMost {
		return nil, concert.Refuse(concert.TooLarge, "known.looks", "hashes", "at most %d hashes at once: ask for the rest in another request", concert.LooksMost)
	}
	ask, err := s.asker(ctx, by, o)
	if err != nil {
		return nil, err
	}
	out := make([]LookedUp, len(looks))
	var ns []int64
	for i, l := range looks {
		if out[i].Looked, err = ask(l); err != nil {
			return nil, err
		}
		out[i].Hits = out[i].Hits[:min(len(out[i].Hits), concert.MatchesMost)]
		for _, h := range out[i].Hits {
			ns = append(ns, h.Entry)
		}
	}
	if len(ns) == 0 {
		return out, nil
	}
	slices.Sort(ns)
	var es map[int64]concert.BankEntry
	err = s.DB.View(ctx, func(tx *store.Tx) (err error) {
		es, err = tx.EntriesByN(ctx, slices.Compact(ns))
		return err
	})
	if err != nil {
		return nil, err
	}
	for i := range out {
		// What was taken out since the question was asked is no answer to it.
		out[i].Hits = slices.DeleteFunc(out[i].Hits, func(h NamedHit) bool {
			return !es[h.Entry].EndedAt.IsZero() || es[h.Entry].Ref == "" || !h.Bank.Shows(es[h.Entry], by)
		})
		out[i].Entries = make(map[int64]concert.BankEntry, len(out[i].Hits))
		for _, h := range out[i].Hits {
			out[i].Entries[h.Entry] = es[h.Entry].ShownOf(h.Bank, by)
		}
		if out[i].Outcome == concert.LookFound && len(out[i].Hits) == 0 {
			out[i].Outcome = concert.LookNone
		}
	}
	return out, nil
}

// NamedBank is a bank that answers somebody, without what is sealed, under the name
// that they have for it.
type NamedBank struct {
	concert.Bank
	Own   bool
	Shown string
}

// NamedBanks are the banks that answer the actor, by name, from memory.
func (s *Service) NamedBanks(ctx context.Context, by concert.Actor) ([]NamedBank, error) {
	if err := by.MayAskBanks(); err != nil {
		return nil, err
	}
	k, err := s.knowing()
	if err != nil {
		return nil, err
	}
	a := k.forWhom(by, s.now())
	names, err := s.namesFor(ctx, k, a, by)
	if err != nil {
		return nil, err
	}
	out := make([]NamedBank, 0, len(a.banks))
	for _, b := range a.banks {
		out = append(out, NamedBank{Bank: b, Own: b.Mine(by), Shown: names.of[b.N]})
	}
	slices.SortFunc(out, func(x, y NamedBank) int { return strings.Compare(x.Shown, y.Shown) })
	return out, nil
}

// NamedBank is the one with the name.
func (s *Service) NamedBank(ctx context.Context, by concert.Actor, name string) (NamedBank, error) {
	bs, err := s.NamedBanks(ctx, by)
	if err != nil {
		return NamedBank{}, err
	}
	if i := slices.IndexFunc(bs, func(b NamedBank) bool { return b.Shown == name }); i >= 0 {
		return bs[i], nil
	}
	return NamedBank{}, concert.ErrNotFound
}

// NumberedEntry is an entry of a bank by its number, or by its reference where the
// number is 0.
func (s *Service) NumberedEntry(ctx context.Context, scope concert.Scope, bank string, n int64, ref string) (concert.BankEntry, error) {
	var e concert.BankEntry
	if err := s.auditing(ctx, scope, concert.ConsultedBody{What: concert.ReadBanks, Ref: bank, Count: 1}); err != nil {
		return e, err
	}
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		v, err := s.bankView(ctx, tx, scope.Actor(), bank)
		if err != nil {
			return err
		}
		if n == 0 {
			e, err = tx.EntryByRef(ctx, ref)
		} else {
			var es map[int64]concert.BankEntry
			es, err = tx.EntriesByN(ctx, []int64{n})
			e = es[n]
		}
		if err == nil && (e.Bank != v.ID || !v.Shows(e, scope.Actor())) {
			err = concert.ErrNotFound
		}
		e = e.ShownOf(v.Bank, scope.Actor())
		return err
	})
	return e, err
}

// KnownStatus is how far this node's index of the banks is.
type KnownStatus struct {
	Ready   bool
	Hashes  int   // that it holds, those included that were taken out since its files were last merged
	Changes int64 // up to which change of the banks it knows all
	Seen    int   // prints of what items hold, of pictures, videos and texts
}

// KnownStatus says how far this node's index is.
func (s *Service) KnownStatus() KnownStatus {
	k, err := s.knowing()
	if err != nil {
		return KnownStatus{}
	}
	st := k.banks.Stats()
	k.mu.RLock()
	defer k.mu.RUnlock()
	k.words.RLock()
	defer k.words.RUnlock()
	return KnownStatus{Ready: true, Hashes: st.Rows + st.Waiting, Changes: k.change, Seen: len(k.keys) + len(k.looks)}
}

// HashUpload hashes a file that somebody asks about: its picture is opened in a child.
// Nothing of it is kept.
func (s *Service) HashUpload(ctx context.Context, by concert.Actor, r io.Reader) (formats.FileHash, error) {
	if err := by.MayAskBanks(); err != nil {
		return formats.FileHash{}, err
	}
	if s.Printers == nil {
		return formats.FileHash{}, concert.Refuse(concert.Unavailable, "known.no_sandbox", "", "this node has no sandbox to open files in: hash the file on your side (concert hash FILE) and look the hash up")
	}
	return formats.NewPlayer(s.Printers).HashFile(ctx, "", r), nil
}

// RebuildKnown makes the files of the banks' index anew from the database, while no
// node holds them, and says how many hashes they have. told hears now and then how
// many there are so far.
func (s *Service) RebuildKnown(ctx context.Context, told func(int)) (n int, err error) {
	if err := match.ClearHashIndex(s.KnownDir); err != nil {
		return 0, err
	}
	x, err := match.OpenHashIndex(s.KnownDir, s.knownSource())
	if err != nil {
		return 0, err
	}
	_, err = s.rebuild(ctx, x, &n, told)
	if err = errors.Join(err, x.Close()); err != nil {
		return n, fmt.Errorf("index of known hashes: %w", err)
	}
	return n, nil
}

// counted counts what goes through, and tells it five times a second.
func counted(from iter.Seq2[match.HashEntry, error], n *int, told func(int)) iter.Seq2[match.HashEntry, error] {
	return func(yield func(match.HashEntry, error) bool) {
		last := time.Now()
		for h, err := range from {
			if *n++; *n%4096 == 0 && time.Since(last) > 200*time.Millisecond {
				last = time.Now()
				told(*n)
			}
			if !yield(h, err) {
				return
			}
		}
	}
}
