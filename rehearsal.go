package concert

import (
	"cmp"
	"slices"
)

// Alteration is what was done to a copy of a work before it was handed in, in an
// exercise: what people do to copies.
type Alteration string

// The alterations. Shares are of width and height.
const (
	AlterBytes     Alteration = "same_bytes" // a text, or a picture of one colour: only its bytes tell it
	AlterNone      Alteration = "none"
	AlterJPEG      Alteration = "jpeg"       // saved again, quality 50 to 90
	AlterJPEGLow   Alteration = "jpeg_low"   // saved again, quality 30 to 50
	AlterPNG       Alteration = "png"        // saved as PNG, half as wide and high
	AlterPalette   Alteration = "palette"    // saved as PNG with 216 colours
	AlterHalf      Alteration = "half"       // half as wide and high
	AlterStretch   Alteration = "stretch"    // a fifth wider, as high
	AlterBright    Alteration = "bright"     // a sixth brighter
	AlterDark      Alteration = "dark"       // a quarter darker
	AlterContrast  Alteration = "contrast"   // a third more contrast
	AlterBlur      Alteration = "blur"       // over 5 to 9 points, twice
	AlterLogo      Alteration = "logo"       // somebody else's, in a corner
	AlterSubtitle  Alteration = "subtitle"   // a line of words on a strip
	AlterCrop2     Alteration = "crop_2"     // 2 % cut off
	AlterCrop5     Alteration = "crop_5"     // 5 %
	AlterCrop10    Alteration = "crop_10"    // 10 %
	AlterLetterbox Alteration = "letterbox"  // black bars, an eighth above and below
	AlterMirror    Alteration = "mirror"     // left and right exchanged
	AlterTurn      Alteration = "turn"       // by a quarter
	AlterResent    Alteration = "resent"     // smaller, with a logo, quality 40: through several hands
	AlterClip      Alteration = "clip"       // a clip as it was
	AlterClipJPEG  Alteration = "clip_jpeg"  // its frames saved again
	AlterClipLogo  Alteration = "clip_logo"  // a logo on all frames
	AlterClipFast  Alteration = "clip_fast"  // a quarter faster
	AlterClipCut   Alteration = "clip_cut"   // the first third gone
	AlterClipFlip  Alteration = "clip_flip"  // mirrored
	AlterClipCrop5 Alteration = "clip_crop5" // 5 % cut off
)

// PictureAlterations and ClipAlterations are those of drawn works, in the order in
// which they are told.
var (
	PictureAlterations = []Alteration{AlterNone, AlterJPEG, AlterJPEGLow, AlterPNG, AlterPalette, AlterHalf, AlterStretch, AlterBright, AlterDark, AlterContrast, AlterBlur, AlterLogo, AlterSubtitle,
		AlterCrop2, AlterCrop5, AlterCrop10, AlterLetterbox, AlterMirror, AlterTurn, AlterResent}
	ClipAlterations = []Alteration{AlterClip, AlterClipJPEG, AlterClipLogo, AlterClipFast, AlterClipCut, AlterClipFlip, AlterClipCrop5}
)

// Unaltered reports whether copies are as the work was made.
func (a Alteration) Unaltered() bool { return a == AlterBytes || a == AlterNone || a == AlterClip }

// RehearsedCopy is one item of an exercise whose capture was compared: which
// invented work it is a copy of, what was done to it, and what the system says.
type RehearsedCopy struct {
	Work       uint32
	Alteration Alteration
	Cluster    string // of copies of one work, as the system found them; "" for like no other
}

// RehearsedRow is how well copies with one alteration were found.
type RehearsedRow struct {
	Alteration Alteration `json:"alteration"`
	Items      int        `json:"items"`
	Asked      int        `json:"asked"`  // of those: an unaltered copy of the work is there, too
	Found      int        `json:"found"`  // of those: in one cluster with such a copy
	Beside     int64      `json:"beside"` // other items in one cluster with them, summed over the items
	Right      int64      `json:"right"`  // of those: copies of the same work
}

// Recall is which share of the copies was found; none where none could be.
func (r RehearsedRow) Recall() (share float64, told bool) {
	return shareOf(int64(r.Found), int64(r.Asked))
}

// Precision is which share of what was put beside the copies belongs there.
func (r RehearsedRow) Precision() (share float64, told bool) { return shareOf(r.Right, r.Beside) }

func shareOf(part, whole int64) (float64, bool) {
	if whole == 0 {
		return 0, false
	}
	return float64(part) / float64(whole), true
}

// Rehearsal is what an exercise, which knows which items are copies of one work,
// makes of what the system found by content. Pairs are of two different items.
type Rehearsal struct {
	Captured int            `json:"captured"` // items with a capture
	Compared int            `json:"compared"` // of those: compared by the time of the count
	Works    int            `json:"works"`    // behind the compared items, in truth
	Found    int            `json:"found"`    // and as the system has it: clusters, and items like no other
	Pairs    int64          `json:"pairs"`    // of copies of one work
	Joined   int64          `json:"joined"`   // of items in one cluster
	Right    int64          `json:"right"`    // of those: copies of one work
	Rows     []RehearsedRow `json:"alterations"`
	Unread   int            `json:"unread"`   // altered clips that are compared by their bytes alone, as where ffmpeg is missing: in no other number but the first two
	WaitedS  float64        `json:"waited_s"` // for comparisons, after everything else was over
}

