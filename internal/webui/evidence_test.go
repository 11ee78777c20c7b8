package webui

import (
	"bytes"
	"encoding/json"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	agekey "filippo.io/age"

	"concert"
	"concert/internal/testkit"
)

// sendFiles sends a form with files, as a browser does.
func (v *visitor) sendFiles(path string, fields url.Values, files map[string][]byte) *page {
	v.t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	fields.Set("csrf", v.csrf)
	for name := range fields {
		must(v.t, w.WriteField(name, fields.Get(name)))
	}
	for name, raw := range files {
		f, err := w.CreateFormFile(name, name+".file")
		must(v.t, err)
		_, err = f.Write(raw)
		must(v.t, err)
	}
	must(v.t, w.Close())
	res, err := v.http.Post(v.base+path, w.FormDataContentType(), &b)
	return v.read(res, err)
}

func bagFiles(t *testing.T, b *testkit.Bag) map[string][]byte {
	t.Helper()
	f := b.Files(t)
	return map[string][]byte{"custody": f.Log, "head": f.Head}
}

// forms are the addresses that a page's own forms go to.
func (p *page) forms() (out []string) {
	for _, f := range all(p.first(tag("main")), tag("form")) {
		out = append(out, attr(f, "action"))
	}
	return out
}

// opened is a case of somebody's.
func (h *house) opened(login string, members ...string) concert.Case {
	h.t.Helper()
	now := h.svc.Now()
	c, err := h.svc.OpenCase(h.t.Context(), h.people[login].Actor(), concert.Case{Title: "EXERCISE <i>case</i>", Mandate: concert.Mandate{Reference: "EXERCISE 1", Issuer: "EXERCISE court", On: now.AddDate(0, 0, -1), Until: now.AddDate(1, 0, 0)}})
	must(h.t, err)
	for _, m := range members {
		c, err = h.svc.AddCaseMember(h.t.Context(), h.people[login].Actor(), c.Ref, c.Version, h.people[m].Operator)
		must(h.t, err)
	}
	return c
}

const canary = `EXERCISE <script>alert(1)</script> <img src=x onerror=alert(2)>`

