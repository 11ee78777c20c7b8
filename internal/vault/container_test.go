package vault

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"concert/internal/sandbox"
)

func zipText(t testing.TB, names ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, n := range names {
		f, err := w.Create(n)
		must(t, err)
		_, err = f.Write([]byte("EXERCISE " + n))
		must(t, err)
	}
	must(t, w.Close())
	return b.Bytes()
}

func gzipText(t testing.TB, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err := w.Write(b)
	must(t, errors.Join(err, w.Close()))
	return out.Bytes()
}

const realImage = "../../../shared/data/evidence/ext2.E01"

// Hostile containers are named outcomes; each is sealed whole, and none stops another.
func TestHostileContainersAreSealedWholeAndNamed(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(tempDir(t), "src")
	bomb := gzipText(t, make([]byte, 40<<20))
	files := map[string][]byte{
		"good.zip": zipText(t, "a", "../../etc/EXERCISE"), "bomb.gz": bomb, "cut.zip": zipText(t, "a")[:40], "no.7z": []byte("7z\xbc\xaf\x27\x1c\x00\x04 EXERCISE that is none, and goes on for a while"),
		"x.tar": tarText(), "image.Ex01": []byte("EVF2\r\n\x81\x00 EXERCISE"), "lone.E02": append([]byte("EVF\x09\r\n\xff\x00\x01\x02\x00\x00\x00"), plain(500)...),
		"cut.E01": append([]byte("EVF\x09\r\n\xff\x00\x01\x01\x00\x00\x00"), plain(500)...), "disk.aff4": zipText(t, "information.turtle", "container.description"),
	}
	for name, b := range files {
		write(t, filepath.Join(dir, name), b)
	}
	job := sealJob(t, dir)
	job.Limits = Limits{Floor: 1 << 20, Ratio: 2}
	out := seal(t, job)
	got := map[string]string{}
	for _, c := range out.Manifest.Containers {
		got[strings.TrimPrefix(c.Path, "data/src/")] = c.Outcome
		if c.Outcome != "" && c.Note == "" {
			t.Errorf("%s: %s, and not why", c.Path, c.Outcome)
		}
	}
	for name, want := range map[string]string{"good.zip": "", "bomb.gz": OutcomeLimit, "cut.zip": OutcomeDamaged, "no.7z": OutcomeDamaged, "x.tar": "", "image.Ex01": OutcomeRefused, "lone.E02": OutcomeDamaged, "cut.E01": OutcomeDamaged, "disk.aff4": OutcomeRefused} {
		if o, ok := got[name]; !ok || o != want {
			t.Errorf("%s is %q, wanted %q", name, o, want)
		}
	}
	for _, it := range out.Manifest.Items {
		if b, ok := files[strings.TrimPrefix(it.Path, "data/src/")]; ok {
			if s := sha256.Sum256(b); it.SHA256 != hex.EncodeToString(s[:]) || it.Outcome != "" {
				t.Errorf("%s is not sealed whole: %+v", it.Path, it)
			}
		}
	}
	i := slices.IndexFunc(out.Manifest.Containers, func(c Container) bool { return strings.HasSuffix(c.Path, "good.zip") })
	members := out.Manifest.Containers[i].Members
	s := sha256.Sum256([]byte("EXERCISE ../../etc/EXERCISE"))
	if len(members) != 2 || members[1].Name[0] != "../../etc/EXERCISE" || members[1].Note == "" || members[1].SHA256 != hex.EncodeToString(s[:]) {
		t.Errorf("%+v", members)
	}
	if _, err := os.Lstat(filepath.Join(dir, "../../etc/EXERCISE")); err == nil {
		t.Error("a member was written where its name leads")
	}
	v, err := VerifyEvidence(t.Context(), VerifyJob{Bag: job.Bag, Children: pool(), Limits: job.Limits})
	if err != nil || !v.Whole() {
		t.Errorf("%+v, %v", v.Findings, err)
	}
}

// A child that does not survive its input costs only that container's inside.
func TestAChildThatDiesIsAnOutcome(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(tempDir(t), "src")
	write(t, filepath.Join(dir, "a.zip"), zipText(t, "a"))
	write(t, filepath.Join(dir, "b"), []byte("EXERCISE"))
	job := sealJob(t, dir)
	job.Children = &sandbox.Pool{Command: []string{"/bin/false"}}
	out := seal(t, job)
	if c := out.Manifest.Containers; len(c) != 1 || c[0].Outcome != OutcomeGone || len(out.Manifest.Remarks()) != 1 {
		t.Errorf("%+v", c)
	}
	job.Bag += "2"
	job.Children = &sandbox.Pool{Command: []string{"/bin/echo", "EXERCISE that is no answer"}}
	if c := seal(t, job).Manifest.Containers; len(c) != 1 || c[0].Outcome != OutcomeGone {
		t.Errorf("%+v", c)
	}
	// What the child could not read the first time may be read later; that is told, and is no damage of the bytes.
	if v := verify(t, job.Bag); len(v.Findings) != 1 || v.Findings[0].Kind != FoundReads {
		t.Errorf("%+v", v.Findings)
	}
}

// The real image in a bag: its media has digests of its own, and a flipped bit is told three ways.
func TestAnImageInABagHasItsVerdicts(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile(realImage)
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("the real image is not there")
	}
	must(t, err)
	path := filepath.Join(tempDir(t), "ext2.E01")
	write(t, path, b)
	job := sealJob(t, path)
	out := seal(t, job)
	if c := out.Manifest.Containers; len(c) != 1 || c[0].Media == nil || !c[0].Media.Whole() || c[0].Media.MD5 != "196066add11fb71c4c49cf1bb50d6d24" || c[0].Media.SHA256 != "a6c2f0e39afe6c6ab432ca5465349fcefe8dc944398e97b2d957d3f89dbb5d80" {
		t.Fatalf("%+v", c)
	}
	flip(t, filepath.Join(job.Bag, "data/ext2.E01"), 6000)
	v := verify(t, job.Bag)
	kinds := map[string]bool{}
	for _, f := range v.Findings {
		kinds[f.Kind] = true
	}
	if !kinds[FoundAltered] || !kinds[FoundReads] || len(v.Containers) != 1 || v.Containers[0].Media.Whole() {
		t.Errorf("%+v", v.Findings)
	}
	if ewfverify, err := exec.LookPath("ewfverify"); err == nil {
		if exec.CommandContext(t.Context(), ewfverify, "-q", filepath.Join(job.Bag, "data/ext2.E01")).Run() == nil {
			t.Error("ewfverify finds the flipped image whole")
		}
		if out, err := exec.CommandContext(t.Context(), ewfverify, "-q", path).CombinedOutput(); err != nil {
			t.Errorf("ewfverify of the real image: %v: %s", err, out)
		}
	}
}

func TestSegmentsOfOneImageAreOneContainer(t *testing.T) {
	t.Parallel()
	item := func(p string) *done { return &done{Item: Item{Path: p}, Kind: KindEWF} }
	sets := containerSets([]*done{item("data/a.E01"), item("data/a.E02"), item("data/a.E04"), item("data/b.e01"), item("data/b.e02"), item("data/c.s01"), {Item: Item{Path: "data/z"}, Kind: KindZip}, {Item: Item{Path: "data/text"}}})
	got := []string{}
	for _, s := range sets {
		got = append(got, strings.Join(s.paths, "+"))
	}
	if want := []string{"data/a.E01+data/a.E02", "data/a.E04", "data/b.e01+data/b.e02", "data/c.s01", "data/z"}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}