// Recall is which share of the pairs of copies was found.
func (r Rehearsal) Recall() (share float64, told bool) { return shareOf(r.Right, r.Pairs) }

// Precision is which share of the pairs that were found are copies of one work.
func (r Rehearsal) Precision() (share float64, told bool) { return shareOf(r.Right, r.Joined) }

// Rehearsed counts what was found of the compared copies of an exercise, of so many
// items that were captured.
func Rehearsed(captured int, copies []RehearsedCopy) Rehearsal {
	type both struct {
		work    uint32
		cluster string
	}
	out := Rehearsal{Captured: captured, Compared: len(copies)}
	ofWork, ofCluster, ofBoth := map[uint32]int64{}, map[string]int64{}, map[both]int64{}
	unaltered, unalteredIn := map[uint32]int{}, map[both]int{}
	for _, c := range copies {
		b := both{c.Work, c.Cluster}
		ofWork[c.Work]++
		if c.Cluster == "" {
			out.Found++
		} else {
			ofCluster[c.Cluster]++
			ofBoth[b]++
		}
		if c.Alteration.Unaltered() {
			unaltered[c.Work]++
			unalteredIn[b]++
		}
	}
	out.Works, out.Found = len(ofWork), out.Found+len(ofCluster)
	for _, n := range ofWork {
		out.Pairs += n * (n - 1) / 2
	}
	for _, n := range ofCluster {
		out.Joined += n * (n - 1) / 2
	}
	for _, n := range ofBoth {
		out.Right += n * (n - 1) / 2
	}
	rows := map[Alteration]*RehearsedRow{}
	for _, c := range copies {
		r := rows[c.Alteration]
		if r == nil {
			r = &RehearsedRow{Alteration: c.Alteration}
			rows[c.Alteration] = r
		}
		self, b := 0, both{c.Work, c.Cluster}
		if c.Alteration.Unaltered() {
			self = 1
		}
		r.Items++
		if unaltered[c.Work] > self {
			r.Asked++
		}
		if c.Cluster == "" {
			continue
		}
		if unalteredIn[b] > self {
			r.Found++
		}
		r.Beside += ofCluster[c.Cluster] - 1
		r.Right += ofBoth[b] - 1
	}
	order := slices.Concat([]Alteration{AlterBytes}, PictureAlterations, ClipAlterations)
	for _, r := range rows {
		out.Rows = append(out.Rows, *r)
	}
	slices.SortFunc(out.Rows, func(a, b RehearsedRow) int {
		return cmp.Compare(slices.Index(order, a.Alteration), slices.Index(order, b.Alteration))
	})
	return out
}

// RehearsedFigure is one number of a rehearsal with what it counts.
type RehearsedFigure struct {
	Of         string // an [Alteration], or "all"
	Metric     string // as in JSON
	Value      int64
	Definition string
}

// Figures are all numbers, one by one.
func (r Rehearsal) Figures() []RehearsedFigure {
	out := []RehearsedFigure{
		{"all", "captured", int64(r.Captured), "items with a capture"},
		{"all", "compared", int64(r.Compared), "of those: compared by the time of the count"},
		{"all", "unread", int64(r.Unread), "of those: altered clips, left out of all that follows since no video was looked into"},
		{"all", "works", int64(r.Works), "invented works behind the compared items"},
		{"all", "found", int64(r.Found), "works as found: clusters, and items like no other"},
		{"all", "pairs", r.Pairs, "pairs of compared items that are copies of one work"},
		{"all", "joined", r.Joined, "pairs of items in one cluster"},
		{"all", "right", r.Right, "of those: copies of one work"},
	}
	for _, x := range r.Rows {
		of := string(x.Alteration)
		out = append(out,
			RehearsedFigure{of, "items", int64(x.Items), "compared items with this alteration"},
			RehearsedFigure{of, "asked", int64(x.Asked), "of those: an unaltered copy of the work was compared, too"},
			RehearsedFigure{of, "found", int64(x.Found), "of those: in one cluster with such a copy"},
			RehearsedFigure{of, "beside", x.Beside, "other items in one cluster with them, summed over the items"},
			RehearsedFigure{of, "right", x.Right, "of those: copies of the same work"},
		)
	}
	return out
}

// RehearsedWitness is what one witness of an exercise's log did.
type RehearsedWitness struct {
	Name        string `json:"name"`
	Key         string `json:"key"`
	Checkpoints int64  `json:"checkpoints"` // that it cosigned
	Size        int64  `json:"size"`        // events under the last of them
	Refused     int    `json:"refused"`
}

// Figures are the numbers of the witness, one by one.
func (w RehearsedWitness) Figures() []RehearsedFigure {
	return []RehearsedFigure{
		{w.Name, "checkpoints", w.Checkpoints, "checkpoints of the log that it cosigned"},
		{w.Name, "size", w.Size, "events under the last of them"},
		{w.Name, "refused", int64(w.Refused), "checkpoints that it refused for their history"},
	}
}