// An exhibit is added with its two files, handed to another authority and received there; each sees what is theirs to do, others nothing.
func TestG25ExhibitIsHandedOverOnThePages(t *testing.T) {
	t.Parallel()
	h := open(t)
	bag := testkit.Seal(t)
	c, theirs := h.opened("officer"), h.opened("south")
	officer, south, auditor := h.as("officer"), h.as("south"), h.as("auditor")
	auditor.post("/justification", url.Values{"justification": {working}})
	evidence := "/cases/" + c.Ref + "/evidence"
	if p := officer.get("/cases/"+c.Ref).want(t, http.StatusOK, "Seized evidence"); p.first(tagWith("a", "href", evidence)) == nil {
		t.Error("the case does not lead to its evidence")
	}
	officer.get(evidence).want(t, http.StatusOK, "Add an exhibit", "makes nobody a suspect")
	label := url.Values{"label": {canary}, "manifest": {"short"}}
	p := officer.sendFiles("/cases/"+c.Ref+"/exhibits", label, bagFiles(t, bag)).want(t, http.StatusConflict)
	if got := p.value("label"); got != canary {
		t.Errorf("what was typed is lost: %q", got)
	}
	label.Set("manifest", bag.Manifest)
	p = officer.sendFiles("/cases/"+c.Ref+"/exhibits", label, bagFiles(t, bag)).want(t, http.StatusOK, "The exhibit is in the case", canary, "sealed", bag.Manifest)
	path := p.path
	ref := strings.TrimPrefix(path, "/exhibits/")
	officer.get(evidence).want(t, http.StatusOK, canary, "EXERCISE Unit North", "none here")
	for _, v := range []*visitor{south, h.as("reviewer")} {
		for _, to := range []string{path, evidence} {
			v.get(to).want(t, http.StatusNotFound)
		}
		v.sendFiles("/cases/"+c.Ref+"/exhibits", label, nil).want(t, http.StatusNotFound)
		v.sendFiles(path+"/custody", url.Values{}, nil).want(t, http.StatusNotFound)
		v.sendFiles(path+"/pseudonyms", url.Values{}, map[string][]byte{"file": []byte("x")}).want(t, http.StatusNotFound)
	}
	for _, to := range []string{path, evidence} {
		if forms := auditor.get(to).want(t, http.StatusOK, canary).forms(); len(forms) > 0 {
			t.Errorf("an auditor is offered %v", forms)
		}
	}
	officer.sendFiles(path+"/custody", url.Values{}, bagFiles(t, bag)).want(t, http.StatusConflict, "no record after number")
	locked, _ := testkit.Pseudonyms(t)
	officer.sendFiles(path+"/pseudonyms", url.Values{}, map[string][]byte{"file": locked[:len(locked)-1]}).want(t, http.StatusUnprocessableEntity, "no locked table")
	officer.sendFiles(path+"/pseudonyms", url.Values{}, map[string][]byte{"file": locked}).want(t, http.StatusOK, "2 of 3 custodians", "locked pseudonyms handed in")

	if strings.Contains(south.get("/cases").text(), ref) {
		t.Error("South learns of an exhibit that is not on its way")
	}
	bag.Hand(t)
	officer.sendFiles(path+"/custody", url.Values{}, bagFiles(t, bag)).want(t, http.StatusConflict, "say to which authority")
	p = officer.sendFiles(path+"/hand", url.Values{"to": {h.units[1].Ref}}, bagFiles(t, bag)).want(t, http.StatusOK, "Handed over", "on its way to EXERCISE Unit South")
	if forms := p.forms(); len(forms) > 0 {
		t.Errorf("whoever gave it is offered %v", forms)
	}
	south.get("/cases").want(t, http.StatusOK, "On their way to you", ref)
	p = south.get(path).want(t, http.StatusOK, "Take it into a case of yours")
	if strings.Contains(p.text(), c.Ref) {
		t.Error("the receiver learns of the giver's case")
	}
	bag.Receive(t)
	south.sendFiles(path+"/receive", url.Values{"case": {theirs.Ref}}, bagFiles(t, bag)).want(t, http.StatusOK, "Received", "EXERCISE Unit South", "handed over", "received", theirs.Ref)
	officer.get(path).want(t, http.StatusNotFound)
	p = officer.get(evidence).want(t, http.StatusOK, ref, "EXERCISE Unit South")
	if p.first(tagWith("a", "href", path)) != nil {
		t.Error("the giver is sent to what is another's")
	}
}

// seized is a case of the officer's with reviewer and both in it, and an exhibit whose pseudonyms are here; magistrates of the court and
// of South.
func (h *house) seized() (c concert.Case, x concert.Exhibit, locked []byte, keys []*agekey.X25519Identity) {
	h.t.Helper()
	ctx, officer := h.t.Context(), h.people["officer"].Actor()
	h.join(ctx, "judge", h.units[2].Ref, "", concert.RoleMagistrate)
	h.join(ctx, "stranger-judge", h.units[1].Ref, "", concert.RoleMagistrate)
	c = h.opened("officer", "reviewer", "both")
	x, err := h.svc.AddExhibit(ctx, officer, c.Ref, "EXERCISE server", testkit.Seal(h.t).Files(h.t))
	must(h.t, err)
	locked, keys = testkit.Pseudonyms(h.t)
	_, err = h.svc.KeepPseudonyms(ctx, officer, x.Ref, locked)
	must(h.t, err)
	return c, x, locked, keys
}

const pseudonym = testkit.AddressPseudonym

// factLine is a fact as concert accesslog sessions writes it.
func factLine(t *testing.T, kind, of string) string {
	t.Helper()
	raw, err := json.Marshal(map[string]any{"kind": kind, "at": time.Now().Add(-48 * time.Hour).UTC().Format(time.RFC3339), "file": "access.log", "offset": 117, "length": 203, "line_sha256": strings.Repeat("ab", 32), "pseudonym": of, "evaluation": "A2", "rule": "EXERCISE-rule/1"})
	must(t, err)
	return string(raw)
}

func askedFor(t *testing.T, x concert.Exhibit, court string) url.Values {
	t.Helper()
	return url.Values{"exhibit": {x.Ref}, "judicial": {court}, "purpose": {"prosecution"}, "instrument": {"court_order"}, "issuer": {"EXERCISE court"}, "reference": {"EXERCISE order 1"}, "until": {"2099-01-01"},
		"pseudonym.1": {pseudonym}, "category.1": {"suspect"}, "ground.1": {canary + " uploaded two made-up films"}, "facts.1": {factLine(t, "upload", pseudonym) + "\n" + factLine(t, "log_in", "")}}
}

