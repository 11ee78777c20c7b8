package casework

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"concert"
	"concert/internal/durable"
	"concert/internal/match"
	"concert/internal/store"
	"concert/pdq"
)

const (
	// knownTick is how often a node looks for what another one added.
	knownTick = 200 * time.Millisecond
	// knownPage bounds the entries and the prints that one reading brings in.
	knownPage = 2000
	// textsMost bounds the texts that a node holds, the newest ones: about 700 bytes
	// each.
	textsMost = 500_000
	// hashBits is how many bits of a number in the index say which of the hashes of
	// an entry or a print it is.
	hashBits = 12
)

// The kinds of hash in the index of what items hold.
const (
	ofPicture uint32 = iota
	ofFrame
)

// known is what this node knows again: a cache of the database. Nobody waits for
// anybody to search it.
type known struct {
	banks *match.HashIndex // entries of banks, in files
	items *match.HashIndex // what items hold: in memory alone, so that none of it outlives its item on a disk
	texts *match.TextIndex

	ready atomic.Bool

	mu     sync.RWMutex // guards table and asked
	table  []concert.Bank
	asked  map[string]*asking // by who asks
	change int64              // of banks and entries, up to which all is in

	units atomic.Pointer[map[concert.AuthorityID]string]

	entries sync.Mutex // one filling at a time; guards place
	place   store.BankPlace
	prints  sync.Mutex // the same of what items hold; guards print and gone
	print   int64
	gone    int64 // up to which erasures are followed

	words sync.RWMutex              // guards what follows
	equal map[match.TextKey][]int64 // prints of each text, the oldest first
	keys  map[int64]match.TextKey
	order []int64       // of texts, the oldest first
	looks map[int64]int // how many hashes in items each print has, of pictures and videos
}

// asking is which banks answer somebody, and how far they look.
type asking struct {
	until   time.Time // one of them is over then; zero for never
	radii   map[uint32]int
	banks   map[uint32]concert.Bank
	partial bool // one of them answers a share of the questions only
	names   atomic.Pointer[bankNames]
}

// errFilling refuses a question while this node still reads what there is.
func errFilling() error {
	return concert.Refuse(concert.Unavailable, "known.filling", "", "this node is still reading the hashes of the banks and of what was seen: ask again in a few seconds")
}

// knowing is what this node knows, once it was read.
func (s *Service) knowing() (*known, error) {
	if k := s.known.Load(); k != nil && k.ready.Load() {
		return k, nil
	}
	return nil, errFilling()
}

// RefreshKnown brings what this node knows to where the database is. The first call
// reads all of it.
func (s *Service) RefreshKnown(ctx context.Context) error {
	k, err := s.openKnown()
	if err != nil {
		return err
	}
	if err := s.refreshEntries(ctx, k); err != nil {
		return err
	}
	k.prints.Lock()
	defer k.prints.Unlock()
	if err := s.refreshPrints(ctx, k); err != nil {
		return err
	}
	k.ready.Store(true)
	return nil
}

func (s *Service) openKnown() (*known, error) {
	s.opening.Lock()
	defer s.opening.Unlock()
	if k := s.known.Load(); k != nil {
		return k, nil
	}
	banks, err := s.openBankIndex()
	if err != nil {
		return nil, err
	}
	items, err := match.OpenHashIndex("", [16]byte{})
	if err != nil {
		return nil, errors.Join(err, banks.Close())
	}
	k := &known{banks: banks, items: items, texts: match.NewTextIndex(), asked: map[string]*asking{}, equal: map[match.TextKey][]int64{}, keys: map[int64]match.TextKey{}, looks: map[int64]int{}, change: -1}
	s.known.Store(k)
	return k, nil
}

// openBankIndex opens the files of the banks' index; what cannot be relied upon is
// made anew, since the database has all of it.
func (s *Service) openBankIndex() (*match.HashIndex, error) {
	source := s.knownSource()
	x, err := match.OpenHashIndex(s.KnownDir, source)
	if d := (*match.DamagedIndex)(nil); errors.As(err, &d) {
		s.Log.Warn("the index of known hashes is made anew from the database", "why", d.Err, "file", d.Path)
		if err := match.ClearHashIndex(s.KnownDir); err != nil {
			return nil, err
		}
		return match.OpenHashIndex(s.KnownDir, source)
	}
	if held := (*durable.LockedError)(nil); errors.As(err, &held) {
		s.Log.Warn("another node of this machine holds the index of known hashes in its directory; this one keeps its own in memory")
		return match.OpenHashIndex("", source)
	}
	return x, err
}

