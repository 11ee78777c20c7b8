package lookup

import "testing"

// The measure of the re-check: on saved answers no false down, and
// nine in ten right; what is not right is unknown, until an officer records
// what he saw.
//
// The sets were written one after the other, each before its rules' first
// contact with it, and the rules were then changed for it; but for the fourth,
// which they have met once and which stays as it was met. Right at first
// contact: first 35 of 66 with 4 false downs, second 40 of 58 with 2, third
// 34 of 40 with 1, fourth 30 of 31 with none.
func TestG29NineInTenSavedAnswersAreRightAndNoneFalselyDown(t *testing.T) {
	t.Parallel()
	all, sum := 0, 0
	for _, set := range []string{"answers", "first", "second", "third", "fourth"} {
		list := saved(t, set)
		right, up := 0, 0
		for _, a := range list {
			v := Classify(&a.resp)
			switch {
			case v.State == a.state:
				right++
			case v.State == Down:
				t.Errorf("%s/%s: a false down: %s (%s), want %s", set, a.name, v.Reason, v.Detail, a.state)
			default:
				if v.State == Up {
					up++
				}
				t.Logf("%s/%s: %s %s (%s), want %s", set, a.name, v.State, v.Reason, v.Detail, a.state)
			}
		}
		t.Logf("%s: %d of %d right (%.0f %%), %d falsely up", set, right, len(list), 100*float64(right)/float64(len(list)), up)
		if len(list) < 20 || right*10 < len(list)*9 {
			t.Errorf("%s: %d of %d right, want nine in ten of at least 20", set, right, len(list))
		}
		all, sum = all+len(list), sum+right
	}
	t.Logf("in all %d of %d right (%.1f %%)", sum, all, 100*float64(sum)/float64(all))
}
