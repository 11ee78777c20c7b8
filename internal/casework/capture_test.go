package casework_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"concert"
	"concert/internal/casework"
	"concert/internal/testkit"
	"concert/internal/vault"
)

// judge assesses one item soundly and gives the refusal's code.
func judge(h *testkit.House, t *testing.T, by concert.Actor, ref string) string {
	t.Helper()
	out, err := h.AssessItems(t.Context(), by, []casework.Judging{{Item: ref, Version: h.Item(ref).Version, Outlet: h.Outlet.Ref, Assessment: testkit.Judgement()}})
	testkit.Must(t, err)
	if out[0].Err != nil {
		if !strings.Contains(out[0].Err.Message, ref) {
			t.Errorf("the refusal does not name the item: %s", out[0].Err.Message)
		}
		return out[0].Err.Code
	}
	return out[0].Outcome
}

// bare hands in a place without a capture.
func bare(h *testkit.House, t *testing.T, by concert.Actor, place string) casework.Result {
	t.Helper()
	out, err := h.SubmitItems(t.Context(), by, []casework.Submission{{Location: place, Type: concert.TypeVideo, Source: "form"}})
	testkit.Must(t, err)
	if out[0].Err != nil {
		t.Fatal(out[0].Err)
	}
	return out[0]
}

// take adds a capture and fails on a refusal.
func take(h *testkit.House, t *testing.T, by concert.Actor, in casework.Capturing) concert.Capture {
	t.Helper()
	c, err := h.AddCapture(t.Context(), by, in)
	testkit.Must(t, err)
	return c
}

func text(s string) io.Reader { return strings.NewReader(s) }

func TestG06NoAssessmentWithoutAFreshCaptureOfTheOwnAuthority(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ann, sue := h.North.Officers[0], h.South.Officers[0]
		it := bare(h, t, ann, testkit.Page(1))
		if got := judge(h, t, ann, it.Ref); got != "assessment.capture" {
			t.Errorf("without any capture: %s", got)
		}
		// Another authority found it, too, and captured it: that is not for North to judge by.
		bare(h, t, sue, testkit.Page(1))
		take(h, t, sue, casework.Capturing{Item: it.Ref, Bytes: text("EXERCISE what the south saw")})
		if got := judge(h, t, ann, it.Ref); got != "assessment.capture" {
			t.Errorf("with another authority's capture: %s", got)
		}
		old := take(h, t, ann, casework.Capturing{Item: it.Ref, SeenAt: h.Now().Add(-concert.CaptureFresh - time.Minute), Bytes: text("EXERCISE seen the day before")})
		if got := judge(h, t, ann, it.Ref); got != "assessment.capture" {
			t.Errorf("with a capture of yesterday: %s", got)
		}
		// In a batch each entry is told so by itself.
		other := h.Submit(ann, testkit.Page(2))[0]
		out, err := h.AssessItems(t.Context(), ann, []casework.Judging{{Item: it.Ref, Version: it.Version, Outlet: h.Outlet.Ref, Assessment: testkit.Judgement()}, {Item: other.Ref, Version: other.Version, Outlet: h.Outlet.Ref, Assessment: testkit.Judgement()}})
		testkit.Must(t, err)
		if got := outcomes(out); got != "assessment.capture assessed" {
			t.Errorf("in a batch: %s", got)
		}
		if msg := out[0].Err.Message; !strings.Contains(msg, old.Ref) || !strings.Contains(msg, "concert capture add") {
			t.Errorf("the refusal names neither the capture nor the way: %s", msg)
		}
		// A capture may come along with the assessment; one that is refused keeps neither.
		third := bare(h, t, ann, testkit.Page(3))
		bad := testkit.Judgement()
		bad.Facts = "short"
		out, err = h.AssessItems(t.Context(), ann, []casework.Judging{{Item: third.Ref, Version: third.Version, Outlet: h.Outlet.Ref, Assessment: bad, Captures: testkit.Seen(third.Ref)}})
		testkit.Must(t, err)
		if got := outcomes(out); got != "assessment.facts" || len(h.Item(third.Ref).Captures) != 0 {
			t.Errorf("with an unsound assessment: %s, captures %d", got, len(h.Item(third.Ref).Captures))
		}
		out, err = h.AssessItems(t.Context(), ann, []casework.Judging{{Item: third.Ref, Version: third.Version, Outlet: h.Outlet.Ref, Assessment: testkit.Judgement(), Captures: testkit.Seen(third.Ref)}})
		testkit.Must(t, err)
		if got := outcomes(out); got != string(concert.ItemAssessed) || len(h.Item(third.Ref).Captures) != 1 {
			t.Errorf("with a capture of its own: %s", got)
		}
		// A colleague's capture of the same authority will do.
		take(h, t, h.North.Officers[1], casework.Capturing{Item: it.Ref, Bytes: text("EXERCISE seen by a colleague")})
		if got := judge(h, t, ann, it.Ref); got != string(concert.ItemAssessed) {
			t.Errorf("with a fresh capture: %s", got)
		}
	})
}

