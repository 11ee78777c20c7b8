package webui

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"concert"
	"concert/internal/casework"
	"concert/internal/testkit"
)

// captured hands in places whose bytes are the same, and assesses them.
func (h *house) captured(work byte, from, n int) []string {
	h.t.Helper()
	var in []casework.Submission
	for i := range n {
		in = append(in, casework.Submission{Location: fmt.Sprintf("https://video.example/watch?v=ex%06dAb", from+i), Type: concert.TypeVideo, Action: h.action.Ref, Evaluation: "A1", SHA256: fmt.Sprintf("%064x", work), Source: "form", Captures: testkit.Seen("EXERCISE")})
	}
	rs, err := h.svc.SubmitItems(h.t.Context(), h.people["officer"].Actor(), in)
	must(h.t, err)
	var refs []string
	for _, r := range rs {
		refs = append(refs, r.Ref)
	}
	h.assessed("officer", refs, concert.SeverityRoutine)
	return refs
}

// Copies are offered together once one was decided on alone; by forms, without scripts.
func TestCopiesAreApprovedTogetherByFormOnceOneWasApprovedAlone(t *testing.T) {
	t.Parallel()
	h := open(t)
	refs := h.captured(1, 1, 4)
	other := h.captured(2, 10, 1)
	v := h.as("reviewer")
	offered := func(p *page) *html.Node { return p.first(tagWith("form", "action", "/approvals/copies")) }
	if p := v.get("/approvals").want(t, http.StatusOK, refs[0], refs[3], other[0]); offered(p) != nil || p.first(tagWith("button", "name", "decision")) != nil {
		t.Error("a decision is offered on a list, before anything was approved alone")
	}
	// A form that somebody made up gets the rule's answer.
	var forged []string
	for _, ref := range refs {
		forged = append(forged, ref+" 2")
	}
	v.post("/approvals/copies", url.Values{"copy": forged}).want(t, http.StatusForbidden, "cannot be approved together with others")
	p := v.get("/items/"+refs[0]+"?from=approvals").want(t, http.StatusOK, "EXERCISE: would incite")
	p = v.post("/items/"+refs[0]+"/decision", url.Values{"version": {p.value("version")}, "decision": {"approve"}, "from": {p.value("from")}}).want(t, http.StatusOK, "Approved", "3 copies of "+refs[0], "Approve 3 copies")
	if p.path != "/approvals" {
		t.Errorf("after the decision: %s", p.path)
	}
	form := offered(p)
	var copies []string
	for _, n := range all(form, tagWith("input", "name", "copy")) {
		copies = append(copies, attr(n, "value"))
	}
	if got := strings.Join(copies, "|"); got != refs[1]+" 2|"+refs[2]+" 2|"+refs[3]+" 2" {
		t.Errorf("the form names %s", got)
	}
	p = v.post("/approvals/copies", url.Values{"copy": copies}).want(t, http.StatusOK, "Copies approved", other[0])
	if offered(p) != nil {
		t.Error("copies are offered that are approved already")
	}
	v.post("/approvals/copies", url.Values{"copy": copies}).want(t, http.StatusPreconditionFailed, "someone else changed this")
	rep := h.as("coordinator").get("/actions/"+h.action.Ref+"/report").want(t, http.StatusOK, "How approvals were given", "Blind second looks")
	for _, want := range []string{"Approvals 4", "Given alone 1", "Given in bulk 3", "Given alone, unopened 0"} {
		if !strings.Contains(rep.text(), want) {
			t.Errorf("the report does not say %q", want)
		}
	}
}

// drawn is an item that will be drawn for a second look when it is approved.
func (h *house) drawn() string {
	h.t.Helper()
	scope, err := concert.NewScope(h.people["officer"].Actor(), working)
	must(h.t, err)
	for from := 1; ; from += 50 {
		for _, ref := range h.submit("officer", 50, from, h.action.Ref) {
			it, err := h.svc.ReadItem(h.t.Context(), scope, ref)
			must(h.t, err)
			if concert.Drawn(h.svc.DB.Draw(it.ID)) {
				return ref
			}
		}
	}
}

// Second looks and accuracy by forms and pages.
func TestSecondLookIsGivenByForm(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.join(t.Context(), "third", h.units[0].Ref, "", concert.RoleReviewer)
	ref := h.drawn()
	h.assessed("officer", []string{ref}, concert.SeverityRoutine)
	h.approved("reviewer", []string{ref})
	v := h.as("third")
	action := "/second-looks/" + ref
	if p := v.get("/second-looks").want(t, http.StatusOK, "One approval in fifty", ref, "waits for you"); p.first(tagWith("a", "href", action)) == nil {
		t.Error("no link leads to the second look")
	}
	p := v.get(action).want(t, http.StatusOK, "EXERCISE Outlet <b>", "Would you refer it?")
	for _, shown := range []string{p.body, v.get("/second-looks").body, v.get("/second-looks?state=any").body} {
		if strings.Contains(shown, "would incite") || strings.Contains(shown, "made-up logo") || strings.Contains(shown, h.people["officer"].Operator) {
			t.Error("the second look is not blind")
		}
	}
	v.post(action, url.Values{"verdict": {"disagree"}, "reason": {"no"}}).want(t, http.StatusUnprocessableEntity, "at least twenty characters")
	v.post(action, url.Values{"verdict": {"disagree"}, "reason": {"EXERCISE: to me it reads as a report about it."}}).want(t, http.StatusOK, "Second look recorded")
	h.as("officer").get("/second-looks").want(t, http.StatusOK, "disagreed", ref, "EXERCISE: to me it reads as a report about it.", h.people["third"].Operator)
	v.get(action).want(t, http.StatusConflict, "has had its second look")
	v.get("/items/"+ref).want(t, http.StatusOK, "Blind second look", "would not refer it")
	officer := h.people["officer"].Operator
	v.get("/accuracy").want(t, http.StatusOK, officer, "0 of 1", "too few to conclude anything")
	h.as("auditor").get("/accuracy").want(t, http.StatusOK)
	h.as("south").get("/accuracy").want(t, http.StatusOK, h.people["south"].Operator)
	if p := h.as("answerer").get("/accuracy"); p.status != http.StatusForbidden {
		t.Errorf("a provider's person sees accuracy: %d", p.status)
	}
}
