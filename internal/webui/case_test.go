package webui

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"concert"
	"concert/internal/casework"
)

// folders prepares a case of the officer's that the reviewer is a member of, with a person and an item, an incident, and a watched
// place that was gone through.
func (h *house) folders() (c concert.Case, n concert.Incident, w concert.Watch) {
	h.t.Helper()
	ctx, now := h.t.Context(), h.svc.Now()
	officer, reviewer := h.people["officer"].Actor(), h.people["reviewer"].Actor()
	refs := h.submit("officer", 2, 900, "")
	c, err := h.svc.OpenCase(ctx, officer, concert.Case{Title: "EXERCISE <i>case</i>", Mandate: concert.Mandate{Reference: "EXERCISE 1", Issuer: "EXERCISE court", On: now.AddDate(0, 0, -1), Until: now.AddDate(1, 0, 0)}})
	must(h.t, err)
	c, err = h.svc.AddCaseMember(ctx, officer, c.Ref, c.Version, reviewer.Operator)
	must(h.t, err)
	_, err = h.svc.AddCasePerson(ctx, officer, c.Ref, concert.CasePerson{Category: concert.SubjectWitness, Name: "EXERCISE <b>Nobody</b>", Source: "EXERCISE", Evaluation: "A1", Ground: "EXERCISE: saw it happen."})
	must(h.t, err)
	_, err = h.svc.AddToCase(ctx, officer, c.Ref, refs)
	must(h.t, err)
	n, err = h.svc.DeclareIncident(ctx, reviewer, concert.Incident{Kind: concert.IncidentAttack, Name: "EXERCISE <i>attack</i>", Country: "XN", At: now})
	must(h.t, err)
	_, err = h.svc.AttachToIncident(ctx, officer, n.Ref, refs)
	must(h.t, err)
	w, err = h.svc.WatchPlace(ctx, officer, casework.Watching{Location: "https://t.me/exercise_watched", Outlet: h.outlet.Ref, Owner: concert.WatchOutlet, Cadence: time.Hour})
	must(h.t, err)
	_, s, err := h.svc.SweepPlace(ctx, officer, w.Ref)
	must(h.t, err)
	_, _, err = h.svc.FinishSweep(ctx, officer, s.Ref, concert.SweepNone)
	must(h.t, err)
	_, err = h.svc.RecordTranslation(ctx, officer, refs[0], concert.Translation{Kind: concert.TranslationMachine, Source: "ar", Target: "en", Translator: "EXERCISE engine", Text: "EXERCISE <b>words</b>"})
	must(h.t, err)
	return c, n, w
}

func TestCaseIsWorkedOnItsPages(t *testing.T) {
	t.Parallel()
	h := open(t)
	officer, reviewer, south := h.as("officer"), h.as("reviewer"), h.as("south")
	officer.get("/cases").want(t, http.StatusOK, "You are a member of no case", "Open a case")
	form := url.Values{"title": {"EXERCISE case"}, "reference": {"EXERCISE 1"}, "issuer": {"EXERCISE court"}, "mandate_on": {"2019-01-01"}, "mandate_until": {"2010-01-01"}, "handling": {"H2"}}
	officer.post("/cases", form).want(t, http.StatusUnprocessableEntity, "valid beyond today")
	form.Set("mandate_until", "2099-01-01")
	p := officer.post("/cases", form).want(t, http.StatusOK, "Case opened", "EXERCISE case", "EXERCISE court")
	path := p.path
	for _, v := range []*visitor{reviewer, south} {
		v.get(path).want(t, http.StatusNotFound)
	}
	officer.post(path+"/members", url.Values{"version": {"1"}, "person": {"south"}}).want(t, http.StatusUnprocessableEntity, "your own authority")
	officer.post(path+"/members", url.Values{"version": {"1"}, "person": {"reviewer"}}).want(t, http.StatusOK, h.people["reviewer"].Operator)
	person := url.Values{"name": {"EXERCISE <b>Nobody</b>"}, "source": {"EXERCISE"}, "evaluation": {"A1"}, "ground": {"EXERCISE: saw it happen."}}
	reviewer.post(path+"/persons", person).want(t, http.StatusUnprocessableEntity, "there is no default")
	person.Set("category", "witness")
	reviewer.post(path+"/persons", person).want(t, http.StatusOK, "Witness", "EXERCISE <b>Nobody")
	refs := h.submit("officer", 1, 1, "")
	officer.post(path+"/items", url.Values{"items": {refs[0] + "\nIT-NONE-NONE"}}).want(t, http.StatusUnprocessableEntity, "IT-NONE-NONE")
	officer.get(path).want(t, http.StatusOK, refs[0])
	officer.get("/items/"+refs[0]).want(t, http.StatusOK, "EXERCISE case")
	reviewer.post(path+"/review", url.Values{"version": {"2"}, "ground": {"EXERCISE: all of it is still needed."}}).want(t, http.StatusOK, "another three years", "still needed")
	officer.post(path+"/close", url.Values{"version": {"3"}, "reason": {"EXERCISE: it is over."}}).want(t, http.StatusOK, "Case closed", "Closed")
}