func TestG06CapturesAreCheckedAndNobodysWordIsTaken(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ann := h.North.Officers[0]
		it := bare(h, t, ann, testkit.Page(1))
		for name, c := range map[string]casework.Capturing{
			"capture.empty":   {Kind: concert.CaptureFile, Bytes: text("")},
			"capture.kind":    {Kind: concert.CaptureScreenshot, Bytes: text("<!doctype html><title>no picture</title>")},
			"capture.seen_at": {SeenAt: h.Now().Add(time.Hour), Bytes: text("EXERCISE")},
			"capture.vantage": {Vantage: strings.Repeat("x", concert.VantageMost+1), Bytes: text("EXERCISE")},
			"capture.unread":  {Bytes: io.MultiReader(text("EXERCISE"), iotest.ErrReader(errors.New("broken")))},
		} {
			c.Item = it.Ref
			if _, err := h.AddCapture(t.Context(), ann, c); code(err) != name {
				t.Errorf("%s: %v", name, err)
			}
		}
		for name, by := range map[string]concert.Actor{"not_found": h.South.Officers[0], "role.missing": h.Coordinator} {
			if _, err := h.AddCapture(t.Context(), by, casework.Capturing{Item: it.Ref, Bytes: text("EXERCISE")}); code(err) != name {
				t.Errorf("%s: %v", name, err)
			}
		}
		// The first capture of the content's own bytes is what copies are found by.
		c := take(h, t, ann, casework.Capturing{Item: it.Ref, Kind: concert.CaptureFile, Vantage: "EXERCISE line", Bytes: text("EXERCISE the work itself")})
		sum := sha256.Sum256([]byte("EXERCISE the work itself"))
		if v := h.Item(it.Ref); v.Hash != hex.EncodeToString(sum[:]) || v.Version != it.Version || c.SHA256 != v.Hash || c.MediaType != "text/plain" {
			t.Errorf("item has %q, version %d; capture %+v", v.Hash, v.Version, c)
		}
		// The same bytes seen at the same moment are the same capture.
		at := h.Now().Add(-time.Minute)
		one := take(h, t, ann, casework.Capturing{Item: it.Ref, SeenAt: at, Bytes: text("EXERCISE again")})
		if two := take(h, t, ann, casework.Capturing{Item: it.Ref, SeenAt: at, Bytes: text("EXERCISE again")}); two.Ref != one.Ref {
			t.Errorf("sent twice: %s and %s", one.Ref, two.Ref)
		}
		stopped, err := h.SubmitItems(t.Context(), ann, []casework.Submission{{Location: "http://video.example/", Source: "form", Captures: testkit.Seen("x")}})
		testkit.Must(t, err)
		if _, err := h.AddCapture(t.Context(), ann, casework.Capturing{Item: stopped[0].Ref, Bytes: text("EXERCISE")}); stopped[0].Outcome != casework.OutcomeStopped || code(err) != "capture.not_needed" {
			t.Errorf("what the guard stopped: %+v, %v", stopped[0], err)
		}
	})
}

