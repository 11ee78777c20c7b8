package webui

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"concert"
	"concert/internal/formats"
)

func TestEveryReasonAndCodeHasWords(t *testing.T) {
	t.Parallel()
	for _, c := range append([]concert.ErasureCode{concert.ErasureLawful, concert.ErasureStopped, concert.ErasureTakenBack}, concert.ErasureCodes...) {
		if erasureTexts[c] == "" {
			t.Errorf("reason %s has no words", c)
		}
	}
	for _, c := range concert.Handlings {
		if handlingTexts[c] == "" {
			t.Errorf("handling code %s has no words", c)
		}
	}
}

func TestG20AnItemIsErasedOnItsPage(t *testing.T) {
	t.Parallel()
	h := open(t)
	refs := h.submit("officer", 2, 1, h.action.Ref)
	path := "/items/" + refs[0]
	officer, reviewer := h.as("officer"), h.as("reviewer")
	form := func(v *visitor, fields url.Values) url.Values {
		t.Helper()
		fields.Set("version", v.get(path).value("version"))
		return fields
	}
	officer.get(path).want(t, http.StatusOK, "Ask for its erasure")
	officer.post(path+"/erasure", form(officer, url.Values{"code": {"data_subject"}, "reason": {"short"}})).want(t, http.StatusUnprocessableEntity, "at least ten characters", "short")
	officer.post(path+"/erasure", form(officer, url.Values{"code": {"data_subject"}, "reason": {"EXERCISE canary reason"}})).want(t, http.StatusOK, "Asked for", "canary reason")
	if p := officer.get(path); strings.Contains(p.text(), "Erase it for good") {
		t.Error("an officer is offered to confirm")
	}
	reviewer.post(path+"/legal-hold", form(reviewer, url.Values{"reason": {"EXERCISE it is evidence"}})).want(t, http.StatusOK, "Legal hold placed", "It stands since")
	reviewer.post(path+"/erasure/confirm", form(reviewer, url.Values{})).want(t, http.StatusConflict, "legal hold")
	reviewer.post(path+"/legal-hold", form(reviewer, url.Values{"lift": {"yes"}, "reason": {"EXERCISE the case is over"}})).want(t, http.StatusOK, "Legal hold lifted")
	reviewer.post(path+"/handling", form(reviewer, url.Values{"code": {"H2"}, "reason": {"EXERCISE its giver asks for it"}})).want(t, http.StatusOK, "Handling code changed", "H2: not to be passed on")
	reviewer.get(path).want(t, http.StatusOK, "Erase it for good", "canary reason")
	p := reviewer.post(path+"/erasure/confirm", form(reviewer, url.Values{})).want(t, http.StatusOK, "Erased", "the person concerned asked", "data_subject")
	if strings.Contains(p.body, "canary") || strings.Contains(p.body, "video.example") || strings.Contains(p.body, "ex000001") {
		t.Errorf("the page of an erased item shows %s", p.text())
	}
	officer.get(path).want(t, http.StatusOK, "Nothing of it can be read")
	if p := officer.get("/items"); strings.Contains(p.text(), refs[0]) || !strings.Contains(p.text(), refs[1]) {
		t.Errorf("the queue shows %s", p.text())
	}
	scope, err := concert.NewScope(h.people["officer"].Actor(), working)
	must(t, err)
	it, err := h.svc.ReadItem(t.Context(), scope, refs[0])
	must(t, err)
	officer.post(path+"/assessment", url.Values{"version": {strconv.FormatInt(it.Version, 10)}, "type": {"incites"}, "purpose": {"no_protected_purpose"}, "outlet": {h.outlet.Ref}, "mark": {"x"}, "mark_where": {"x"}, "language": {"en"}, "severity": {"routine"}, "evaluation": {"A1"}, "facts": {"EXERCISE facts of it"}, "judgement": {"EXERCISE judgement"}}).want(t, http.StatusGone, "was erased")
	proof := officer.get(path + "/erasure.json")
	v, err := formats.VerifyErasure(strings.NewReader(proof.body), h.svc.LogKey, nil)
	if err != nil || !v.Verified || v.Erasure.Item != refs[0] || formats.FormatOf([]byte(proof.body)) != concert.ErasureProofFormat {
		t.Errorf("the proof: %+v, %v", v, err)
	}
	h.as("south").get(path+"/erasure.json").want(t, http.StatusNotFound)
}