func TestPlaceIsSweptAndItsFindsCounted(t *testing.T) {
	t.Parallel()
	h := open(t)
	officer, both := h.as("officer"), h.as("both")
	form := url.Values{"location": {"https://t.me/exercise_channel"}, "owner": {"person"}, "cadence": {"24"}}
	officer.post("/watchlist", form).want(t, http.StatusForbidden, "within a case")
	form.Set("owner", "outlet")
	form.Set("outlet", h.outlet.Ref)
	path := officer.post("/watchlist", form).want(t, http.StatusOK, "It is due now", "Not gone through yet").path
	p := officer.post(path+"/sweep", url.Values{}).want(t, http.StatusOK, "yours for an hour", "Hand in finds from this sweep")
	both.post(path+"/sweep", url.Values{}).want(t, http.StatusConflict, "colleague is going through")
	var sweep string
	for _, a := range p.all(tag("a")) {
		if s, ok := strings.CutPrefix(attr(a, "href"), "/submit?sweep="); ok {
			sweep = s
		}
	}
	officer.get("/submit?sweep="+sweep).want(t, http.StatusOK, "the yield of your sweep "+sweep)
	officer.post("/submit", url.Values{"locations": {"https://video.example/watch?v=ex000777Ab"}, "evaluation": {"A1"}, "sweep": {sweep}}).want(t, http.StatusOK, "taken: waits")
	officer.post("/sweeps/"+sweep+"/finish", url.Values{"watch": {strings.TrimPrefix(path, "/watchlist/")}, "outcome": {"found"}}).want(t, http.StatusOK, "Sweep recorded", "items handed in", "Gone through")
	h.as("south").get(path).want(t, http.StatusNotFound)
}

func TestLanguagesAndIncidentsOnThePages(t *testing.T) {
	t.Parallel()
	h := open(t)
	officer, reviewer := h.as("officer"), h.as("reviewer")
	ref := h.submit("officer", 1, 1, "")[0]
	officer.post("/languages", url.Values{"languages": {"Arabic"}}).want(t, http.StatusUnprocessableEntity, "names no language")
	officer.post("/languages", url.Values{"languages": {"en-GB, fr"}}).want(t, http.StatusOK, "these are the languages")
	officer.get("/account").want(t, http.StatusOK, "en fr")
	judged := url.Values{"version": {"1"}, "type": {"incites"}, "purpose": {"no_protected_purpose"}, "outlet": {h.outlet.Ref}, "mark": {"EXERCISE logo"}, "mark_where": {"top"}, "language": {"ar"}, "severity": {"routine"}, "evaluation": {"A1"},
		"facts": {"EXERCISE: a made-up video."}, "judgement": {"EXERCISE: would incite."}}
	officer.post("/items/"+ref+"/assessment", judged).want(t, http.StatusForbidden, "leave it to a reader of it")
	officer.post("/items/"+ref+"/translations", url.Values{"kind": {"human"}, "source": {"ar"}, "target": {"en"}, "text": {"EXERCISE"}}).want(t, http.StatusForbidden, "name the translator")
	officer.post("/items/"+ref+"/translations", url.Values{"kind": {"human"}, "source": {"ar"}, "target": {"en"}, "translator": {"EXERCISE <b>sworn"}, "text": {"EXERCISE <script>words"}}).want(t, http.StatusOK, "Translation recorded", "EXERCISE <script>words", "EXERCISE <b>sworn")
	officer.post("/items/"+ref+"/assessment", judged).want(t, http.StatusOK, "Assessment recorded")
	p := reviewer.post("/incidents", url.Values{"kind": {"attack"}, "name": {"EXERCISE <i>attack"}, "country": {"xn"}, "at": {"2019-11-21T08:00"}}).want(t, http.StatusOK, "Incident declared", "EXERCISE <i>attack")
	officer.post("/items/"+ref+"/incident", url.Values{"incident": {strings.TrimPrefix(p.path, "/incidents/")}}).want(t, http.StatusOK, "comes first now", "EXERCISE <i>attack")
	h.as("south").get(p.path).want(t, http.StatusOK, "EXERCISE <i>attack")
	reviewer.post(p.path+"/end", url.Values{"version": {"1"}}).want(t, http.StatusOK, "Incident ended")
}