// knownSource names the database that the files are a cache of.
func (s *Service) knownSource() [16]byte {
	derived := s.DB.Keys.Derive("source of the index of known hashes")
	return [16]byte(derived[:])
}

// CloseKnown lets go of what this node knows; the files of the banks' index keep it.
func (s *Service) CloseKnown() error {
	k := s.known.Swap(nil)
	if k == nil {
		return nil
	}
	k.ready.Store(false)
	return errors.Join(k.banks.Close(), k.items.Close())
}

// refreshEntries brings in what changed of banks.
func (s *Service) refreshEntries(ctx context.Context, k *known) error {
	k.entries.Lock()
	defer k.entries.Unlock()
	var stamp int64
	var table []concert.Bank
	err := s.DB.View(ctx, func(tx *store.Tx) (err error) {
		if stamp, err = tx.BankStamp(ctx); err != nil || stamp == k.change {
			return err
		}
		table, err = tx.BareBanks(ctx)
		return err
	})
	if err != nil || stamp == k.change {
		return err
	}
	if k.change < 0 {
		k.place = store.BankPlace{Seq: int64(k.banks.Upto()), N: 1 << 62}
	}
	damaged := (*match.DamagedIndex)(nil)
	if k.place.Seq > stamp || k.place.Seq == 0 && stamp > 0 || errors.As(k.banks.Err(), &damaged) {
		made, err := s.rebuild(ctx, k.banks, new(int), func(int) {})
		if err != nil {
			return err
		}
		k.place = store.BankPlace{Seq: made, N: 1 << 62}
	}
	for more := true; more; {
		if more, err = s.readEntries(ctx, k); err != nil {
			return err
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.table, k.change = table, stamp
	clear(k.asked)
	return nil
}

// rebuild fills an index with all that the database has, and says up to which
// change that is. told hears now and then how many hashes there are so far.
func (s *Service) rebuild(ctx context.Context, x *match.HashIndex, n *int, told func(int)) (stamp int64, err error) {
	err = s.DB.View(ctx, func(tx *store.Tx) error {
		if stamp, err = tx.BankStamp(ctx); err != nil {
			return err
		}
		return x.Rebuild(ctx, uint64(stamp), counted(indexed(tx.AllIndexed(ctx, pdq.QualityLeast)), n, told))
	})
	return stamp, err
}

func indexed(from iter.Seq2[store.IndexedHash, error]) iter.Seq2[match.HashEntry, error] {
	return func(yield func(match.HashEntry, error) bool) {
		for h, err := range from {
			if !yield(match.HashEntry{ID: hashID(h.Entry, h.K), Bank: uint32(h.Bank), Hash: h.Hash}, err) {
				return
			}
		}
	}
}

func hashID(n int64, k int) uint64 { return uint64(n)<<hashBits | uint64(k) }

func (s *Service) readEntries(ctx context.Context, k *known) (more bool, err error) {
	var hs []store.IndexedHash
	var next store.BankPlace
	err = s.DB.View(ctx, func(tx *store.Tx) (err error) {
		hs, next, more, err = tx.IndexedSince(ctx, pdq.QualityLeast, k.place, knownPage)
		return err
	})
	if err != nil || next == k.place {
		return false, err
	}
	var b match.HashBatch
	for _, h := range hs {
		if h.Matches {
			b.Add = append(b.Add, match.HashEntry{ID: hashID(h.Entry, h.K), Bank: uint32(h.Bank), Hash: h.Hash})
		} else {
			b.Remove = append(b.Remove, hashID(h.Entry, h.K))
		}
	}
	if b.Upto = uint64(next.Seq); more {
		b.Upto-- // the same change may have more entries
	}
	if err := k.banks.Apply(b); err != nil {
		return false, err
	}
	k.place = next
	return more, nil
}

// refreshPrints brings in what items hold, and drops what went with erased ones.
// The caller holds prints.
func (s *Service) refreshPrints(ctx context.Context, k *known) error {
	for {
		var ps []concert.Print
		var ns []int64
		var last int64
		err := s.DB.View(ctx, func(tx *store.Tx) (err error) {
			if ns, last, err = tx.PrintsGone(ctx, k.gone); err != nil {
				return err
			}
			ps, err = tx.PrintsAfter(ctx, k.print, knownPage)
			return err
		})
		if err != nil {
			return err
		}
		if err := k.forget(ns...); err != nil {
			return err
		}
		k.gone = last
		for _, p := range ps {
			if err := k.learn(p); err != nil {
				return err
			}
		}
		if len(ps) < knownPage {
			return nil
		}
	}
}

// learn takes in a print that came after all others. The caller holds prints.
func (k *known) learn(p concert.Print) error {
	var b match.HashBatch
	switch p.Kind {
	case concert.PrintPicture:
		if p.Quality >= pdq.QualityLeast {
			b.Add = []match.HashEntry{{ID: hashID(p.N, 0), Bank: ofPicture, Hash: p.PDQ}}
		}
	case concert.PrintVideo:
		for i, f := range p.Frames {
			if f.Quality >= pdq.QualityLeast {
				b.Add = append(b.Add, match.HashEntry{ID: hashID(p.N, i), Bank: ofFrame, Hash: f.PDQ})
			}
		}
	case concert.PrintText, concert.PrintPage:
		k.learnText(p)
	}
	k.print = max(k.print, p.N)
	if len(b.Add) == 0 {
		return nil
	}
	k.words.Lock()
	k.looks[p.N] = max(1, len(p.Frames))
	k.words.Unlock()
	return k.items.Apply(b)
}

func (k *known) learnText(p concert.Print) {
	var sk match.Sketch
	if sk.UnmarshalBinary(p.Sketch) != nil {
		return // of another version
	}
	k.words.Lock()
	defer k.words.Unlock()
	if _, there := k.keys[p.N]; there {
		return
	}
	k.keys[p.N] = sk.Key
	k.equal[sk.Key] = append(k.equal[sk.Key], p.N)
	// Equal texts stand in the index once: a search lists all it finds.
	if len(k.equal[sk.Key]) == 1 {
		k.texts.Add(sk.Key, &sk)
	}
	if k.order = append(k.order, p.N); len(k.order) > textsMost {
		k.dropText(k.order[0])
		k.order = k.order[1:]
	}
}

// dropText forgets a text. The caller holds words.
func (k *known) dropText(n int64) {
	key, there := k.keys[n]
	if !there {
		return
	}
	delete(k.keys, n)
	if k.equal[key] = slices.DeleteFunc(k.equal[key], func(o int64) bool { return o == n }); len(k.equal[key]) == 0 {
		delete(k.equal, key)
		k.texts.Remove(key)
	}
}

// textsLike are prints of texts that are worth a comparison with one: of equal
// texts the oldest ones that are held.
func (k *known) textsLike(sketch *match.Sketch) (ns []int64) {
	found := k.texts.Candidates(sketch, textCandidates)
	k.words.RLock()
	defer k.words.RUnlock()
	oldest := func(key match.TextKey, most int) {
		of := k.equal[key]
		ns = append(ns, of[:min(len(of), most)]...)
	}
	oldest(sketch.Key, 2)
	for _, h := range found {
		if h.Key != sketch.Key {
			oldest(h.Key, 1)
		}
	}
	return ns
}

// forget drops prints that are gone with their items.
func (k *known) forget(ns ...int64) error {
	if len(ns) == 0 {
		return nil
	}
	k.words.Lock()
	var gone []uint64
	for _, n := range ns {
		k.dropText(n)
		for i := range k.looks[n] {
			gone = append(gone, hashID(n, i))
		}
		delete(k.looks, n)
	}
	k.words.Unlock()
	return k.items.Remove(0, gone...)
}

// forWhom are the banks that answer the actor.
func (k *known) forWhom(by concert.Actor, now time.Time) *asking {
	party := partyOf(by)
	k.mu.RLock()
	a := k.asked[party]
	k.mu.RUnlock()
	if a != nil && (a.until.IsZero() || now.Before(a.until)) {
		return a
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	a = &asking{radii: map[uint32]int{}, banks: map[uint32]concert.Bank{}}
	for _, b := range k.table {
		if !b.Answers(by, now) {
			continue
		}
		n := uint32(b.N)
		a.banks[n], a.radii[n] = b, b.Radius
		a.partial = a.partial || b.Ratio < concert.RatioWhole
		if !b.ExpiresAt.IsZero() && (a.until.IsZero() || b.ExpiresAt.Before(a.until)) {
			a.until = b.ExpiresAt
		}
	}
	k.asked[party] = a
	return a
}

func partyOf(by concert.Actor) string {
	if by.Provider != "" {
		return "provider:" + string(by.Provider)
	}
	return "authority:" + string(by.Authority)
}

// partyActor is what of the actor a party names.
func partyActor(party string) concert.Actor {
	if id, ok := strings.CutPrefix(party, "provider:"); ok {
		return concert.Actor{Provider: concert.ProviderID(id)}
	}
	return concert.Actor{Authority: concert.AuthorityID(strings.TrimPrefix(party, "authority:"))}
}

// KnownHit is an entry of a bank that is near what was asked for. It decides
// nothing.
type KnownHit struct {
	Entry    int64 // its number
	Hash     int   // which of its hashes
	Bank     concert.Bank
	Distance int
	Turn     int // which of the hashes that were asked
}

// KnownQuery is a question to the banks.
type KnownQuery struct {
	Hashes []match.Hash // of one picture: as it is and, where wanted, turned
	Banks  []int64      // numbers; nil for all that answer
	Radius int          // bits; -1 for each bank's own, which is the most in any case
	Coin   func() int   // of 1,000, for banks that answer a share only; nil draws one
	Whole  bool         // banks that answer a share answer all the same
}

// AskBanks gives the entries near a picture's hashes, of the banks that answer the
// actor, each once and the nearest first. What is near an entry of a negative bank
// is near nothing.
func (s *Service) AskBanks(by concert.Actor, q KnownQuery) ([]KnownHit, error) {
	k, err := s.knowing()
	if err != nil {
		return nil, err
	}
	return k.ask(by, q, s.now())
}

func (k *known) ask(by concert.Actor, q KnownQuery, now time.Time) ([]KnownHit, error) {
	a := k.forWhom(by, now)
	radii := match.HashRadii{Other: -1, Banks: a.radii}
	if q.Banks != nil || q.Radius >= 0 || a.partial && !q.Whole {
		radii.Banks = a.narrowed(q)
	}
	found, err := k.banks.SearchBatch(nil, q.Hashes, radii)
	if err != nil {
		return nil, err
	}
	var out []KnownHit
	at := map[int64]int{}
	for turn, ms := range found {
		for _, m := range ms {
			h := KnownHit{Entry: int64(m.ID >> hashBits), Hash: int(m.ID & (1<<hashBits - 1)), Bank: a.banks[m.Bank], Distance: m.Distance, Turn: turn}
			if h.Bank.Negative {
				return nil, nil
			}
			if i, known := at[h.Entry]; !known {
				at[h.Entry] = len(out)
				out = append(out, h)
			} else if h.Distance < out[i].Distance {
				out[i] = h
			}
		}
	}
	slices.SortFunc(out, func(x, y KnownHit) int {
		return cmp.Or(cmp.Compare(x.Distance, y.Distance), cmp.Compare(x.Entry, y.Entry))
	})
	return out, nil
}

// narrowed are the radii of the banks that are asked by a question.
func (a *asking) narrowed(q KnownQuery) map[uint32]int {
	coin := q.Coin
	if coin == nil {
		coin = func() int { return rand.IntN(concert.RatioWhole) }
	}
	out := make(map[uint32]int, len(a.radii))
	for n, b := range a.banks {
		if !b.Negative && q.Banks != nil && !slices.Contains(q.Banks, b.N) {
			continue
		}
		if !q.Whole && !b.Negative && b.Ratio < concert.RatioWhole && coin() >= b.Ratio {
			continue
		}
		radius := b.Radius
		if q.Radius >= 0 {
			radius = min(radius, q.Radius)
		}
		out[n] = radius
	}
	return out
}