// read is a capture's bytes as their authority's people get them: opened knowingly where they are veiled.
func read(h *testkit.House, t *testing.T, by concert.Actor, ref string) (string, error) {
	t.Helper()
	got, err := glance(h, t, by, ref)
	if code(err) == "capture.veiled" {
		_, _, err = h.RevealCapture(t.Context(), testkit.Scope(t, by), ref, false)
		testkit.Must(t, err)
		return glance(h, t, by, ref)
	}
	return got, err
}

// glance asks for a capture's bytes and no more.
func glance(h *testkit.House, t *testing.T, by concert.Actor, ref string) (string, error) {
	t.Helper()
	_, r, err := h.OpenCapture(t.Context(), testkit.Scope(t, by), ref)
	if err != nil {
		return "", err
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	return string(b), err
}

// big are bytes that lie in a file.
func big(seed byte) []byte {
	b := bytes.Repeat([]byte{seed, 'E', 'X', 'E', 'R', 'C', 'I', 'S', 'E'}, 40_000)
	return b[:300_001]
}

func TestCapturesAreStoredOnceSealedAndForTheirAuthorityAlone(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ann, sue := h.North.Officers[0], h.South.Officers[0]
		places := []casework.Result{bare(h, t, ann, testkit.Page(1)), bare(h, t, ann, testkit.Page(2))}
		bare(h, t, sue, testkit.Page(1))
		var refs []string
		for i := range 2 {
			c := take(h, t, ann, casework.Capturing{Item: places[i].Ref, Kind: concert.CaptureFile, Bytes: bytes.NewReader(big(1))})
			refs = append(refs, c.Ref)
		}
		souths := take(h, t, sue, casework.Capturing{Item: places[0].Ref, Kind: concert.CaptureFile, Bytes: bytes.NewReader(big(1))})
		small := take(h, t, ann, casework.Capturing{Item: places[0].Ref, Kind: concert.CaptureFile, Bytes: text("EXERCISE small and secret")})
		raw := testkit.Raw(t, h.Service)
		if n := testkit.Count(t, raw, "SELECT count(*) FROM captured_bytes WHERE file <> ''"); n != 2 {
			t.Errorf("equal bytes of two authorities lie %d times, wanted is once for each", n)
		}
		for _, ref := range append(refs, souths.Ref) {
			by := ann
			if ref == souths.Ref {
				by = sue
			}
			if got, err := read(h, t, by, ref); got != string(big(1)) {
				t.Errorf("%s reads back %d bytes, %v", ref, len(got), err)
			}
		}
		if got, err := read(h, t, h.North.Reviewers[0], small.Ref); got != "EXERCISE small and secret" {
			t.Errorf("a small one reads %q, %v", got, err)
		}
		// Coordinators and auditors know of it; nobody outside reads it.
		for name, by := range map[string]concert.Actor{"south": sue, "coordinator": h.Coordinator, "auditor": h.Auditor} {
			if got, err := read(h, t, by, small.Ref); err == nil {
				t.Errorf("%s reads %q", name, got)
			}
		}
		for by, want := range map[string]int{"north": 2, "south": 1, "coordinator": 3, "auditor": 3} {
			who := map[string]concert.Actor{"north": ann, "south": sue, "coordinator": h.Coordinator, "auditor": h.Auditor}[by]
			cs, err := h.ItemCaptures(t.Context(), testkit.Scope(t, who), places[0].Ref)
			if err != nil || len(cs) != want || cs[0].SHA256 == "" || cs[0].Operator == "" {
				t.Errorf("%s knows of %d, %v: %+v", by, len(cs), err, cs)
			}
		}
		h.CaptureMost = 200_000
		if _, err := h.AddCapture(t.Context(), ann, casework.Capturing{Item: places[1].Ref, Bytes: bytes.NewReader(big(9))}); code(err) != "capture.too_large" {
			t.Errorf("over the bound: %v", err)
		}
		if got := sealedFiles(t, h); len(got) != 2 {
			t.Errorf("files left: %v", got)
		}
	})
}

