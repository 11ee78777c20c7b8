package webui

import (
	"context"
	"fmt"
	"io"

	"concert"
	"concert/internal/design"
)

// alterationTexts say what was done to copies.
var alterationTexts = map[concert.Alteration]design.Text{
	concert.AlterBytes:     "Same bytes: a text, or a picture of one colour",
	concert.AlterNone:      "Picture, unaltered",
	concert.AlterJPEG:      "Saved again as JPEG, quality 50 to 90",
	concert.AlterJPEGLow:   "Saved again as JPEG, quality 30 to 50",
	concert.AlterPNG:       "Saved as PNG, half as wide and high",
	concert.AlterPalette:   "Saved as PNG with 216 colours",
	concert.AlterHalf:      "Half as wide and high",
	concert.AlterStretch:   "A fifth wider, as high",
	concert.AlterBright:    "A sixth brighter",
	concert.AlterDark:      "A quarter darker",
	concert.AlterContrast:  "A third more contrast",
	concert.AlterBlur:      "Blurred, over a few points",
	concert.AlterLogo:      "Another logo in a corner",
	concert.AlterSubtitle:  "Subtitle",
	concert.AlterCrop2:     "Cropped by 2 %%",
	concert.AlterCrop5:     "Cropped by 5 %%",
	concert.AlterCrop10:    "Cropped by 10 %%",
	concert.AlterLetterbox: "Black bars above and below",
	concert.AlterMirror:    "Mirrored",
	concert.AlterTurn:      "Turned by a quarter",
	concert.AlterResent:    "Smaller, with a logo, quality 40",
	concert.AlterClip:      "Clip, unaltered",
	concert.AlterClipJPEG:  "Clip, frames saved again",
	concert.AlterClipLogo:  "Clip, another logo in a corner",
	concert.AlterClipFast:  "Clip, a quarter faster",
	concert.AlterClipCut:   "Clip, the first third gone",
	concert.AlterClipFlip:  "Clip, mirrored",
	concert.AlterClipCrop5: "Clip, cropped by 5 %%",
}

// WriteExerciseReport is [UI.WriteReport] with what was found by content, of which
// only an exercise knows the truth.
func (u *UI) WriteExerciseReport(ctx context.Context, scope concert.Scope, actionRef string, known concert.Rehearsal, html, csv io.Writer) error {
	p, err := u.reportFor(ctx, scope, actionRef)
	if err != nil {
		return err
	}
	p.Rehearsal = &known
	return writeReport(ctx, p, html, csv)
}

// shareShown is a share with one decimal, a dash where there is none.
func shareShown(share float64, told bool) string {
	if !told {
		return "–"
	}
	return fmt.Sprintf("%.1f %%", 100*share)
}

// rehearsalRows are the lines of the CSV.
func rehearsalRows(k *concert.Rehearsal) (rows [][]string) {
	if k == nil {
		return nil
	}
	line := func(name, metric string, value int64, definition string) {
		rows = append(rows, []string{"known_content", name, "", metric, fmt.Sprint(value), definition})
	}
	line("all", "captured", int64(k.Captured), "items with a capture")
	line("all", "compared", int64(k.Compared), "of those: compared by the time of the count")
	line("all", "unread", int64(k.Unread), "of those: altered clips, left out of all that follows since no video was looked into")
	line("all", "works", int64(k.Works), "invented works behind the compared items")
	line("all", "works_found", int64(k.Found), "works as found: clusters, and items like no other")
	line("all", "pairs", k.Pairs, "pairs of compared items that are copies of one work")
	line("all", "pairs_found", k.Joined, "pairs of items in one cluster")
	line("all", "pairs_right", k.Right, "of those: copies of one work")
	for _, r := range k.Rows {
		name := string(r.Alteration)
		line(name, "items", int64(r.Items), "compared items with this alteration")
		line(name, "asked", int64(r.Asked), "of those: an unaltered copy of the work was compared, too")
		line(name, "found", int64(r.Found), "of those: in one cluster with such a copy")
		line(name, "beside", r.Beside, "other items in one cluster with them, summed over the items")
		line(name, "right", r.Right, "of those: copies of the same work")
	}
	return rows
}