// The way of a request through the eyes of four people: asked, confirmed by another, authorised by a magistrate of the court that it names,
// shares taken in; each is offered what is theirs, and others find nothing.
func TestG34RequestToOpenPseudonymsThroughFourPeople(t *testing.T) {
	t.Parallel()
	h := open(t)
	c, x, locked, keys := h.seized()
	officer, reviewer, judge, other, auditor := h.as("officer"), h.as("reviewer"), h.as("judge"), h.as("stranger-judge"), h.as("auditor")
	auditor.post("/justification", url.Values{"justification": {working}})
	evidence := "/cases/" + c.Ref + "/evidence"
	officer.get(evidence).want(t, http.StatusOK, "Ask to open pseudonyms", "EXERCISE Court")
	if p := judge.get("/"); p.path != "/reidentifications" {
		t.Errorf("a magistrate begins at %s", p.path)
	}
	judge.get("/reidentifications").want(t, http.StatusOK, "Nothing waits for you here")
	officer.get("/reidentifications").want(t, http.StatusForbidden)

	ask := "/cases/" + c.Ref + "/reidentifications"
	for field, wrong := range map[string]string{"facts.1": "no JSON", "until": "2001-01-01", "purpose": "", "ground.1": "short", "pseudonym.1": strings.Repeat("0", 32)} {
		form := askedFor(t, x, h.units[2].Ref)
		form.Set(field, wrong)
		p := officer.post(ask, form).want(t, http.StatusUnprocessableEntity, "Not recorded yet")
		if got := p.value("reference"); got != "EXERCISE order 1" {
			t.Errorf("%s: what was typed is lost: %q", field, got)
		}
	}
	form := askedFor(t, x, h.units[2].Ref)
	form.Set("facts.1", factLine(t, "view", pseudonym))
	officer.post(ask, form).want(t, http.StatusOK, "Refused. The refusal is recorded.", "a page view or a download is no ground")
	form = askedFor(t, x, h.units[2].Ref)
	form.Set("category.1", "")
	officer.post(ask, form).want(t, http.StatusOK, "Refused.", "an uncategorised visitor is never opened", "uncategorised visitor")

	p := officer.post(ask, askedFor(t, x, h.units[2].Ref)).want(t, http.StatusOK, "Asked for", "waits for a second member", canary, "117", "203", strings.Repeat("ab", 32), "A2", "upload", "log-in")
	path := p.path
	offered := func(v *visitor, want ...string) {
		t.Helper()
		p := v.get(path).want(t, http.StatusOK)
		if got := strings.Join(p.forms(), " "); got != strings.Join(want, " ") {
			t.Errorf("offered is %q, want %q", got, want)
		}
		for _, f := range all(p.first(tag("main")), tag("form")) {
			if len(all(f, tagWith("input", "name", "version"))) != 1 {
				t.Errorf("the form for %s does not carry the version that was seen", attr(f, "action"))
			}
		}
	}
	offered(officer, path+"/close")
	offered(reviewer, path+"/confirm", path+"/decline", path+"/close")
	offered(auditor)
	offered(judge, path+"/decline")
	for _, v := range []*visitor{other, h.as("south"), h.as("coordinator")} {
		v.get(path).want(t, http.StatusNotFound)
		v.post(path+"/authorise", url.Values{"version": {"1"}}).want(t, http.StatusNotFound)
	}
	officer.post(path+"/confirm", url.Values{"version": {"1"}}).want(t, http.StatusForbidden)
	reviewer.post(path+"/confirm", url.Values{}).want(t, http.StatusPreconditionFailed)
	reviewer.post(path+"/decline", url.Values{"version": {"1"}, "reason": {"no"}}).want(t, http.StatusUnprocessableEntity, "at least ten characters")
	reviewer.post(path+"/confirm", url.Values{"version": {"1"}}).want(t, http.StatusOK, "Recorded.", "waits for a magistrate", h.people["reviewer"].Operator)
	judge.get("/reidentifications").want(t, http.StatusOK, strings.TrimPrefix(path, "/reidentifications/"), "to prosecute a terrorist offence", "EXERCISE Unit North")
	other.get("/reidentifications").want(t, http.StatusOK, "Nothing waits for you here")
	offered(judge, path+"/authorise", path+"/decline")
	judge.post(path+"/authorise", url.Values{"version": {"1"}}).want(t, http.StatusPreconditionFailed)
	judge.post(path+"/authorise", url.Values{"version": {"2"}}).want(t, http.StatusOK, "authorised: custodians may give their shares", "Shares: 0 of 2", h.people["judge"].Operator)
	offered(judge)
	offered(auditor)
	p = officer.get(path)
	offered(officer, path+"/shares", path+"/close")
	h.givesShares(t, officer, p, locked, keys)
	offered(officer, path+"/open", path+"/shares", path+"/close")
	offered(reviewer, path+"/shares", path+"/close")
	officer.get(evidence).want(t, http.StatusOK, h.people["judge"].Operator)
	reviewer.post(path+"/open", url.Values{"version": {"5"}}).want(t, http.StatusForbidden)
	opened := officer.post(path+"/open", url.Values{"version": {"5"}}).want(t, http.StatusOK, testkit.SeizedAddress)
	if strings.Contains(opened.text(), testkit.SeizedUser) {
		t.Error("a pseudonym that nobody asked for was opened")
	}
	if again := officer.get(path).want(t, http.StatusOK, "its pseudonyms were opened"); strings.Contains(again.text(), testkit.SeizedAddress) {
		t.Error("the answer is kept")
	}
	officer.post(path+"/close", url.Values{"version": {"6"}}).want(t, http.StatusOK, "closed: its key is destroyed", "Shares: 2 of 2")
	if strings.Contains(h.log.String(), "page failed") {
		t.Error(h.log.String())
	}
}