// sealedFiles are the files of the vault, half written ones, too; each is looked into for what must not be readable.
func sealedFiles(t *testing.T, h *testkit.House) []string {
	t.Helper()
	var out []string
	testkit.Must(t, h.Vault.Each(func(_, path string, _ fs.FileInfo) error {
		text, err := os.ReadFile(path)
		if bytes.Contains(text, []byte("EXERCISE")) {
			t.Errorf("%s is readable", path)
		}
		out = append(out, filepath.Base(path))
		return err
	}))
	return out
}

// expire runs the clocks until nothing of the item's captures has bytes.
func expire(h *testkit.House, t *testing.T, refs ...string) {
	t.Helper()
	testkit.Await(t, "the captures' bytes are erased", func() bool {
		for _, ref := range refs {
			for _, c := range h.Item(ref).Captures {
				if c.ErasedAt.IsZero() {
					return false
				}
			}
		}
		return true
	})
}

func TestG22CapturesAreErasedByTheClock(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ann := h.North.Officers[0]
		h.At(day, brisk)
		items := h.Approved(testkit.Page(1), testkit.Page(2))
		gone, shared := items[0].Ref, items[1].Ref
		one := take(h, t, ann, casework.Capturing{Item: gone, Kind: concert.CaptureFile, Bytes: bytes.NewReader(big(1))})
		take(h, t, ann, casework.Capturing{Item: shared, Kind: concert.CaptureFile, Bytes: bytes.NewReader(big(1))})
		stop := testkit.Run(t, h.Service)
		sent(h, t, gone)
		sent(h, t, shared)
		stop()
		testkit.Must(t, h.PlaceLegalHold(t.Context(), h.North.Reviewers[0], shared, h.Item(shared).Version, ground))

		// Five months on all is there; a month later what no legal hold keeps is gone.
		h.At(day.AddDate(0, 5, 0), 1)
		stop = testkit.Run(t, h.Service)
		raw := testkit.Raw(t, h.Service)
		testkit.Await(t, "the clock asks again in the sixth month", func() bool {
			return testkit.Count(t, raw, fmt.Sprintf("SELECT count(*) FROM clock WHERE kind = 'item.captures' AND due_at > %d", concert.Micros(day.AddDate(0, 5, 20)))) == 2
		})
		stop()
		if got, err := read(h, t, ann, one.Ref); len(got) == 0 {
			t.Errorf("in the fifth month: %v", err)
		}
		h.At(day.AddDate(0, concert.CaptureMonths, 1), 1)
		stop = testkit.Run(t, h.Service)
		expire(h, t, gone)
		stop()
		if _, err := read(h, t, ann, one.Ref); code(err) != "capture.erased" {
			t.Errorf("after six months: %v", err)
		}
		v := h.Item(shared)
		if !v.Captures[0].ErasedAt.IsZero() || len(sealedFiles(t, h)) != 1 {
			t.Errorf("under a legal hold: %+v, files %v", v.Captures[0], sealedFiles(t, h))
		}
		// What is left of the others: that there was one, its digest, who saw it when.
		if c := h.Item(gone).Captures[0]; c.SHA256 == "" || c.Operator == "" || c.ErasedAt.IsZero() {
			t.Errorf("what is left: %+v", c)
		}
		testkit.Must(t, h.LiftLegalHold(t.Context(), h.North.Reviewers[0], shared, v.Version, ground))
		stop = testkit.Run(t, h.Service)
		expire(h, t, shared)
		testkit.Await(t, "the file is removed", func() bool { return len(sealedFiles(t, h)) == 0 })
		stop()
		if n := testkit.Count(t, raw, "SELECT count(*) FROM captured_bytes o WHERE o.sealed IS NOT NULL OR o.address IS NOT NULL OR EXISTS (SELECT 1 FROM subject_key k WHERE k.subject = o.id)"); n != 0 {
			t.Errorf("%d of the erased have bytes, an address or a key", n)
		}
		if n := testkit.Count(t, raw, "SELECT count(*) FROM event WHERE kind = 'capture.erased'"); n != 4 {
			t.Errorf("%d erasures are recorded, wanted are 4", n)
		}
	})
}

