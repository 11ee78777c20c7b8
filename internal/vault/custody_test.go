package vault

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

const someManifest = "00000000000000000000000000000000000000000000000000000000000000aa"

// custodyText is a log of n records and its head.
func custodyText(t testing.TB, key *Key, n int) (lines [][]byte, beside []byte) {
	t.Helper()
	prev := strings.Repeat("0", digestLength)
	for i := range n {
		act := ActVerified
		if i == 0 {
			act = ActSealed
		}
		line, err := (Custody{N: int64(i + 1), At: stamp(clock()), Act: act, By: "A. Nobody", Reason: fmt.Sprint("EXERCISE ", i), Manifest: someManifest, Prev: prev}).line(key)
		must(t, err)
		lines = append(lines, line)
		prev = hashLine(line)
	}
	beside, err := headText(int64(n), prev, key)
	must(t, err)
	return lines, beside
}

func kinds(v CustodyVerdict) []string {
	var out []string
	for _, f := range v.Faults {
		out = append(out, f.Kind)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// P6: every edit, drop, other order and truncation is found, and told apart.
func TestWhatWasDoneToACustodyLogIsToldApart(t *testing.T) {
	t.Parallel()
	for _, key := range []*Key{testSigner(t), nil} {
		lines, beside := custodyText(t, key, 6)
		check := func(list [][]byte) CustodyVerdict {
			return CheckCustody(bytes.Join(list, nil), beside, someManifest, nil)
		}
		if v := check(lines); !v.Whole() || len(v.Faults) != 0 || len(v.Records) != 6 || v.Head.N != 6 {
			t.Fatalf("the log itself: %+v", v)
		}
		for i := range lines {
			edited := slices.Clone(lines)
			edited[i] = bytes.Replace(lines[i], []byte("A. Nobody"), []byte("B. Nobody"), 1)
			if v := check(edited); !slices.Equal(kinds(v), []string{FaultEdited}) || v.Faults[0].N != int64(i+1) {
				t.Errorf("record %d edited, signed %v: %+v", i+1, key != nil, v.Faults)
			}
			if i < 5 {
				dropped := slices.Delete(slices.Clone(lines), i, i+1)
				if v := check(dropped); !slices.Equal(kinds(v), []string{FaultDropped}) {
					t.Errorf("record %d dropped: %+v", i+1, v.Faults)
				}
				other := slices.Clone(lines)
				other[i], other[i+1] = other[i+1], other[i]
				if v := check(other); !slices.Equal(kinds(v), []string{FaultReordered}) {
					t.Errorf("records %d and %d in another order: %+v", i+1, i+2, v.Faults)
				}
			}
			if i > 0 {
				if v := check(lines[:i]); !slices.Equal(kinds(v), []string{FaultTruncated}) {
					t.Errorf("cut after %d: %+v", i, v.Faults)
				}
			}
			torn := append(slices.Clone(lines[:i]), lines[i][:len(lines[i])/2])
			if v := check(torn); v.Whole() {
				t.Errorf("cut inside record %d is whole", i+1)
			}
		}
		twice := append(slices.Clone(lines), lines[5])
		if v := check(twice); !slices.Contains(kinds(v), FaultAdded) {
			t.Errorf("a record twice: %+v", v.Faults)
		}
		if v := CheckCustody(bytes.Join(lines, nil), beside, strings.Repeat("b", digestLength), nil); v.Whole() {
			t.Error("another exhibit's log is whole")
		}
		// Log and head cut together are told only by a head that was kept elsewhere.
		_, headShort := custodyText(t, key, 4)
		outside := Head{6, hashLine(lines[5])}
		if v := CheckCustody(bytes.Join(lines[:4], nil), headShort, someManifest, &outside); !slices.Contains(kinds(v), FaultTruncated) {
			t.Errorf("cut with its head: %+v", v.Faults)
		}
		// A new head for what was left wants a key that signed a record.
		for _, who := range []*Key{nil, testSigner(t)} {
			made, err := headText(4, hashLine(lines[3]), who)
			must(t, err)
			if v := CheckCustody(bytes.Join(lines[:4], nil), made, someManifest, nil); key != nil && v.Whole() {
				t.Errorf("cut, with a head by somebody else: %+v", v)
			}
		}
		// What a crash leaves: the record is there, the head is one behind; or a record is torn.
		_, behind := custodyText(t, key, 5)
		if v := CheckCustody(bytes.Join(lines, nil), behind, someManifest, nil); !v.Whole() || len(v.Notes) != 1 {
			t.Errorf("a head behind: %+v", v)
		}
		if v := CheckCustody(append(bytes.Join(lines[:5], nil), lines[5][:30]...), behind, someManifest, nil); !v.Whole() || !slices.Equal(kinds(v), []string{FaultTorn}) {
			t.Errorf("a torn record: %+v", v)
		}
		if v := CheckCustody(bytes.Join(lines, nil), nil, someManifest, nil); v.Whole() {
			t.Error("without its head it is whole")
		}
	}
}

// Whoever writes the whole log anew, with a chain and a head that fit, still lacks the key.
func TestACustodyLogWrittenAnewWithoutTheKeyIsFound(t *testing.T) {
	t.Parallel()
	key, thief := testSigner(t), testSigner(t)
	prev := strings.Repeat("0", digestLength)
	var log []byte
	for i := range 3 {
		act := ActVerified
		if i == 0 {
			act = ActSealed
		}
		rec := Custody{N: int64(i + 1), At: stamp(clock()), Act: act, By: "B. Nobody", Manifest: someManifest, Prev: prev, Key: key.Public()}
		text, err := canonical(rec)
		must(t, err)
		line, err := canonical(signed{rec, thief.sign(custodyType, text)})
		must(t, err)
		log, prev = append(log, line...), hashLine(line)
	}
	beside, err := headText(3, prev, thief)
	must(t, err)
	if v := CheckCustody(log, beside, someManifest, nil); !slices.Equal(kinds(v), []string{FaultEdited}) || len(v.Faults) != 3 {
		t.Errorf("%+v", v.Faults)
	}
}

func TestABagChangesHandsWithTwoSignatures(t *testing.T) {
	t.Parallel()
	job := sealJob(t, source(t))
	seal(t, job)
	giver, taker := job.Key, testSigner(t)
	open := func(bag string, key *Key) *CustodyLog {
		t.Helper()
		log, err := OpenCustody(bag, key)
		must(t, err)
		return log
	}
	log := open(job.Bag, giver)
	if _, err := OpenCustody(job.Bag, giver); err == nil {
		t.Error("two write into one log")
	}
	if _, _, err := Receive(log, Custody{At: stamp(clock()), By: "B. Nobody"}); err == nil {
		t.Error("received before anybody handed it over")
	}
	if _, err := HandOver(log, Custody{At: stamp(clock()), By: "A. Nobody"}); err == nil {
		t.Error("handed over to nobody")
	}
	rec, err := HandOver(log, Custody{At: stamp(clock()), By: "A. Nobody", To: "EXERCISE prosecutor"})
	must(t, err)
	told := log.Head()
	must(t, log.Close())
	there := filepath.Join(tempDir(t), "there")
	must(t, os.CopyFS(there, os.DirFS(job.Bag)))
	log = open(there, giver)
	if _, _, err := Receive(log, Custody{At: stamp(clock()), By: "A. Nobody"}); err == nil {
		t.Error("giver and receiver are one")
	}
	must(t, log.Close())
	log = open(there, taker)
	got, receipt, err := Receive(log, Custody{At: stamp(clock()), By: "B. Nobody"})
	must(t, err)
	must(t, log.Close())
	if got.N != rec.N+1 || got.To != "EXERCISE prosecutor" || got.From != "A. Nobody" || got.Key != taker.Public() {
		t.Errorf("%+v", got)
	}
	log = open(job.Bag, giver)
	forged := bytes.Replace(receipt, []byte("B. Nobody"), []byte("C. Nobody"), 1)
	if _, err := log.Adopt(forged); err == nil {
		t.Error("a forged receipt is taken")
	}
	if _, err := log.Adopt(receipt); err != nil {
		t.Error(err)
	}
	if _, err := log.Adopt(receipt); err == nil {
		t.Error("a receipt is taken twice")
	}
	must(t, log.Close())
	here, err := os.ReadFile(filepath.Join(job.Bag, custodyName))
	must(t, err)
	other, err := os.ReadFile(filepath.Join(there, custodyName))
	must(t, err)
	if !bytes.Equal(here, other) {
		t.Error("the two ends tell different histories")
	}
	if v, err := VerifyEvidence(t.Context(), VerifyJob{Bag: there, Head: &told}); err != nil || !v.Custody.Whole() {
		t.Errorf("%+v, %v", v.Custody.Faults, err)
	}
	// A log with a gap takes no more.
	must(t, os.WriteFile(filepath.Join(there, custodyName), other[bytes.IndexByte(other, '\n')+1:], 0o600))
	if _, err := OpenCustody(there, taker); err == nil || !strings.Contains(err.Error(), "gap") {
		t.Errorf("%v", err)
	}
}

func TestManyRecordsAtOnceMakeOneChain(t *testing.T) {
	t.Parallel()
	job := sealJob(t, source(t))
	seal(t, job)
	log, err := OpenCustody(job.Bag, job.Key)
	must(t, err)
	var g sync.WaitGroup
	errs := make(chan error, 300)
	for i := range 300 {
		g.Go(func() {
			_, _, err := log.Add(Custody{At: stamp(clock()), Act: ActVerified, By: "A. Nobody", Reason: fmt.Sprint(i)})
			errs <- err
		})
	}
	g.Wait()
	close(errs)
	for err := range errs {
		must(t, err)
	}
	must(t, log.Close())
	raw, err := os.ReadFile(filepath.Join(job.Bag, custodyName))
	must(t, err)
	beside, err := os.ReadFile(filepath.Join(job.Bag, custodyHead))
	must(t, err)
	_, manifest, err := readManifest(job.Bag)
	must(t, err)
	if v := CheckCustody(raw, beside, manifest, nil); !v.Whole() || len(v.Records) != 301 || v.Head.N != 301 {
		t.Errorf("%d records, %+v", len(v.Records), v.Faults)
	}
	// A torn end is cut off by whoever writes next, and nothing else is.
	must(t, os.WriteFile(filepath.Join(job.Bag, custodyName), append(raw, []byte(`{"record":{"act`)...), 0o600))
	log, err = OpenCustody(job.Bag, job.Key)
	must(t, err)
	rec, _, err := log.Add(Custody{At: stamp(clock()), Act: ActVerified, By: "A. Nobody"})
	if err != nil || rec.N != 302 {
		t.Errorf("%+v, %v", rec, err)
	}
	must(t, log.Close())
	if _, _, err := log.Add(Custody{At: stamp(clock()), Act: ActVerified, By: "A. Nobody"}); err == nil || errors.Is(err, os.ErrNotExist) {
		t.Errorf("a closed log takes records: %v", err)
	}
}

func FuzzCustody(f *testing.F) {
	lines, beside := custodyText(f, nil, 3)
	f.Add(bytes.Join(lines, nil), beside)
	// The same in every worker of the fuzzer.
	signed, head := custodyText(f, &Key{ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))}, 2)
	f.Add(bytes.Join(signed, nil), head)
	whole := map[string]bool{string(bytes.Join(lines, nil)): true, string(bytes.Join(signed, nil)): true}
	f.Fuzz(func(t *testing.T, log, beside []byte) {
		v := CheckCustody(log, beside, someManifest, nil)
		if v.Whole() && len(v.Records) > 0 && bytes.Contains(log, []byte(`"key"`)) && !whole[string(log)] && bytes.HasSuffix(log, []byte("\n")) && !bytes.HasPrefix(bytes.Join(signed, nil), log) {
			t.Errorf("a signed log that nobody signed: %q", log)
		}
		_, _, _ = parseCustody(log)
		_, _, _ = parseHead(beside)
		_, _ = ParseHead(string(log))
	})
}
