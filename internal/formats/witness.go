package formats

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"concert"
	"concert/tlog"
)

// earlierMost bounds the checkpoints that one verification compares with.
const earlierMost = 200_000

// Cosigned is that a witness, whose key was pinned, cosigned a head of the log.
type Cosigned struct {
	Witness string    `json:"witness"`
	Size    int64     `json:"size"` // events under that head
	At      time.Time `json:"at"`   // as the witness says
}

// Parting is where the history of a log parts from what was signed before: both
// agree up to Agree events, the largest size that could be compared, and no more
// at Part events. So the first event that was changed, added or taken away has an
// index from Agree to Part-1.
type Parting struct {
	Agree int64 `json:"agree"`
	Part  int64 `json:"part"`
}

// EarlierHead is a head that the log signed before, as somebody else kept it.
type EarlierHead struct {
	tlog.Head
	Cosigned []Cosigned // by pinned witnesses
}

// OpenEarlier reads checkpoints that somebody kept: each text is one signed note,
// or lines of JSON with the member "checkpoint", as a witness gives its history.
// Each must be signed with the log's key.
func OpenEarlier(texts []string, origin, logKey string, witnessKeys []string) ([]EarlierHead, error) {
	var out []EarlierHead
	for _, text := range texts {
		notes, err := notesIn(text)
		if err != nil {
			return nil, fmt.Errorf("earlier checkpoint: %w", err)
		}
		if len(out)+len(notes) > earlierMost {
			return nil, fmt.Errorf("earlier checkpoints: more than %d", earlierMost)
		}
		for _, n := range notes {
			head, cosigned, err := openHead(n, origin, logKey, witnessKeys)
			if err != nil {
				return nil, fmt.Errorf("earlier %w", err)
			}
			out = append(out, EarlierHead{head, cosigned})
		}
	}
	return out, nil
}

// notesIn parts what somebody kept into notes.
func notesIn(text string) ([]string, error) {
	if !strings.HasPrefix(text, "{") {
		return []string{text}, nil
	}
	var out []string
	n := 0
	for line := range strings.Lines(text) {
		n++
		var l struct {
			Checkpoint string `json:"checkpoint"`
		}
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		if l.Checkpoint == "" {
			return nil, fmt.Errorf("line %d has no checkpoint", n)
		}
		out = append(out, l.Checkpoint)
	}
	return out, nil
}

// openHead checks a checkpoint's signature with the log's key and says which
// witnesses cosigned it, and when.
func openHead(checkpoint, origin, logKey string, witnessKeys []string) (tlog.Head, []Cosigned, error) {
	lv, err := tlog.NewVerifier(logKey)
	if err != nil {
		return tlog.Head{}, nil, fmt.Errorf("log key: %w", err)
	}
	known := []note.Verifier{lv}
	for _, k := range witnessKeys {
		wv, err := tlog.NewVerifier(k)
		if err != nil {
			return tlog.Head{}, nil, fmt.Errorf("witness key %.40q: %w", k, err)
		}
		known = append(known, wv)
	}
	list := note.VerifierList(known...)
	cp, n, err := tlog.OpenCheckpoint([]byte(checkpoint), origin, list)
	if err != nil {
		return tlog.Head{}, nil, fmt.Errorf("checkpoint: %w", err)
	}
	var by []Cosigned
	for _, c := range tlog.Cosignatures(n, list) {
		by = append(by, Cosigned{c.Name, cp.Size, c.Time})
	}
	return cp.Head, by, nil
}

// names are the witnesses, each once.
func names(by []Cosigned) []string {
	var out []string
	for _, c := range by {
		if !slices.Contains(out, c.Witness) {
			out = append(out, c.Witness)
		}
	}
	return out
}

// Compared is a log's signed head with all that it must agree with. Audit against
// its Heads, then [Conclude].
type Compared struct {
	tlog.Head
	cosigned []Cosigned // of this head
	before   []EarlierHead
}

// Compare opens a log's signed checkpoint for an audit. before are heads that the
// log must go on from; of an exported file, larger ones are left out: the file is
// older than they are.
func Compare(checkpoint, origin, logKey string, witnessKeys []string, before []EarlierHead) (Compared, error) {
	head, cosigned, err := openHead(checkpoint, origin, logKey, witnessKeys)
	return Compared{head, cosigned, slices.Clone(before)}, err
}

