package concert_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"concert"
)

func TestARehearsalCountsWhatWasFoundBesideTheTruth(t *testing.T) {
	t.Parallel()
	got := concert.Rehearsed(9, []concert.RehearsedCopy{
		{1, concert.AlterNone, "a"}, {1, concert.AlterNone, "a"}, {1, concert.AlterBlur, "a"}, {1, concert.AlterCrop10, ""},
		{2, concert.AlterNone, "b"}, {2, concert.AlterBlur, "c"}, {3, concert.AlterBlur, "c"},
		{4, concert.AlterBytes, ""},
	})
	want := concert.Rehearsal{Captured: 9, Compared: 8, Works: 4, Found: 5, Pairs: 7, Joined: 4, Right: 3, Rows: []concert.RehearsedRow{
		{Alteration: concert.AlterBytes, Items: 1},
		{Alteration: concert.AlterNone, Items: 3, Asked: 2, Found: 2, Beside: 4, Right: 4},
		{Alteration: concert.AlterBlur, Items: 3, Asked: 2, Found: 1, Beside: 4, Right: 2},
		{Alteration: concert.AlterCrop10, Items: 1, Asked: 1},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if recall, told := got.Rows[2].Recall(); !told || recall != .5 {
		t.Errorf("recall %v %v", recall, told)
	}
	if precision, told := got.Precision(); !told || precision != .75 {
		t.Errorf("precision %v %v", precision, told)
	}
	if _, told := got.Rows[0].Recall(); told {
		t.Error("a recall of nothing")
	}
}
