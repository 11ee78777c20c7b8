package concert

import (
	"cmp"
	"slices"
	"time"
)

const (
	// MatchesMost bounds the matches that are kept of one item, the nearest ones.
	MatchesMost = 50
	// AlikeRadius is how many of 256 bits differ at most between pictures that
	// count as copies of one work.
	AlikeRadius = RadiusUsual
	// AlikeFrames is the share of a video's frames, in thousandths, that another one
	// must have on one side at least for the two to count as copies.
	AlikeFrames = 500
)

// PrintKind is what a print is of.
type PrintKind string

// The kinds of print.
const (
	PrintPicture PrintKind = "picture" // PDQ
	PrintVideo   PrintKind = "video"   // PDQ of its frames
	PrintText    PrintKind = "text"    // sketch of its words
	PrintPage    PrintKind = "page"    // sketch of the words of a saved page: a wall or a notice stands at many places
	PrintBytes   PrintKind = "bytes"   // digests of the file
)

// Print is what is kept of a capture to know its content again. It is sealed under
// the item's key and goes with it.
type Print struct {
	N         int64 // its number in the index
	Item      ItemID
	Authority AuthorityID
	Capture   CaptureID
	Kind      PrintKind
	At        time.Time

	PDQ      [32]byte // of a picture
	Quality  int
	Frames   []KnownFrame
	Sketch   []byte // of a text (package match)
	SHA1     string
	MD5      string
	SHA256   string
	Language string // of a text, BCP 47; "" for none found
	Script   string // ISO 15924
	Sure     int    // of the language, in thousandths
	Trouble  string // why there is no more
}

// KnownMatch is one likeness of an item's capture: to an entry of a bank, or to
// what another item holds. It decides nothing.
type KnownMatch struct {
	Ref       string
	Item      ItemID
	Authority AuthorityID // whose capture it is
	By        PrintKind
	Entry     int64       // of a bank; 0 for another item
	Other     ItemID      // the earlier item; "" for an entry
	Owner     AuthorityID // of the bank, or of the earlier item's capture
	Print     int64       // of the item
	OtherSide int64       // print of the other item; of an entry at which place its hash stands (BankEntry.HashAt)
	Distance  int         // bits that differ, of PDQ; of a video the median
	Quality   int         // the lower of the two
	Turn      int         // by which of the eight orientations
	ShareHere int         // of a text or a video, in thousandths: how much of it the other has
	ShareThen int         // and how much of the other it has
	Detail    MatchDetail // sealed
	At        time.Time
	Said      MatchWord
	SaidBy    PersonID
	SaidAt    time.Time
}

// MatchDetail is the sealed part of a match.
type MatchDetail struct {
	Segments []MatchSegment `json:"segments,omitempty"`
	Here     []byte         `json:"here,omitempty"` // the hashes that were compared
	There    []byte         `json:"there,omitempty"`
	Why      string         `json:"why,omitempty"`
}

// MatchSegment says which stretch of a video is which of the other, in seconds.
type MatchSegment struct {
	From   float64 `json:"from"`
	To     float64 `json:"to"`
	Then   float64 `json:"then"` // where it begins in the other
	Frames int     `json:"frames"`
}

// MatchWord is what a person says of a match.
type MatchWord string

// The words.
const (
	MatchSame  MatchWord = "same"
	MatchOther MatchWord = "other" // it is not the same work
)

// Alike reports whether the match makes copies of one work of the two: near
// enough, and nobody said that it is wrong.
func (m KnownMatch) Alike() bool {
	if m.Said == MatchOther {
		return false
	}
	switch m.By {
	case PrintPicture:
		return m.Distance <= AlikeRadius
	case PrintVideo:
		return max(m.ShareHere, m.ShareThen) >= AlikeFrames
	case PrintPage:
		return false
	}
	return true
}

// Sooner orders matches: entries of banks before items, the same bytes first, then
// what is nearest.
func (m KnownMatch) Sooner(o KnownMatch) int {
	rank := func(m KnownMatch) int {
		switch m.By {
		case PrintBytes:
			return -1
		case PrintPicture:
			return m.Distance
		}
		return 64 - max(m.ShareHere, m.ShareThen)*64/1000
	}
	switch {
	case m.Entry != 0 && o.Entry == 0:
		return -1
	case m.Entry == 0 && o.Entry != 0:
		return 1
	}
	return rank(m) - rank(o)
}

