package formats_test

import (
	"fmt"
	"strings"
	"testing"

	"concert/internal/formats"
)

const (
	aHash = "f8f8f0cee0f4a84f06370a22038f63f0b36e2ed596621e1d33e6b39c4e9c9b22"
	aSHA1 = "5b1fe44bb7df2bc97664d0c4ef2dabf86daf14cf"
	aMD5  = "28f1fdb6a2c5eb9bbb4dcef12b5818ad"
)

func TestHashListsAreReadInEachForm(t *testing.T) {
	t.Parallel()
	list := "\ufeffsignal_type,signal\n# EXERCISE\n\npdq " + aHash + "\n" + strings.ToUpper(aHash) + ";EXERCISE two words\nvideo_md5," + aMD5 + ",EXERCISE clip\n" + aSHA1 + "\n" +
		`{"file":"EXERCISE.jpg","type":"image/jpeg","sha256":"` + aHash + `","md5":"` + aMD5 + `","pdq":"` + aHash + `","pdq_quality":49}` + "\n" + `{"type":"PDQ","value":"` + aHash + `","name":"EXERCISE named"}` + "\n"
	known, faults, err := formats.ReadHashList(strings.NewReader(list))
	if err != nil || len(faults) > 0 {
		t.Fatal(err, faults)
	}
	got := ""
	for _, k := range known {
		got += fmt.Sprint(k.Name, k.Hashes, "\n")
	}
	want := "line 4map[pdq:" + aHash + "]\nEXERCISE two wordsmap[pdq:" + aHash + "]\nEXERCISE clipmap[md5:" + aMD5 + "]\nline 7map[sha1:" + aSHA1 + "]\nEXERCISE.jpgmap[md5:" + aMD5 + " sha256:" + aHash + "]\nEXERCISE namedmap[pdq:" + aHash + "]\n"
	if got != want {
		t.Errorf("read\n%s, want\n%s", got, want)
	}
}

func TestHashListsNameTheLinesThatSayNothing(t *testing.T) {
	t.Parallel()
	list := "nonsense\n{\n{}\n,;\nmd5\n" + `{"type":"photodna","value":"00"}` + "\n" + strings.Repeat("x", 70_000) + "\n" + aMD5
	known, faults, err := formats.ReadHashList(strings.NewReader(list))
	if err != nil || len(known) != 1 || len(faults) != 7 {
		t.Fatal(len(known), faults, err)
	}
	for i, f := range faults {
		if f.Line != i+1 || f.Why == "" {
			t.Errorf("fault %d: %+v", i, f)
		}
	}
}

func FuzzHashList(f *testing.F) {
	for _, s := range []string{"pdq " + aHash, aMD5 + ",x", `{"pdq":"` + aHash + `"}`, "{\"value\":1}", ",", "\ufeff{"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		known, faults, err := formats.ReadHashList(strings.NewReader(s))
		if err != nil || len(known)+len(faults) > strings.Count(s, "\n")+strings.Count(s, "\r")+1+len(faults) {
			t.Errorf("%d known, %d faults, %v", len(known), len(faults), err)
		}
	})
}
