package exercise

import (
	"bytes"
	"fmt"
	"image/jpeg"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"concert"
	"concert/internal/formats"
	"concert/internal/match"
	"concert/internal/vault"
	"concert/pdq"
)

// hashed is a picture's file as a child reads it.
func hashed(t testing.TB, file []byte) formats.Picture {
	t.Helper()
	p := formats.HashPicture(vault.Sniff(file), file)
	if p.Error != "" || len(p.Turned) != 8 {
		t.Fatalf("no hash: %s", p.Error)
	}
	return p
}

// found is what a row of the table counts.
type found struct {
	copies, found, wrong int
	distance             int // summed over what was found
}

// leastFound is which share of the copies with an alteration is found at the least.
// What is not named is told in docs/known-alterations.md and held to nothing.
var leastFound = map[concert.Alteration]float64{
	concert.AlterNone: 1, concert.AlterJPEG: 1, concert.AlterJPEGLow: 1, concert.AlterPNG: .98, concert.AlterHalf: .98, concert.AlterStretch: .98, concert.AlterBright: .9, concert.AlterDark: 1,
	concert.AlterContrast: .98, concert.AlterBlur: .98, concert.AlterMirror: .98, concert.AlterTurn: .98, concert.AlterLogo: .6, concert.AlterResent: .5,
}

// TestAlteredPicturesAreFoundAsFarAsPDQGoes draws works, alters a copy of each in
// every way, and asks the index for it as the house does: in eight orientations,
// within the radius of copies. With CONCERT_KNOWN_WORKS=400 and -v it prints the
// table of docs/known-alterations.md.
func TestAlteredPicturesAreFoundAsFarAsPDQGoes(t *testing.T) {
	t.Parallel()
	works := 20
	if text := os.Getenv("CONCERT_KNOWN_WORKS"); text != "" {
		var err error
		if works, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	x, err := match.OpenHashIndex("", [16]byte{})
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	var all match.HashBatch
	for n := range works {
		p := hashed(t, altered(drawn(uint64(n), n%inScope), concert.AlterNone, nil))
		if p.Quality < 80 {
			t.Errorf("work %d has quality %d, wanted are 80", n, p.Quality)
		}
		all.Add = append(all.Add, match.HashEntry{ID: uint64(n), Hash: p.Turned[0].Bytes()})
	}
	if err := x.Apply(all); err != nil {
		t.Fatal(err)
	}
	rows := make([]found, len(concert.PictureAlterations))
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, a := range concert.PictureAlterations {
		g.Go(func() error {
			for n := range works {
				r := rand.New(rand.NewPCG(uint64(n), uint64(i)))
				if err := rows[i].ask(x, uint64(n), hashed(t, altered(drawn(uint64(n), n%inScope), a, r))); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	table := "| alteration | copies | found | recall | bits that differ, mean | other works matched |\n|---|---|---|---|---|---|\n"
	for i, a := range concert.PictureAlterations {
		f := rows[i]
		recall := float64(f.found) / float64(f.copies)
		if recall < leastFound[a] {
			t.Errorf("%s: %.3f of the copies are found, wanted are %.2f", a, recall, leastFound[a])
		}
		if f.wrong > 0 {
			t.Errorf("%s: %d matches with other works", a, f.wrong)
		}
		mean := "–"
		if f.found > 0 {
			mean = fmt.Sprintf("%.1f", float64(f.distance)/float64(f.found))
		}
		table += fmt.Sprintf("| `%s` | %d | %d | %.1f %% | %s | %d |\n", a, f.copies, f.found, 100*recall, mean, f.wrong)
	}
	t.Log("\n" + table)
}

// ask asks for a copy of a work.
func (f *found) ask(x *match.HashIndex, work uint64, p formats.Picture) error {
	turned := make([]match.Hash, len(p.Turned))
	for i, h := range p.Turned {
		turned[i] = h.Bytes()
	}
	f.copies++
	if p.Quality < pdq.QualityLeast {
		return nil // not compared
	}
	turns, err := x.SearchBatch(nil, turned, match.HashRadii{Other: concert.AlikeRadius})
	if err != nil {
		return err
	}
	nearest := -1
	wrong := map[uint64]bool{}
	for _, ms := range turns {
		for _, m := range ms {
			switch {
			case m.ID != work:
				wrong[m.ID] = true
			case nearest < 0 || m.Distance < nearest:
				nearest = m.Distance
			}
		}
	}
	f.wrong += len(wrong)
	if nearest >= 0 {
		f.found, f.distance = f.found+1, f.distance+nearest
	}
	return nil
}

func TestDrawnCopiesAreTheSameEachTimeAndComeAlongWithTheirItems(t *testing.T) {
	t.Parallel()
	s := newScript(6, 150)
	s.media = 1
	seen := map[concert.Alteration]int{}
	unaltered := map[uint32][]byte{}
	for n := range s.total {
		a, file := s.alteration(n), s.itemBytes(n)
		if seen[a]++; seen[a] <= 2 && !bytes.Equal(file, s.itemBytes(n)) {
			t.Errorf("item %d (%s) has other bytes each time", n, a)
		}
		if len(file) > 64<<10 { // what comes along with an item at the most (docs/captures.md)
			t.Errorf("item %d (%s) has %d bytes: it does not come along with its item", n, a, len(file))
		}
		media := vault.Sniff(file)
		if clip := media == "video/avi"; clip != s.clipWork(s.work(n)) {
			t.Errorf("item %d (%s) is %s", n, a, media)
		}
		if !a.Unaltered() {
			continue
		}
		if was, ok := unaltered[s.work(n)]; ok && !bytes.Equal(was, file) {
			t.Errorf("item %d is no unaltered copy of work %d", n, s.work(n))
		}
		unaltered[s.work(n)] = file
	}
	for _, a := range append(concert.PictureAlterations[:len(concert.PictureAlterations):len(concert.PictureAlterations)], concert.ClipAlterations...) {
		if seen[a] == 0 && !strings.HasPrefix(string(a), "clip") {
			t.Errorf("no copy with %s", a)
		}
	}
	if s.media = 0; s.alteration(0) != concert.AlterBytes {
		t.Error("works are drawn though none shall be")
	}
}

func TestClipsPlay(t *testing.T) {
	t.Parallel()
	for _, a := range concert.ClipAlterations {
		file := clip(9, 1, a, rand.New(rand.NewPCG(3, 4)))
		if !bytes.HasPrefix(file, []byte("RIFF")) || !bytes.Contains(file, []byte("movi00dc")) {
			t.Fatalf("%s: no AVI", a)
		}
		at := bytes.Index(file, []byte("\xff\xd8"))
		if _, err := jpeg.Decode(bytes.NewReader(file[at:])); err != nil {
			t.Errorf("%s: first frame: %v", a, err)
		}
		probe, err := exec.LookPath("ffprobe")
		if err != nil {
			continue
		}
		cmd := exec.Command(probe, "-v", "error", "-count_frames", "-show_entries", "stream=nb_read_frames,duration", "-of", "csv=p=0", "-")
		cmd.Stdin = bytes.NewReader(file)
		said, err := cmd.CombinedOutput()
		want := map[concert.Alteration]string{concert.AlterClipFast: "7.200000,9", concert.AlterClipCut: "6.000000,6"}[a]
		if want == "" {
			want = "9.000000,9"
		}
		if err != nil || strings.TrimSpace(string(said)) != want {
			t.Errorf("%s: %s, %v; want %s", a, said, err, want)
		}
	}
}
