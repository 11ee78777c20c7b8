package match_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"concert/internal/match"
)

// A fingerprint of an invented melody, as fpcalc 1.5.1 prints it and as its -raw has it.
const melody = "AQAAC2snpZGQ8I2M_MFTHU0oJUF_dNMVNCeuXB8uZXjCASAMIYQIBYggCA"

func TestFingerprintsAreReadAsFPCalcPrintsThem(t *testing.T) {
	t.Parallel()
	want := match.Sound{1444581508, 1376551079, 1375764902, 1342292646, 1342314198, 1346516678, 1351754326, 1353720422, 3231981862, 3232044070, 3232499750}
	if got, err := match.ParseSound(melody); err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v", got, err)
	}
	for _, bad := range []string{"", "A", "AQAA", "AQAAC2snpZ", "AgAAC2snpZGQ8I2M", "AQ___2snpZGQ8I2M", "EXERCISE!", melody + "="} {
		if got, err := match.ParseSound(bad); err == nil {
			t.Errorf("%q: %v", bad, got)
		}
	}
}

// tune draws a fingerprint that walks as those of music do.
func tune(r *rand.Rand, n int) match.Sound {
	s, now := make(match.Sound, n), r.Uint32()
	for i := range s {
		for range 1 + r.IntN(4) {
			now ^= 1 << r.IntN(32)
		}
		s[i] = now
	}
	return s
}

// heard is a sound with a share of its bits wrong.
func heard(r *rand.Rand, s match.Sound, wrong float64) match.Sound {
	s = slices.Clone(s)
	for i := range s {
		for bit := range 32 {
			if r.Float64() < wrong {
				s[i] ^= 1 << bit
			}
		}
	}
	return s
}

func TestSoundsAreFoundWithTheirStretch(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(7, 7))
	song, talk := tune(r, 1000), tune(r, 600)
	// Half of the song, in between two other sounds.
	film := slices.Concat(talk[:200], heard(r, song[300:800], 0.1), talk[200:])
	m, ok := match.CompareSounds(film, song)
	if !ok || math.Abs(float64(m.A-200)) > 8 || m.B-m.A != 100 || math.Abs(float64(m.Values-500)) > 16 || m.ErrorRate < 0.08 || m.ErrorRate > 0.14 {
		t.Errorf("%+v, %v", m, ok)
	}
	same, ok := match.CompareSounds(song, song)
	if !ok || same.Values != len(song) || same.ErrorRate != 0 {
		t.Errorf("a song and itself: %+v", same)
	}
	still, noise := make(match.Sound, 400), func() match.Sound { return heard(r, make(match.Sound, 400), 0.12) }
	for what, pair := range map[string][2]match.Sound{
		"another song": {song, talk}, "too short": {song[:79], song}, "too much wrong": {heard(r, song, 0.4), song}, "nothing": {nil, song}, "silence": {still, still}, "hiss": {noise(), noise()},
		"five seconds": {slices.Concat(talk[:100], song[:40], talk[100:200]), song},
	} {
		if m, ok := match.CompareSounds(pair[0], pair[1]); ok {
			t.Errorf("%s: %+v", what, m)
		}
	}
	bank, err := match.NewBank(t.Context(), []match.Known{{Name: "EXERCISE talk", Sound: talk}, {Name: "EXERCISE song", Sound: song}})
	if err != nil {
		t.Fatal(err)
	}
	defer bank.Close()
	hits, err := bank.Find(match.Sought{Sound: film[:700]}, 31)
	if err != nil || len(hits) != 2 || hits[0].By != match.HashChromaprint || hits[0].Score < 0.98 || hits[1].Entry != 1 || len(hits[1].Segments) != 1 || hits[1].Score < 0.8 {
		t.Errorf("%+v, %v", hits, err)
	}
}

func FuzzSound(f *testing.F) {
	f.Add(melody)
	f.Add("AQAAE0mUaEkSRZEKAAAAAAAAAA")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := match.ParseSound(text)
		if err != nil {
			return
		}
		if len(s) > match.SoundMost {
			t.Fatalf("%d values", len(s))
		}
		match.CompareSounds(s, s)
	})
}
