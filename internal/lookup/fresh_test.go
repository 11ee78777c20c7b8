package lookup

import "testing"

func TestFirstContact(t *testing.T) {
	right, falseDown := 0, 0
	all := saved(t, "third")
	for _, a := range all {
		v := Classify(&a.resp)
		if v.State == a.state {
			right++
		} else {
			t.Logf("%s: %s %s (%s), want %s", a.name, v.State, v.Reason, v.Detail, a.state)
		}
		if v.State == Down && a.state != Down {
			falseDown++
		}
	}
	t.Logf("%d of %d right, %d false down", right, len(all), falseDown)
}
