package webui

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"concert"
)

// One act on many items by forms alone: a preview that tells who would refuse, an act that waits, and its recall.
func TestManyItemsAreChangedAtOnceByForm(t *testing.T) {
	t.Parallel()
	h := open(t)
	refs := h.submit("officer", 3, 1, "")
	h.assessed("officer", refs[:2], concert.SeverityRoutine)
	h.approved("reviewer", refs[:2])
	v := h.as("officer")
	v.post("/templates", url.Values{"purpose": {"remedy"}, "language": {"en"}, "name": {"EXERCISE mistake"}, "text": {"EXERCISE: taken back since {reason}."}}).want(t, http.StatusOK, "EXERCISE mistake")
	v.get("/batches?item="+refs[0]+"&act=withdraw").want(t, http.StatusOK, "EXERCISE mistake")
	form := url.Values{"items": {strings.Join(refs, "\n") + "\nIT-NONE"}, "act": {"withdraw"}, "category": {"other"}, "reason": {"EXERCISE: taken back since {reason}."}}
	v.post("/batches", form).want(t, http.StatusUnprocessableEntity, "{reason} still stands")
	form.Set("reason", "EXERCISE: taken back since we erred.")
	p := v.post("/batches", form).want(t, http.StatusOK, "2 items would change, 2 would refuse.", "Do it, in half a minute")
	form.Set("go", "yes")
	for _, ref := range refs {
		form.Set("version."+ref, p.value("version."+ref))
	}
	p = v.post("/batches", form).want(t, http.StatusOK, "Waits: can be recalled", "Take it back")
	v.post(p.path+"/recall", url.Values{}).want(t, http.StatusOK, "Recalled: nothing was done", "Nothing of it was done")
	v.get("/items/"+refs[0]).want(t, http.StatusOK, "Approved")
	v.get("/batches").want(t, http.StatusOK, "BA-")
}

func TestInternalNoteIsNeverTakenForAMessage(t *testing.T) {
	t.Parallel()
	h := open(t)
	refs := h.submit("officer", 1, 1, "")
	v := h.as("officer")
	p := v.post("/items/"+refs[0]+"/notes", url.Values{"note": {"EXERCISE <b>seen</b> before"}}).want(t, http.StatusOK, "EXERCISE <b>seen</b> before", "Your authority alone reads them")
	if p.first(class("section", "internal")) == nil {
		t.Error("the note does not look internal")
	}
	v.post("/items/"+refs[0]+"/notes", url.Values{"note": {" "}}).want(t, http.StatusUnprocessableEntity, "The note is empty")
}
