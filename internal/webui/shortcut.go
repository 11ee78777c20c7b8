package webui

import (
	"net/http"

	"concert/internal/design"
)

// keysCookie keeps in this browser that single keys are off. Keys without Ctrl
// can be in the way of speech input, so that whoever wants them off has them off (WCAG
// 2.2, 2.1.4).
const keysCookie = "concert-keys"

// shortcut is a key with what it does. Names of keys are the same everywhere.
type shortcut struct {
	Keys []string
	What design.Text
}

// shortcutGroup is what keys do on some pages.
type shortcutGroup struct {
	ID    string
	Title design.Text
	Keys  []shortcut
}

// shortcuts are all keys. The pages mark what a key does by aria-keyshortcuts; the script
// does no more than to press what is marked.
var shortcuts = []shortcutGroup{
	{"everywhere", "Everywhere", []shortcut{
		{[]string{"Ctrl", "K"}, "Find anything: a reference, an exact place, a name, a page"},
		{[]string{"/"}, "To the search field"},
		{[]string{"?"}, "These keys"},
		{[]string{"n"}, "Take the next item"},
		{[]string{"j"}, "Next row"},
		{[]string{"k"}, "Row before"},
		{[]string{"Enter"}, "Open the row"},
		{[]string{"Esc"}, "Close what is open, leave the field"},
	}},
	{"item", "On an item", []shortcut{
		{[]string{"c"}, "Claim it"},
		{[]string{"b"}, "Give it back"},
		{[]string{"s"}, "Skip it and take the next"},
		{[]string{"p"}, "Park it"},
		{[]string{"h"}, "Hand it over"},
		{[]string{"e"}, "Escalate it"},
		{[]string{"t"}, "Take it over from a colleague"},
	}},
	{"assessing", "Assessing", []shortcut{
		{[]string{"a"}, "To the form"},
		{[]string{"o"}, "No protected purpose"},
		{[]string{"x"}, "Exempt"},
		{[]string{"1"}, "Type (a); 2 to 5 are (b) to (e)"},
		{[]string{"Ctrl", "Enter"}, "Record, and take the next"},
	}},
	{"deciding", "Deciding", []shortcut{
		{[]string{"r"}, "Make ready to approve; Enter confirms"},
		{[]string{"d"}, "Make ready to reject: write the ground, Ctrl Enter confirms"},
	}},
	{"order", "On a removal order", []shortcut{
		{[]string{"r"}, "Make ready to review, approve or issue; Enter confirms"},
		{[]string{"d"}, "Make ready to return: write why, Ctrl Enter confirms"},
		{[]string{"e"}, "Write the draft anew"},
		{[]string{"c"}, "Clarify"},
		{[]string{"x"}, "Withdraw, or give up what was not issued"},
	}},
	{"going", "To a page: g, then", []shortcut{
		{[]string{"g", "d"}, "Your desk"},
		{[]string{"g", "i"}, "Items"},
		{[]string{"g", "s"}, "Hand in"},
		{[]string{"g", "a"}, "Approvals"},
		{[]string{"g", "h"}, "Holds"},
		{[]string{"g", "l"}, "Second looks"},
		{[]string{"g", "j"}, "Joint actions"},
		{[]string{"g", "r"}, "Referrals to us"},
		{[]string{"g", "o"}, "Removal orders"},
	}},
}

// keysPage lists the keys.
type keysPage struct {
	Groups []shortcutGroup
	On     bool
	Part   bool // inside a dialog
}

// keysOn reports whether this browser's reader wants keys.
func keysOn(r *http.Request) bool {
	c, err := r.Cookie(keysCookie)
	return err != nil || c.Value != "off"
}

func (u *UI) keys(w http.ResponseWriter, r *http.Request, v *visit) error {
	p := keysPage{Groups: shortcuts, On: keysOn(r), Part: isPart(r)}
	if p.Part {
		return u.part(w, r, v, keysView(p))
	}
	return u.show(w, r, v, view{title: say(r.Context(), "Keys"), body: keysView(p)})
}

func (u *UI) setKeys(w http.ResponseWriter, r *http.Request, _ *visit) error {
	if field(r, "keys") == "off" {
		u.setCookie(w, keysCookie, "off", readerSeconds)
		return onward(w, r, "/keys", "keys_off", "")
	}
	u.setCookie(w, keysCookie, "", -1)
	return onward(w, r, "/keys", "keys_on", "")
}

// isPart reports whether a script asks for the inside of a dialog.
func isPart(r *http.Request) bool { return r.URL.Query().Get("part") != "" }