// Beside adds the newest checkpoint that witnesses cosigned, where that is another
// than the newest; "" adds none.
func (c *Compared) Beside(cosigned, origin, logKey string, witnessKeys []string) error {
	if cosigned == "" {
		return nil
	}
	head, by, err := openHead(cosigned, origin, logKey, witnessKeys)
	if err != nil {
		return fmt.Errorf("cosigned %w", err)
	}
	c.before = append(c.before, EarlierHead{head, by})
	return nil
}

// Heads are what the log is to be audited against: none larger than its own.
func (c Compared) Heads() []tlog.Head {
	out := []tlog.Head{c.Head}
	for _, e := range c.before {
		if e.Size <= c.Size && !slices.Contains(out, e.Head) {
			out = append(out, e.Head)
		}
	}
	return out
}

// attest says who cosigned: of each witness the largest head. live is the
// verifier's time where the log goes on, zero for a file. What no witness cosigned
// rests on the log's own word; while a log goes on, a few events always do.
func (v *Verification) attest(c Compared, live time.Time) {
	best := map[string]Cosigned{}
	keep := func(by []Cosigned) {
		for _, x := range by {
			if was, ok := best[x.Witness]; !ok || x.Size > was.Size || x.Size == was.Size && x.At.After(was.At) {
				best[x.Witness] = x
			}
		}
	}
	keep(c.cosigned)
	for _, e := range c.before {
		if e.Size <= c.Size {
			keep(e.Cosigned)
		}
	}
	v.SelfAttested = true
	for _, x := range best {
		v.Cosigned = append(v.Cosigned, x)
		// A time that lies ahead says nothing either.
		if x.Size == c.Size || !live.IsZero() && live.Sub(x.At).Abs() <= concert.CosignFresh {
			v.SelfAttested = false
			v.Witnesses = append(v.Witnesses, x.Witness)
		}
	}
	slices.Sort(v.Witnesses)
	slices.SortFunc(v.Cosigned, func(a, b Cosigned) int { return strings.Compare(a.Witness, b.Witness) })
}

// part says where the log parts from earlier heads, if it does.
func (v *Verification) part(c Compared, rep tlog.Report, live time.Time) {
	bad := map[tlog.Head]bool{}
	for _, f := range rep.Heads {
		bad[f.Head] = true
	}
	v.Compared = len(c.before)
	var first *EarlierHead
	for i, e := range c.before {
		switch larger := e.Size > c.Size; {
		case larger && live.IsZero():
			v.Compared--
			continue
		case !larger && !bad[e.Head]:
			continue
		}
		if first == nil || e.Size < first.Size {
			first = &c.before[i]
		}
	}
	if first == nil {
		return
	}
	p := &Parting{Part: first.Size}
	for _, e := range c.before {
		if e.Size < first.Size && !bad[e.Head] {
			p.Agree = max(p.Agree, e.Size)
		}
	}
	before := ""
	if v.FirstBad >= 0 {
		before = v.Problem + "; "
	}
	v.Verified, v.Parted = false, p
	who := "the log signed before"
	if len(first.Cosigned) > 0 {
		who = "was cosigned by " + strings.Join(names(first.Cosigned), ", ")
	}
	if first.Size > c.Size {
		v.Problem = before + fmt.Sprintf("the histories part: this log has %d events, and what %s has %d; they are known to agree up to size %d: events were taken away, or an old backup goes on. Keep both checkpoints", c.Size, who, first.Size, p.Agree)
		return
	}
	v.Problem = before + fmt.Sprintf("the histories part: this log and what %s agree up to size %d and part at or before size %d: of the events %d to %d at least one was changed, added or taken away since. Keep this log and the checkpoint of size %d: together they prove it", who, p.Agree, p.Part, p.Agree, p.Part-1, p.Part)
}

// ErrEarlier is the answer where earlier checkpoints are given for a document that
// holds no whole log to compare with them.
var ErrEarlier = errors.New("a proof of one event or erasure holds no log to compare with another checkpoint: verify an export, a node or the data directory with it")