// RecognisedBody is the body of the event that an item's captures were compared
// with what is known.
type RecognisedBody struct {
	Ref       string      `json:"ref"`
	Authority AuthorityID `json:"authority"`
	Pictures  int         `json:"pictures,omitempty"`
	Videos    int         `json:"videos,omitempty"`
	Texts     int         `json:"texts,omitempty"`
	Entries   int         `json:"entries,omitempty"` // of banks that it matches
	Items     int         `json:"items,omitempty"`   // earlier ones that it is like
	Back      bool        `json:"back,omitempty"`    // found when a bank grew
}

// Recognised records what the item's prints were found to be like: the house's
// act. Where they are like nothing, or are the very bytes of other items and no
// more, which each of them tells, there is no event.
func (it Item) Recognised(a AuthorityID, prints []Print, ms []KnownMatch, back bool, now time.Time) (Event, bool) {
	b := RecognisedBody{Ref: it.Ref, Authority: a, Back: back}
	for _, p := range prints {
		switch p.Kind {
		case PrintPicture:
			b.Pictures++
		case PrintVideo:
			b.Videos++
		case PrintText, PrintPage:
			b.Texts++
		}
	}
	for _, m := range ms {
		if m.Entry != 0 {
			b.Entries++
		} else {
			b.Items++
		}
	}
	if !slices.ContainsFunc(ms, func(m KnownMatch) bool { return m.Entry != 0 || m.By != PrintBytes }) {
		return Event{}, false
	}
	return NewEvent(EventItemRecognised, House, string(it.ID), now, b), true
}

// MatchBody is the body of the event that an officer judged a match.
type MatchBody struct {
	Ref       string      `json:"ref"`
	Match     string      `json:"match"`
	Authority AuthorityID `json:"authority"`
	Word      MatchWord   `json:"word"`
}

// Judged records what the actor says of a match of their own authority's capture.
func (m KnownMatch) Judged(by Actor, it Item, w MatchWord, now time.Time) (KnownMatch, Event, error) {
	if by.Authority == "" || by.Authority != m.Authority {
		return m, Event{}, ErrNotFound
	}
	if err := by.MayCapture(); err != nil {
		return m, Event{}, err
	}
	if w != MatchSame && w != MatchOther {
		return m, Event{}, Refuse(Invalid, "match.word", "word", "a match is %q or %q: got %.20q", MatchSame, MatchOther, w)
	}
	m.Said, m.SaidBy, m.SaidAt = w, by.Person, now
	return m, NewEvent(EventMatchJudged, by, string(it.ID), now, MatchBody{Ref: it.Ref, Match: m.Ref, Authority: by.Authority, Word: w}), nil
}

// Carries reports whether a verdict on earlier content may be carried over to the
// item: type, outlet and severity, never the purpose. On an elevated host nothing
// is: the same clip on a news page is another thing.
func (it Item) Carries() bool { return it.Guard.Verdict != GuardElevate }

// Copies are the groups of items that pairs of copies join, the largest first. An
// item without a copy is in none.
func Copies(pairs [][2]ItemID) [][]ItemID {
	head := map[ItemID]ItemID{}
	var find func(ItemID) ItemID
	find = func(id ItemID) ItemID {
		if up, known := head[id]; known && up != id {
			head[id] = find(up)
			return head[id]
		}
		head[id] = id
		return id
	}
	for _, p := range pairs {
		if a, b := find(p[0]), find(p[1]); a != b {
			head[max(a, b)] = min(a, b)
		}
	}
	of := map[ItemID][]ItemID{}
	for id := range head {
		of[find(id)] = append(of[find(id)], id)
	}
	var out [][]ItemID
	for _, ids := range of {
		slices.Sort(ids)
		out = append(out, ids)
	}
	slices.SortFunc(out, func(a, b []ItemID) int { return cmp.Or(len(b)-len(a), cmp.Compare(a[0], b[0])) })
	return out
}

// Nearest are the matches in order, at most MatchesMost of them.
func Nearest(ms []KnownMatch) []KnownMatch {
	slices.SortStableFunc(ms, KnownMatch.Sooner)
	return ms[:min(len(ms), MatchesMost)]
}