// givesShares hands the shares of two custodians in: one pasted, one as a file; a wrong one is refused.
func (h *house) givesShares(t *testing.T, officer *visitor, p *page, locked []byte, keys []*agekey.X25519Identity) {
	t.Helper()
	_, to, ok := strings.Cut(p.text(), "-for ")
	to, _, found := strings.Cut(to, " ")
	if !ok || !found || !strings.HasPrefix(to, "age1") {
		t.Fatalf("the command for custodians names no key:\n%s", p.text())
	}
	share := func(i int) []byte { return testkit.Share(t, locked, keys[i], to) }
	officer.post(p.path+"/shares", url.Values{"version": {"3"}, "share": {"{}"}}).want(t, http.StatusUnprocessableEntity, "cannot be used")
	officer.post(p.path+"/shares", url.Values{"version": {"3"}, "share": {string(share(0))}}).want(t, http.StatusOK, "The share is here", "Shares: 1 of 2", "EXERCISE Ada")
	officer.sendFiles(p.path+"/shares", url.Values{"version": {"4"}}, map[string][]byte{"file": share(0)}).want(t, http.StatusConflict, "is here already")
	officer.sendFiles(p.path+"/shares", url.Values{"version": {"4"}}, map[string][]byte{"file": share(2)}).want(t, http.StatusOK, "Shares: 2 of 2", "EXERCISE Cyd")
}

// What was opened is on the answer's page with what the table does not have, and says that its reading was recorded first.
func TestG34IdentitiesAreShownOnceWithWhatIsMissing(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	p := identitiesPage{Reidentification: concert.Reidentification{Ref: "RI-1"}, Missing: []string{pseudonym}}
	must(t, identitiesView(p).Render(t.Context(), &b))
	for _, want := range []string{"recorded before it was shown", "does not have these pseudonyms", pseudonym} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the answer does not say %q", want)
		}
	}
}

