package casework_test

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"concert"
	"concert/internal/casework"
	"concert/internal/formats"
	"concert/internal/testkit"
)

func screenshot(t *testing.T, w, h int) []byte {
	t.Helper()
	var out bytes.Buffer
	testkit.Must(t, png.Encode(&out, image.NewGray(image.Rect(0, 0, w, h))))
	return out.Bytes()
}

// bomb is a picture that says it has four thousand million points.
func bomb() []byte {
	out := []byte("\x89PNG\r\n\x1a\n")
	head := append([]byte("IHDR"), 0, 0, 0xff, 0xff, 0, 0, 0xff, 0xff, 8, 2, 0, 0, 0)
	out = binary.BigEndian.AppendUint32(out, 13)
	return binary.BigEndian.AppendUint32(append(out, head...), crc32.ChecksumIEEE(head))
}

func TestCapturesAreOpenedInChildrenOnly(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		h.Children = testkit.Children(t)
		ann := h.North.Officers[0]
		it := bare(h, t, ann, testkit.Page(1))
		add := func(b []byte) string {
			return take(h, t, ann, casework.Capturing{Item: it.Ref, Bytes: bytes.NewReader(b)}).Ref
		}
		show := func(ref string) formats.Rendition {
			t.Helper()
			_, p, err := h.PreviewCapture(t.Context(), testkit.Scope(t, ann), ref)
			if code(err) == "capture.veiled" {
				_, _, err = h.RevealCapture(t.Context(), testkit.Scope(t, ann), ref, false)
				testkit.Must(t, err)
				_, p, err = h.PreviewCapture(t.Context(), testkit.Scope(t, ann), ref)
			}
			testkit.Must(t, err)
			return p
		}
		p := show(add(screenshot(t, 2560, 1440)))
		if m, err := jpeg.Decode(bytes.NewReader(p.Picture)); err != nil || m.Bounds().Dx() != 1280 || p.Width != 2560 || len(p.Small) == 0 {
			t.Errorf("a screenshot: %d by %d, %v", p.Width, p.Height, err)
		}
		if p := show(add([]byte("<!doctype html><title>EXERCISE</title><script>evil()</script><p>seen"))); p.Title != "EXERCISE" || p.Text != "seen" || len(p.Picture) > 0 {
			t.Errorf("a page: %+v", p)
		}
		if p := show(add([]byte("WARC/1.1\r\nWARC-Type: resource\r\nContent-Length: 2\r\n\r\nhi\r\n\r\n"))); len(p.Records) != 1 || p.Records[0].Size != 2 {
			t.Errorf("an archive: %+v", p)
		}
		for name, b := range map[string][]byte{"bomb": bomb(), "cut": screenshot(t, 300, 300)[:120], "video": []byte("\x1a\x45\xdf\xa3 EXERCISE"), "pdf": []byte("%PDF-1.7 EXERCISE"), "unknown": {0, 1, 2, 3}} {
			if p := show(add(b)); p.Note == "" || len(p.Picture) > 0 || p.Text != "" {
				t.Errorf("%s: %+v", name, p)
			}
		}
		// Readings are recorded, previews, too; and nobody else gets one.
		raw := testkit.Raw(t, h.Service)
		if n := testkit.Count(t, raw, `SELECT count(*) FROM event WHERE kind = 'consulted' AND body LIKE '%"what":"preview"%'`); n != 8 {
			t.Errorf("%d previews are recorded, wanted are 8", n)
		}
		for _, by := range []concert.Actor{h.South.Officers[0], h.Coordinator, h.Auditor} {
			if _, _, err := h.PreviewCapture(t.Context(), testkit.Scope(t, by), add([]byte("EXERCISE"))); err == nil {
				t.Errorf("%v sees a preview", by.Roles)
			}
		}
	})
}

// A video is opened by ffmpeg at the end of a pipe, also one whose index stands behind its pictures, as telephones and most programs
// write it.
func TestAVideoShowsItsFirstFrame(t *testing.T) {
	program, err := exec.LookPath("ffmpeg")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("there is no ffmpeg, and CI must not leave videos out: ./check installs it")
		}
		t.Skip("there is no ffmpeg here: ./check installs it")
	}
	film := func(name string, args ...string) []byte {
		t.Helper()
		path := filepath.Join(t.TempDir(), name)
		args = slices.Concat([]string{"-nostdin", "-loglevel", "error", "-f", "lavfi", "-i", "mandelbrot=size=640x360:rate=25", "-t", "3"}, args, []string{path})
		if out, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		b, err := os.ReadFile(path)
		testkit.Must(t, err)
		return b
	}
	films := map[string][]byte{"index behind": film("behind.mp4"), "index in front": film("front.mp4", "-movflags", "faststart"), "no index": film("none.mkv")}
	inHouse(t, func(t *testing.T, h *testkit.House) {
		h.Children = testkit.Children(t)
		ann := h.North.Officers[0]
		it := bare(h, t, ann, testkit.Page(1))
		for name, b := range films {
			ref := take(h, t, ann, casework.Capturing{Item: it.Ref, Bytes: bytes.NewReader(b)}).Ref
			_, _, err := h.RevealCapture(t.Context(), testkit.Scope(t, ann), ref, false)
			testkit.Must(t, err)
			_, p, err := h.PreviewCapture(t.Context(), testkit.Scope(t, ann), ref)
			testkit.Must(t, err)
			if m, err := jpeg.Decode(bytes.NewReader(p.Picture)); err != nil || m.Bounds().Dx() != 640 || m.Bounds().Dy() != 360 {
				t.Errorf("%s: %q, %v", name, p.Note, err)
			}
		}
	})
}

