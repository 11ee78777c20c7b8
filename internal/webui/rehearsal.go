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
// only an exercise knows the truth, and with what the log's witnesses did.
func (u *UI) WriteExerciseReport(ctx context.Context, scope concert.Scope, actionRef string, known concert.Rehearsal, html, csv io.Writer, witnesses ...concert.RehearsedWitness) error {
	p, err := u.reportFor(ctx, scope, actionRef)
	if err != nil {
		return err
	}
	p.Rehearsal, p.Witnesses = &known, witnesses
	return writeReport(ctx, p, html, csv)
}

// shareShown is a share with one decimal, a dash where there is none.
func shareShown(share float64, told bool) string {
	if !told {
		return "–"
	}
	return fmt.Sprintf("%.1f %%", 100*share)
}

// witnessRows are the lines of the CSV about witnesses.
func witnessRows(all []concert.RehearsedWitness) (rows [][]string) {
	for _, w := range all {
		for _, f := range w.Figures() {
			rows = append(rows, []string{"witness", f.Of, "", f.Metric, fmt.Sprint(f.Value), f.Definition})
		}
	}
	return rows
}

// rehearsalRows are the lines of the CSV.
func rehearsalRows(k *concert.Rehearsal) (rows [][]string) {
	if k == nil {
		return nil
	}
	for _, f := range k.Figures() {
		rows = append(rows, []string{"known_content", f.Of, "", f.Metric, fmt.Sprint(f.Value), f.Definition})
	}
	return rows
}