// A lead that the law does not let go says why; one that may go is released by another, with the digest, and received.
func TestRefusedLeadSaysWhy(t *testing.T) {
	t.Parallel()
	h := open(t)
	c, x, _, _ := h.seized()
	officer, both := h.as("officer"), h.as("both")
	ask, evidence := "/cases/"+c.Ref+"/leads", "/cases/"+c.Ref+"/evidence"
	officer.get(evidence).want(t, http.StatusOK, "Only outside the Union: without them the lead is refused")
	form := func(state, recipient string) url.Values {
		return url.Values{"exhibit": {x.Ref}, "state": {state}, "recipient": {recipient}, "name": {canary}}
	}
	officer.post(ask, form("es", "military")).want(t, http.StatusOK, "Refused. The refusal is recorded.", "nothing goes to a military body", canary)
	officer.post(ask, form("US", "law_enforcement")).want(t, http.StatusOK, "a transfer outside the Union is refused unless")
	weighed := form("US", "law_enforcement")
	weighed.Set("ground", "derogation")
	weighed.Set("basis", "EXERCISE: an immediate threat, written down.")
	officer.post(ask, weighed).want(t, http.StatusOK, "nobody has written down whether torture")
	withPerson := form("ES", "law_enforcement")
	withPerson.Set("persons", pseudonym)
	officer.post(ask, withPerson).want(t, http.StatusOK, "all others are counts")
	officer.post(ask, form("Spain", "law_enforcement")).want(t, http.StatusUnprocessableEntity, "two capital letters")
	p := officer.post(ask, form("es", "law_enforcement")).want(t, http.StatusOK, "Asked for.", "waits for a second member")
	var lead string
	for _, f := range p.forms() {
		if s, ok := strings.CutSuffix(f, "/drop"); ok {
			lead = s
		}
	}
	if lead == "" || strings.Contains(strings.Join(p.forms(), " "), lead+"/release") {
		t.Fatalf("whoever asked is offered %v", p.forms())
	}
	both.get(evidence)
	both.post(lead+"/release", url.Values{"package": {strings.Repeat("0", 64)}}).want(t, http.StatusPreconditionFailed)
	both.post(lead+"/release", url.Values{"version": {"1"}, "package": {"short"}}).want(t, http.StatusUnprocessableEntity, "64 hexadecimal digits")
	both.post(lead+"/release", url.Values{"version": {"1"}, "package": {strings.Repeat("0", 64)}}).want(t, http.StatusOK, "released, no receipt so far", h.people["both"].Operator)
	officer.post(lead+"/receipt", url.Values{"version": {"2"}, "receipt": {strings.Repeat("1", 64)}}).want(t, http.StatusOK, "received, with a signed receipt")
	officer.post(ask, form("fr", "judicial"))
	south := h.as("south")
	south.get(evidence).want(t, http.StatusNotFound)
	south.post(ask, form("ES", "law_enforcement")).want(t, http.StatusNotFound)
	south.post(lead+"/drop", url.Values{"version": {"3"}, "reason": {"EXERCISE reason"}}).want(t, http.StatusNotFound)
}

// Facts are read as the program writes them, one a line or as a list; what is none, or another's, is named.
func TestFactsAreReadAsTyped(t *testing.T) {
	t.Parallel()
	one := `{"kind":"upload","at":"2019-11-21T08:00:00Z","file":"a","offset":1,"length":2,"line_sha256":"x","evaluation":"A2","rule":"r","pseudonym":"p"}`
	for name, c := range map[string]struct {
		text string
		n    int
		bad  bool
	}{"none": {"", 0, false}, "a line": {one, 1, false}, "two lines": {one + "\r\n" + one, 2, false}, "a list": {"[" + one + "," + one + "]", 2, false}, "an empty list": {"[]", 0, false},
		"too many": {strings.Repeat(one+"\n", concert.ReidentifyFactsMost+9), concert.ReidentifyFactsMost + 1, false},
		"no JSON":  {one + "\nx", 0, true}, "a number": {"7", 0, true}, "cut short": {one[:20], 0, true}, "another's": {strings.Replace(one, `"p"`, `"q"`, 1), 0, true}} {
		got, err := readFacts(c.text, "p")
		if len(got) != c.n || (err != nil) != c.bad {
			t.Errorf("%s: %d facts, %v", name, len(got), err)
		}
	}
}

func FuzzReadFacts(f *testing.F) {
	f.Add(`{"kind":"upload"}`, "")
	f.Add(`[{"pseudonym":"p"}]`, "p")
	f.Add("\x00", "")
	f.Fuzz(func(t *testing.T, text, of string) {
		if facts, err := readFacts(text, of); err != nil && facts != nil {
			t.Error("facts beside an error")
		}
	})
}