func TestG26ACaptureLeavesForACourtUnderAnInstrumentOnly(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ctx, ann, rex := t.Context(), h.North.Officers[0], h.North.Reviewers[0]
		it := bare(h, t, ann, testkit.Page(1))
		c := take(h, t, ann, casework.Capturing{Item: it.Ref, Kind: concert.CaptureFile, Vantage: "EXERCISE line", Bytes: bytes.NewReader(big(3))})
		testkit.Must(t, h.MarkAtrocity(ctx, ann, it.Ref, ground))
		_, err := h.PreserveItem(ctx, rex, it.Ref, preserved(h, concert.PreservedHere))
		testkit.Must(t, err)
		sound := concert.CaptureInstrument{Issuer: "EXERCISE court", Reference: "EXERCISE 12/2019", Recipient: "EXERCISE court, registry", Justification: "EXERCISE: ordered for the proceedings 12/2019"}
		for name, change := range map[string]func(*concert.CaptureInstrument){
			"capture.instrument":   func(in *concert.CaptureInstrument) { in.Reference = "" },
			"export.recipient":     func(in *concert.CaptureInstrument) { in.Recipient = "" },
			"export.justification": func(in *concert.CaptureInstrument) { in.Justification = "because" },
		} {
			in := sound
			change(&in)
			if _, err := h.ExportCapture(ctx, rex, c.Ref, in); code(err) != name {
				t.Errorf("%s: %v", name, err)
			}
		}
		for _, by := range []concert.Actor{h.South.Reviewers[0], h.Coordinator, h.Auditor} {
			if _, err := h.ExportCapture(ctx, by, c.Ref, sound); err == nil {
				t.Errorf("%v exports it", by.Roles)
			}
		}
		write, err := h.ExportCapture(ctx, rex, c.Ref, sound)
		testkit.Must(t, err)
		var out bytes.Buffer
		testkit.Must(t, write(&out))
		records, more, err := formats.ReadWARC(bytes.NewReader(out.Bytes()), 10)
		if err != nil || more || len(records) != 2 || records[0].SHA256 != c.SHA256 || records[0].Size != c.Size || records[0].Wrong || records[1].Wrong {
			t.Fatalf("%+v, %v", records, err)
		}
		for _, word := range []string{"EXERCISE 12/2019", "EXERCISE line", "EXERCISE archive", testkit.Page(1), c.SHA256} {
			if !strings.Contains(out.String(), word) {
				t.Errorf("the archive does not say %q", word)
			}
		}
		raw := testkit.Raw(t, h.Service)
		if n := testkit.Count(t, raw, "SELECT count(*) FROM event WHERE kind = 'capture.exported'"); n != 1 {
			t.Errorf("%d exports are recorded", n)
		}
		// What its giver keeps from courts stays (G23).
		testkit.Must(t, h.ChangeHandling(ctx, rex, it.Ref, h.Item(it.Ref).Version, concert.HandlingNotJudicial, ground))
		if _, err := h.ExportCapture(ctx, rex, c.Ref, sound); code(err) != "handling.blocked" {
			t.Errorf("under H1: %v", err)
		}
	})
}

func TestABrokenFileIsNoticed(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ann := h.North.Officers[0]
		it := bare(h, t, ann, testkit.Page(1))
		c := take(h, t, ann, casework.Capturing{Item: it.Ref, Bytes: bytes.NewReader(big(4))})
		tampered(t, h)
		_, _, err := h.RevealCapture(t.Context(), testkit.Scope(t, ann), c.Ref, false)
		testkit.Must(t, err)
		_, r, err := h.OpenCapture(t.Context(), testkit.Scope(t, ann), c.Ref)
		if err == nil {
			_, err = io.ReadAll(r)
			r.Close()
		}
		if err == nil {
			t.Error("a changed file was read to its end")
		}
	})
}