func TestG22CapturesGoWithTheirItem(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ctx, ann := t.Context(), h.North.Officers[0]
		it := h.Submit(ann, testkit.Page(1))[0]
		kept := bare(h, t, ann, testkit.Page(2))
		take(h, t, ann, casework.Capturing{Item: it.Ref, Kind: concert.CaptureFile, Bytes: bytes.NewReader(big(1))})
		both := take(h, t, ann, casework.Capturing{Item: it.Ref, Bytes: bytes.NewReader(big(2))})
		other := take(h, t, ann, casework.Capturing{Item: kept.Ref, Bytes: bytes.NewReader(big(2))})
		testkit.Must(t, h.AskErasure(ctx, ann, it.Ref, it.Version, concert.ErasureMistaken, ground))
		testkit.Must(t, h.EraseItem(ctx, h.North.Reviewers[0], it.Ref, h.Item(it.Ref).Version))
		if _, err := read(h, t, ann, both.Ref); code(err) != "capture.erased" {
			t.Errorf("the erased item's capture: %v", err)
		}
		if got, err := read(h, t, ann, other.Ref); got != string(big(2)) {
			t.Errorf("equal bytes of another item: %v", err)
		}
		if v := h.Item(it.Ref); len(v.Captures) != 0 {
			t.Errorf("an erased item shows %+v", v.Captures)
		}
		stop := testkit.Run(t, h.Service)
		defer stop()
		raw := testkit.Raw(t, h.Service)
		if n := testkit.Count(t, raw, "SELECT count(*) FROM capture WHERE sealed IS NOT NULL AND erased_at > 0"); n != 0 {
			t.Errorf("%d erased captures tell of themselves", n)
		}
		if n := testkit.Count(t, raw, `SELECT count(*) FROM event WHERE kind = 'item.erased' AND body LIKE '%"captures":3%'`); n != 1 {
			t.Error("the erasure does not say how many captures went with it")
		}
	})
}

// tampered changes one byte of every file of the vault.
func tampered(t *testing.T, h *testkit.House) {
	t.Helper()
	testkit.Must(t, h.Vault.Each(func(_, path string, info fs.FileInfo) error {
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		text[len(text)/2] ^= 1
		return os.WriteFile(path, text, info.Mode())
	}))
}

func TestFilesOfCapturesAreBackedUpAndVerifiedOnRestore(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ann := h.North.Officers[0]
		it := bare(h, t, ann, testkit.Page(1))
		c := take(h, t, ann, casework.Capturing{Item: it.Ref, Bytes: bytes.NewReader(big(5))})
		take(h, t, ann, casework.Capturing{Item: it.Ref, Bytes: bytes.NewReader(big(6))})
		kept, err := vault.OpenDir(filepath.Join(t.TempDir(), "backup.captures"))
		testkit.Must(t, err)
		for range 2 { // what lies there already stays
			if got, err := h.BackupCaptures(t.Context(), kept); err != nil || got.Copied != 2 || len(got.Missing) != 0 {
				t.Fatalf("%+v, %v", got, err)
			}
		}
		// Another data directory: empty, then filled, and one file damaged on the way.
		h.Vault, err = vault.OpenDir(filepath.Join(t.TempDir(), "captures"))
		testkit.Must(t, err)
		if _, err := read(h, t, ann, c.Ref); code(err) != "capture.missing" {
			t.Errorf("before: %v", err)
		}
		if got, err := h.RestoreCaptures(t.Context(), kept); err != nil || got.Copied != 2 {
			t.Fatalf("%+v, %v", got, err)
		}
		if got, err := read(h, t, ann, c.Ref); got != string(big(5)) {
			t.Errorf("after: %d bytes, %v", len(got), err)
		}
		whole := h.Vault
		h.Vault = kept
		tampered(t, h)
		h.Vault, err = vault.OpenDir(filepath.Join(t.TempDir(), "captures"))
		testkit.Must(t, err)
		if got, err := h.RestoreCaptures(t.Context(), kept); err != nil || len(got.Missing) != 2 {
			t.Errorf("damaged ones: %+v, %v", got, err)
		}
		h.Vault = whole
	})
}
