package e2e

import (
	"bytes"
	"crypto/md5" // what hash lists hold
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"concert"
	"concert/api"
	"concert/internal/apiserver"
	"concert/internal/casework"
	"concert/internal/formats"
	"concert/internal/httpkit"
	"concert/internal/sandbox"
	"concert/internal/testkit"
)

// known is a furnished deployment whose machines' door is open, and whose node knows its banks.
type knowing struct {
	*testkit.House
	url string
}

func eachKnowing(t *testing.T, fn func(t *testing.T, k *knowing)) {
	t.Helper()
	testkit.EachHouse(t, func(t *testing.T, h *testkit.House) {
		h.Printers = &sandbox.Pool{Command: []string{program(t), "sandbox-child"}}
		mux := http.NewServeMux()
		apiserver.New(h.Service, slog.New(slog.DiscardHandler)).Register(mux)
		server := httptest.NewServer(httpkit.SecurityAt("", httpkit.Bounded(slog.New(slog.DiscardHandler), mux)))
		h.BaseURL = server.URL
		t.Cleanup(func() {
			server.CloseClientConnections()
			server.Close()
			h.Printers.Close()
			testkit.Must(t, h.CloseKnown())
		})
		testkit.Must(t, h.RefreshKnown(t.Context()))
		fn(t, &knowing{h, server.URL})
	})
}

// client is the API as somebody with a log-in has it.
func (k *knowing) client(t *testing.T, login string) *api.Client {
	t.Helper()
	session, _, err := k.Enter(t.Context(), k.Links[login], k.Codes[login])
	testkit.Must(t, err)
	return &api.Client{Base: k.url, Key: session, Justification: testkit.Why, Tries: -1}
}

// said is an answer as it came.
type said struct {
	status int
	header http.Header
	text   string
}

// curl sends a request as it is; body is JSON, or a form with its type before it.
func (k *knowing) curl(t *testing.T, key, method, path, contentType, body string) said {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, k.url+path, strings.NewReader(body))
	testkit.Must(t, err)
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	res, err := http.DefaultClient.Do(req)
	testkit.Must(t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	testkit.Must(t, err)
	return said{res.StatusCode, res.Header, strings.TrimSpace(string(text))}
}

// hma is a client of Hasher-Matcher-Actioner with a key.
func (k *knowing) hma(t *testing.T, c *api.Client, method, path, body string) said {
	t.Helper()
	kind := ""
	if body != "" {
		kind = "application/json"
	}
	return k.curl(t, c.Key, method, "/hma"+path, kind, body)
}

// upload sends files of content types, with fields before them.
func (k *knowing) upload(t *testing.T, c *api.Client, path string, fields map[string]string, files ...any) said {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		testkit.Must(t, form.WriteField(name, fields[name]))
	}
	for i := 0; i < len(files); i += 2 {
		part, err := form.CreateFormFile(files[i].(string), "exercise.bin")
		testkit.Must(t, err)
		_, err = part.Write(files[i+1].([]byte))
		testkit.Must(t, err)
	}
	testkit.Must(t, form.Close())
	return k.curl(t, c.Key, "POST", "/hma"+path, form.FormDataContentType(), body.String())
}

func (a said) is(t *testing.T, status int, text string) {
	t.Helper()
	var got, want any
	if err := json.Unmarshal([]byte(a.text), &got); err != nil {
		got = a.text
	}
	if err := json.Unmarshal([]byte(text), &want); err != nil {
		want = text
	}
	if a.status != status || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%d %s\nwant %d %s", a.status, a.text, status, text)
	}
}

// refuses checks that an answer says no as Hasher-Matcher-Actioner does, with a word of why.
func (a said) refuses(t *testing.T, status int, word string) {
	t.Helper()
	var got struct{ Message string }
	if err := json.Unmarshal([]byte(a.text), &got); err != nil || a.status != status || got.Message == "" || !strings.Contains(got.Message, word) {
		t.Errorf("%d %s\nwant %d with a message that has %q", a.status, a.text, status, word)
	}
}

// drawn is an invented picture; blank has nothing in it.
func drawn(t *testing.T, seed uint64) []byte {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 11))
	img := image.NewGray(image.Rect(0, 0, 320, 240))
	for range 30 {
		x, y := r.IntN(320), r.IntN(240)
		draw.Draw(img, image.Rect(x, y, x+20+r.IntN(100), y+20+r.IntN(100)), image.NewUniform(color.Gray{uint8(r.IntN(256))}), image.Point{}, draw.Src)
	}
	var out bytes.Buffer
	testkit.Must(t, png.Encode(&out, img))
	return out.Bytes()
}

func blank(t *testing.T) []byte {
	t.Helper()
	var out bytes.Buffer
	testkit.Must(t, png.Encode(&out, image.NewGray(image.Rect(0, 0, 320, 240))))
	return out.Bytes()
}

const (
	hashOne = "f8f8f0cee0f4a84f06370a22038f63f0b36e2ed596621e1d33e6b39c4e9c9b22"
	hashTwo = "0f0ff0cee0f4a84f06370a22038f63f0b36e2ed596621e1d33e6b39c4e9c9bff"
	hashFar = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
)

func TestABankIsFilledFedAndLookedUpOverTheAPI(t *testing.T) {
	t.Parallel()
	eachKnowing(t, func(t *testing.T, k *knowing) {
		ctx := t.Context()
		rev, ann, sue, prov := k.client(t, "North-reviewer-0"), k.client(t, "North-officer-0"), k.client(t, "South-officer-0"), k.client(t, "reader")
		half := 0.5
		settings := api.BankSettings{Purpose: "EXERCISE: known invented pictures", LegalBasis: "EXERCISE law", EnabledRatio: &half}
		if _, err := ann.OpenBank(ctx, api.Call{}, api.NewBank{Name: "EXERCISE_NO", BankSettings: settings}); !api.IsCode(err, "role.missing") {
			t.Errorf("an officer opens a bank: %v", err)
		}
		b, err := rev.OpenBank(ctx, api.Call{}, api.NewBank{Name: "EXERCISE_PICTURES", BankSettings: settings})
		testkit.Must(t, err)
		if *b.EnabledRatio != 0.5 || *b.Radius != concert.RadiusUsual || b.Handling != "H2" || !b.Mine || b.Owner != k.North.Ref {
			t.Errorf("opened: %+v", b)
		}
		whole := 1.0
		settings.EnabledRatio = &whole
		if _, err := rev.ChangeBank(ctx, api.Call{}, b.ID, settings); !api.IsCode(err, "precondition.required") {
			t.Errorf("changed without a version: %v", err)
		}
		if b, err = rev.ChangeBank(ctx, api.Call{IfMatch: b.Version}, b.ID, settings); err != nil || *b.EnabledRatio != 1 {
			t.Fatalf("%+v %v", b, err)
		}
		quality := 87
		rs, err := ann.FillBank(ctx, api.Call{}, b.ID, api.NewBankEntries{Entries: []api.NewBankEntry{
			{SourceID: "one", Name: "EXERCISE one", Labels: []string{"flag"}, Note: "EXERCISE note", Hashes: []api.KnownHash{{Kind: "pdq", Value: hashOne, Quality: &quality}, {Kind: "md5", Value: "28f1fdb6a2c5eb9bbb4dcef12b5818ad"}}},
			{SourceID: "bad", Hashes: []api.KnownHash{{Kind: "pdq", Value: "zz"}}},
			{SourceID: "one", Hashes: []api.KnownHash{{Kind: "pdq", Value: hashOne}}},
			{SourceID: "two", Hashes: []api.KnownHash{{Kind: "pdq", Value: hashTwo}}},
		}})
		testkit.Must(t, err)
		var outcomes []string
		for _, r := range rs.Results {
			code := r.Outcome
			if r.Problem != nil {
				code = r.Problem.Code
			}
			outcomes = append(outcomes, fmt.Sprint(r.Status, " ", code))
		}
		if got := strings.Join(outcomes, ", "); got != "201 added, 422 hash.value, 200 known, 201 added" {
			t.Errorf("filled: %s", got)
		}
		one := rs.Results[0].ID
		looksUp(t, ann, b, one)

		// Nobody else knows of it until it is opened to them.
		for who, c := range map[string]*api.Client{"a stranger": sue, "a provider": prov} {
			var none bytes.Buffer
			_, _, feed := c.BankFeed(ctx, b.ID, "", "ndjson", 0, &none)
			_, one := c.Bank(ctx, b.ID)
			_, entries := c.BankEntries(ctx, b.ID, api.EntryQuery{})
			for what, err := range map[string]error{"feed": feed, "bank": one, "entries": entries} {
				if !api.IsCode(err, "not_found") {
					t.Errorf("%s of %s: %v", what, who, err)
				}
			}
			if list, err := c.Banks(ctx); err != nil || len(list.Items) != 0 {
				t.Errorf("banks of %s: %+v %v", who, list, err)
			}
			if r, err := c.LookUp(ctx, api.Lookup{Hashes: []api.LookupHash{{Value: hashOne}}}); err != nil || r.Results[0].Outcome != "none" {
				t.Errorf("%s finds %+v %v", who, r, err)
			}
		}
		settings.OpenTo = []string{"tenant", "provider"}
		if _, err := rev.ChangeBank(ctx, api.Call{IfMatch: b.Version}, b.ID, settings); !api.IsCode(err, "bank.open_to") {
			t.Errorf("a bank whose code keeps it with its owner is opened to others: %v", err)
		}
		settings.Handling = "H0"
		b, err = rev.ChangeBank(ctx, api.Call{IfMatch: b.Version}, b.ID, settings)
		testkit.Must(t, err)
		if r, err := prov.LookUp(ctx, api.Lookup{Hashes: []api.LookupHash{{Value: hashOne}}, Banks: []string{"NORTH_EXERCISE_PICTURES"}}); err != nil || r.Results[0].Matches[0].Bank != "NORTH_EXERCISE_PICTURES" {
			t.Errorf("the provider finds %+v %v", r, err)
		}
		if _, err := prov.FillBank(ctx, api.Call{}, b.ID, api.NewBankEntries{Entries: []api.NewBankEntry{{Hashes: []api.KnownHash{{Kind: "pdq", Value: hashFar}}}}}); !api.IsCode(err, "role.missing") {
			t.Errorf("the provider fills it: %v", err)
		}
		if list, err := sue.BankEntries(ctx, b.ID, api.EntryQuery{Limit: 1}); err != nil || len(list.Items) != 1 || list.Next == "" || list.Items[0].Note != "" {
			t.Errorf("entries for another authority: %+v %v", list, err)
		}
		e, err := sue.JudgeEntry(ctx, api.Call{}, one, api.NewOpinion{Opinion: "negative"})
		if err != nil || e.Opinion != "disputed" || e.Said["negative"] != 1 || e.Note != "" {
			t.Errorf("judged: %+v %v", e, err)
		}
		feedsOf(t, k, b.ID, one, prov, ann)
	})
}

// looksUp finds the entry by the next question, and tells what cannot be looked up.
func looksUp(t *testing.T, ann *api.Client, b api.Bank, one string) {
	t.Helper()
	ctx := t.Context()
	found, err := ann.LookUp(ctx, api.Lookup{Hashes: []api.LookupHash{{Value: "f9" + hashOne[2:]}, {Value: hashFar}, {Value: hashOne, Quality: new(int)}, {Value: "zz"}, {Kind: "md5", Value: "28F1fdb6a2c5eb9bbb4dcef12b5818ad"}, {Turned: []string{hashFar, hashOne}}}})
	testkit.Must(t, err)
	var outcomes []string
	for _, r := range found.Results {
		outcomes = append(outcomes, r.Outcome)
	}
	if got := strings.Join(outcomes, " "); got != "found none low_quality invalid found found" {
		t.Fatalf("looked up: %s", got)
	}
	m := found.Results[0].Matches[0]
	if m.Entry != one || m.Distance != 1 || m.Bank != "EXERCISE_PICTURES" || m.BankID != b.ID || m.Opinion != "positive" || m.Name != "EXERCISE one" || m.Number == 0 || m.Orientation != "" {
		t.Errorf("found %+v", m)
	}
	if o := found.Results[5].Matches[0].Orientation; o != "rotate90" {
		t.Errorf("turned it is found as %q", o)
	}
	if _, err := ann.LookUp(ctx, api.Lookup{Hashes: []api.LookupHash{{Value: hashOne}}, Banks: []string{"EXERCISE_NONE"}}); !api.IsCode(err, "known.bank") {
		t.Errorf("a bank that there is not: %v", err)
	}
}

// feedsOf reads the bank's feed as a provider and as the format of each exchange, and sees a withdrawal reach it.
func feedsOf(t *testing.T, k *knowing, bank, one string, prov, ann *api.Client) {
	t.Helper()
	ctx := t.Context()
	var first, second bytes.Buffer
	at, more, err := prov.BankFeed(ctx, bank, "", "ndjson", 1, &first)
	testkit.Must(t, err)
	at, more2, err := prov.BankFeed(ctx, bank, at, "ndjson", 1, &second)
	testkit.Must(t, err)
	if !more || !more2 || strings.Count(first.String()+second.String(), "\n") != 3 {
		t.Errorf("two pages say\n%s%s, more %v %v", first.String(), second.String(), more, more2)
	}
	if strings.Contains(first.String()+second.String(), "EXERCISE note") {
		t.Error("the owner's note went out")
	}
	_, err = ann.WithdrawEntry(ctx, api.Call{}, one)
	testkit.Must(t, err)
	if hs, err := ann.BankHolders(ctx, bank); err != nil || len(hs.Holders) != 1 || !hs.Holders[0].Behind || hs.Holders[0].Entries != 2 {
		t.Errorf("holders before the next fetch: %+v %v", hs, err)
	}
	if _, err := prov.BankHolders(ctx, bank); !api.IsCode(err, "not_found") {
		t.Errorf("a provider sees the holders: %v", err)
	}
	var gone bytes.Buffer
	next, more, err := prov.BankFeed(ctx, bank, at, "ndjson", 0, &gone)
	testkit.Must(t, err)
	if more || next == at || !strings.Contains(gone.String(), `"gone":true`) || !strings.Contains(gone.String(), one) {
		t.Errorf("after the withdrawal: %s %v", gone.String(), more)
	}
	if hs, err := ann.BankHolders(ctx, bank); err != nil || hs.Holders[0].Behind {
		t.Errorf("holders after the fetch: %+v %v", hs, err)
	}
	if _, _, err := prov.BankFeed(ctx, bank, "1,x", "ndjson", 0, io.Discard); !api.IsCode(err, "bank.checkpoint") {
		t.Errorf("a made-up checkpoint: %v", err)
	}
	south := k.client(t, "South-reviewer-0")
	for _, f := range formats.BankFormats {
		var list bytes.Buffer
		_, _, err := prov.BankFeed(ctx, bank, "", string(f), 0, &list)
		testkit.Must(t, err)
		copied, err := south.OpenBank(ctx, api.Call{}, api.NewBank{Name: "EXERCISE_COPY_" + strings.ToUpper(string(f)), Source: "EXERCISE North", BankSettings: api.BankSettings{Purpose: "EXERCISE: a copy of a bank", LegalBasis: "EXERCISE law"}})
		testkit.Must(t, err)
		got, err := south.ImportBank(ctx, copied.ID, "", bytes.NewReader(list.Bytes()))
		if err != nil || got.Format != string(f) || got.Added != 1 || got.Refused != 0 {
			t.Errorf("%s into another bank: %+v %v\n%s", f, got, err, list.String())
		}
		if again, err := south.ImportBank(ctx, copied.ID, string(f), &list); err != nil || again.Added != 0 || again.Known < 1 {
			t.Errorf("%s once more: %+v %v", f, again, err)
		}
	}
}

func TestAListForABankSaysWhatWasWrongAndKeepsTheRest(t *testing.T) {
	t.Parallel()
	eachKnowing(t, func(t *testing.T, k *knowing) {
		ctx := t.Context()
		rev, sue := k.client(t, "North-reviewer-0"), k.client(t, "South-officer-0")
		b, err := rev.OpenBank(ctx, api.Call{}, api.NewBank{Name: "EXERCISE_LIST", BankSettings: api.BankSettings{Purpose: "EXERCISE: a list of others", LegalBasis: "EXERCISE law"}})
		testkit.Must(t, err)
		var list strings.Builder
		r := rand.New(rand.NewPCG(1, 2))
		const n = 2*concert.BankEntriesMost + 5
		for i := range n {
			fmt.Fprintf(&list, "pdq %016x%016x%016x%016x\n", r.Uint64(), r.Uint64(), r.Uint64(), r.Uint64())
			if i == 10 {
				list.WriteString("pdq not-a-hash\n")
			}
		}
		got, err := rev.ImportBank(ctx, b.ID, "", strings.NewReader(list.String()))
		if err != nil || got.Added != n || got.Refused != 1 || len(got.Faults) != 1 || got.Faults[0].Line != 12 {
			t.Errorf("%+v %v", got, err)
		}
		if v, err := rev.Bank(ctx, b.ID); err != nil || v.Matching != n {
			t.Errorf("%d entries match, want %d, %v", v.Matching, n, err)
		}
		got, err = rev.ImportBank(ctx, b.ID, "csv", strings.NewReader("id,type,value,expires_at\nEX-1,pdq,"+hashOne+",2001-01-01\nEX-2,pdq,"+hashTwo+",\n"))
		if err != nil || got.Added != 1 || got.Refused != 1 || got.Faults[0].SourceID != "EX-1" || got.Faults[0].Entry != 1 {
			t.Errorf("one that is over: %+v %v", got, err)
		}
		for what, want := range map[string][2]string{"": {"no list at all", "bank.format"}, "xls": {"", "request.invalid"}} {
			if _, err := rev.ImportBank(ctx, b.ID, what, strings.NewReader(want[0])); !api.IsCode(err, want[1]) {
				t.Errorf("%q as %q: %v, want %s", want[0], what, err, want[1])
			}
		}
		if got, err := rev.ImportBank(ctx, b.ID, "tat", strings.NewReader(`{"results":[{`)); err != nil || got.Added != 0 || got.Refused != 1 {
			t.Errorf("a list that breaks off: %+v %v", got, err)
		}
		if _, err := sue.ImportBank(ctx, b.ID, "lines", strings.NewReader("pdq "+hashOne)); !api.IsCode(err, "not_found") {
			t.Errorf("a stranger: %v", err)
		}
		// Its end: nothing matches, and a change is too late.
		if b, err = rev.Bank(ctx, b.ID); err != nil {
			t.Fatal(err)
		}
		if b, err = rev.CloseBank(ctx, api.Call{IfMatch: b.Version}, b.ID); err != nil || b.ClosedAt == "" {
			t.Errorf("closed: %+v %v", b, err)
		}
		if got, err := rev.ImportBank(ctx, b.ID, "lines", strings.NewReader("pdq "+hashFar)); err != nil || got.Added != 0 || got.Refused != 1 {
			t.Errorf("into a closed bank: %+v %v", got, err)
		}
		if r, err := rev.LookUp(ctx, api.Lookup{Hashes: []api.LookupHash{{Value: hashTwo}}}); err != nil || r.Results[0].Outcome != "none" {
			t.Errorf("a closed bank answers %+v %v", r, err)
		}
	})
}

func TestAnItemIsBankedAndItsMatchesAreToldAndJudgedOverTheAPI(t *testing.T) {
	t.Parallel()
	eachKnowing(t, func(t *testing.T, k *knowing) {
		ctx := t.Context()
		rev, ann, sue := k.client(t, "North-reviewer-0"), k.client(t, "North-officer-0"), k.client(t, "South-officer-0")
		b, err := rev.OpenBank(ctx, api.Call{}, api.NewBank{Name: "EXERCISE_OWN", BankSettings: api.BankSettings{Purpose: "EXERCISE: our own works", LegalBasis: "EXERCISE law"}})
		testkit.Must(t, err)
		var refs []string
		for n := range 2 {
			it := k.Submit(k.North.Officers[0], testkit.Page(60+n))[0]
			_, err := k.AddCapture(ctx, k.North.Officers[0], casework.Capturing{Item: it.Ref, Kind: concert.CaptureFile, Bytes: bytes.NewReader(drawn(t, 5))})
			testkit.Must(t, err)
			refs = append(refs, it.Ref)
		}
		if v, err := ann.KnownOf(ctx, refs[0]); err != nil || !v.Pending {
			t.Errorf("before anything is compared: %+v %v", v, err)
		}
		testkit.Must(t, k.RecogniseFor(ctx, 60e9))
		e, err := ann.BankItem(ctx, api.Call{}, b.ID, refs[0])
		if err != nil || e.Name != refs[0] || len(e.Hashes) != 2 {
			t.Fatalf("banked: %+v %v", e, err)
		}
		testkit.Must(t, k.RecogniseFor(ctx, 60e9))
		v, err := ann.KnownOf(ctx, refs[1])
		testkit.Must(t, err)
		if len(v.Matches) != 2 || v.Matches[0].Entry != e.ID || v.Matches[0].BankID != b.ID || v.Matches[1].Item != refs[0] || v.Waiting != 1 || v.Alike[0] != refs[0] {
			t.Fatalf("known: %+v", v)
		}
		if _, err := sue.JudgeMatch(ctx, api.Call{}, v.Matches[1].ID, api.MatchWord{Word: "same"}); !api.IsCode(err, "not_found") {
			t.Errorf("a stranger judges: %v", err)
		}
		if m, err := ann.JudgeMatch(ctx, api.Call{}, v.Matches[1].ID, api.MatchWord{Word: "same"}); err != nil || m.Word != "same" {
			t.Errorf("judged: %+v %v", m, err)
		}
		if w, err := rev.Works(ctx); err != nil || w.Items != 2 || w.Works != 1 {
			t.Errorf("works: %+v %v", w, err)
		}
		if _, err := sue.KnownOf(ctx, refs[0]); !api.IsCode(err, "not_found") {
			t.Errorf("a stranger asks: %v", err)
		}
	})
}

// A client of Hasher-Matcher-Actioner goes through a working day, with nothing changed but the address.
func TestAClientOfHMASwitchesByItsAddress(t *testing.T) {
	t.Parallel()
	eachKnowing(t, func(t *testing.T, k *knowing) {
		rev, ann, sue := k.client(t, "North-reviewer-0"), k.client(t, "North-officer-0"), k.client(t, "South-officer-0")
		k.curl(t, "", "GET", "/hma/status", "", "").is(t, 200, "I-AM-ALIVE")
		k.hma(t, rev, "POST", "/c/banks", `{"name":"EXERCISE_HMA","enabled_ratio":1.0}`).is(t, 201, `{"name":"EXERCISE_HMA","matching_enabled_ratio":1}`)
		k.hma(t, rev, "POST", "/c/banks", `{"name":"EXERCISE_HMA"}`).refuses(t, 403, "already")
		k.hma(t, rev, "POST", "/c/banks", `{"name":"no capitals"}`).refuses(t, 400, "capital")
		k.hma(t, ann, "GET", "/c/banks", "").is(t, 200, `[{"name":"EXERCISE_HMA","matching_enabled_ratio":1}]`)
		k.hma(t, sue, "GET", "/c/banks", "").is(t, 200, `[]`)
		k.hma(t, sue, "GET", "/c/bank/EXERCISE_HMA", "").refuses(t, 404, "nothing")

		added := k.hma(t, ann, "POST", "/c/bank/EXERCISE_HMA/signal", `{"pdq":"`+strings.ToUpper(hashOne)+`","note":"EXERCISE note"}`)
		var one struct {
			ID      int64
			Signals map[string]string
		}
		testkit.Must(t, json.Unmarshal([]byte(added.text), &one))
		added.is(t, 200, fmt.Sprintf(`{"id":%d,"signals":{"pdq":"%s"}}`, one.ID, hashOne))
		near := "f9" + hashOne[2:]
		look := "/m/lookup?signal_type=pdq&signal=" + near
		k.hma(t, ann, "GET", "/m/raw_lookup?signal_type=pdq&signal="+near, "").is(t, 200, fmt.Sprintf(`{"matches":[%d]}`, one.ID))
		k.hma(t, ann, "GET", "/m/raw_lookup?include_distance=true&signal_type=pdq&signal="+near, "").is(t, 200, fmt.Sprintf(`{"matches":[{"bank_content_id":%d,"distance":"1"}]}`, one.ID))
		hit := fmt.Sprintf(`{"EXERCISE_HMA":[{"bank_content_id":%d,"distance":"1"}]}`, one.ID)
		k.hma(t, ann, "GET", look, "").is(t, 200, hit)
		k.hma(t, ann, "GET", look+"&banks=EXERCISE_HMA,OTHER", "").is(t, 200, hit)
		k.hma(t, ann, "GET", look+"&banks=OTHER", "").is(t, 200, `{}`)
		k.hma(t, sue, "GET", look, "").is(t, 200, `{}`)
		k.hma(t, ann, "GET", "/m/lookup?signal_type=pdq&signal="+hashFar, "").is(t, 200, `{}`)
		k.hma(t, ann, "POST", "/m/compare", fmt.Sprintf(`{"pdq":["%s","%s"]}`, hashOne, near)).is(t, 200, `{"pdq":[true,{"distance":1}]}`)

		k.hmaRatios(t, rev, ann, look, hit)
		k.hmaFiles(t, ann)
		k.hmaContent(t, ann, rev, one.ID, look)
	})
}

// hmaRatios lets the bank answer no question, half of them, and all.
func (k *knowing) hmaRatios(t *testing.T, rev, ann *api.Client, look, hit string) {
	t.Helper()
	k.hma(t, ann, "PUT", "/c/bank/EXERCISE_HMA", `{"enabled":false}`).refuses(t, 403, "role")
	k.hma(t, rev, "PUT", "/c/bank/EXERCISE_HMA", `{"enabled":false}`).is(t, 200, `{"name":"EXERCISE_HMA","matching_enabled_ratio":0}`)
	k.hma(t, ann, "GET", look, "").is(t, 200, `{}`)
	k.hma(t, ann, "GET", look+"&bypass_coinflip=true", "").is(t, 200, hit)
	k.hma(t, ann, "GET", look+"&bypass_coinflip=perhaps", "").refuses(t, 400, "boolean")
	k.hma(t, rev, "PUT", "/c/bank/EXERCISE_HMA", `{"enabled_ratio":0.5}`).is(t, 200, `{"name":"EXERCISE_HMA","matching_enabled_ratio":0.5}`)
	answers := map[string]int{}
	for seed := range 40 {
		first := k.hma(t, ann, "GET", fmt.Sprint(look, "&seed=", seed), "")
		answers[first.text]++
		k.hma(t, ann, "GET", fmt.Sprint(look, "&seed=", seed), "").is(t, 200, first.text)
	}
	if len(answers) != 2 || answers["{}"] < 8 || answers["{}"] > 32 {
		t.Errorf("of 40 seeds the bank answered %v", answers)
	}
	k.hma(t, rev, "PUT", "/c/bank/EXERCISE_HMA", `{"enabled_ratio":1.5}`).refuses(t, 400, "0 to 1")
	k.hma(t, rev, "PUT", "/c/bank/EXERCISE_HMA", `{"enabled_ratio":1,"name":"EXERCISE_ELSE"}`).refuses(t, 400, "keeps its name")
	k.hma(t, rev, "PUT", "/c/bank/EXERCISE_HMA", `{"enabled_ratio":1}`).is(t, 200, `{"name":"EXERCISE_HMA","matching_enabled_ratio":1}`)
}

// hmaFiles hashes, banks and looks up files.
func (k *knowing) hmaFiles(t *testing.T, ann *api.Client) {
	t.Helper()
	picture := drawn(t, 7)
	hashed := k.upload(t, ann, "/h/hash", nil, "photo", picture)
	var signals map[string]string
	testkit.Must(t, json.Unmarshal([]byte(hashed.text), &signals))
	if len(signals) != 1 || len(signals["pdq"]) != 64 {
		t.Fatalf("hashed: %s", hashed.text)
	}
	k.upload(t, ann, "/m/lookup", nil, "photo", picture).is(t, 200, `{"pdq":{}}`)
	banked := k.upload(t, ann, "/c/bank/EXERCISE_HMA/content", map[string]string{"note": "EXERCISE film", "metadata": `{"content_id":"EX-7","content_uri":"https://video.example/7"}`}, "photo", picture)
	var two struct{ ID int64 }
	testkit.Must(t, json.Unmarshal([]byte(banked.text), &two))
	banked.is(t, 200, fmt.Sprintf(`{"id":%d,"signals":{"pdq":"%s"}}`, two.ID, signals["pdq"]))
	k.upload(t, ann, "/m/lookup", nil, "photo", picture).is(t, 200, fmt.Sprintf(`{"pdq":{"EXERCISE_HMA":[{"bank_content_id":%d,"distance":"0"}]}}`, two.ID))
	k.hma(t, ann, "GET", fmt.Sprintf("/c/bank/EXERCISE_HMA/content/%d?include_signals=true", two.ID), "").is(t, 200,
		fmt.Sprintf(`{"id":%d,"disable_until_ts":1,"original_media_uri":null,"bank":{"name":"EXERCISE_HMA","matching_enabled_ratio":1},"signals":{"pdq":"%s"},"metadata":{"content_id":"EX-7","content_uri":"https://video.example/7","json":null,"collab":null},"note":"EXERCISE film"}`, two.ID, signals["pdq"]))

	// A picture with nothing in it is no error: nothing matches it, and that is said.
	empty := blank(t)
	none := k.upload(t, ann, "/m/lookup", nil, "photo", empty)
	none.is(t, 200, `{"pdq":{}}`)
	if none.header.Get("Concert-Outcome") != "low_quality" {
		t.Errorf("a blank picture is answered with %v", none.header)
	}
	k.upload(t, ann, "/h/hash", nil, "photo", empty).is(t, 200, `{"pdq":""}`)
	k.hma(t, ann, "GET", "/m/lookup?signal_type=pdq&signal=", "").is(t, 200, `{}`)
	k.upload(t, ann, "/c/bank/EXERCISE_HMA/content", nil, "photo", empty).refuses(t, 400, "quality")

	clip := []byte("\x00\x00\x00\x18ftypmp42 EXERCISE: no film")
	k.upload(t, ann, "/h/hash", nil, "video", clip).is(t, 200, `{"video_md5":"`+md5Of(clip)+`"}`)
	k.hma(t, ann, "POST", "/c/bank/EXERCISE_HMA/signal", `{"video_md5":"`+md5Of(clip)+`"}`)
	if got := k.upload(t, ann, "/m/lookup", nil, "video", clip); !strings.Contains(got.text, `"distance":"-"`) {
		t.Errorf("the clip: %s", got.text)
	}
	k.upload(t, ann, "/h/hash", nil, "photo", clip).refuses(t, 400, "cannot be hashed")
	k.upload(t, ann, "/h/hash", nil, "film", clip).refuses(t, 400, "no such content_type")
	k.upload(t, ann, "/h/hash", nil, "photo", []byte("\x89PNG\r\n\x1a\n truncated")).refuses(t, 400, "cannot be")
	k.upload(t, ann, "/h/hash", nil).refuses(t, 400, "Missing")
	k.upload(t, ann, "/h/hash", nil, "photo", picture, "video", clip).refuses(t, 400, "one file")
	k.upload(t, ann, "/h/hash?types=tmk", nil, "photo", picture).refuses(t, 400, "tmk")
	k.upload(t, ann, "/c/bank/EXERCISE_HMA/content", map[string]string{"metadata": `{"json":{"a":1}}`}, "photo", picture).refuses(t, 400, "note")
	for _, path := range []string{"/h/hash?url=", "/m/lookup?url=", "/c/bank/EXERCISE_HMA/content?url="} {
		method := "GET"
		if strings.HasPrefix(path, "/c") {
			method = "POST"
		}
		k.hma(t, ann, method, path+url.QueryEscape("http://127.0.0.1:1/secret"), "").refuses(t, 403, "POST the file")
	}
}

// hmaContent withdraws content, and asks for what is wrong.
func (k *knowing) hmaContent(t *testing.T, ann, rev *api.Client, id int64, look string) {
	t.Helper()
	at := fmt.Sprintf("/c/bank/EXERCISE_HMA/content/%d", id)
	k.hma(t, ann, "PUT", at, `{"disable_until_ts":4102444800}`).refuses(t, 400, "withdraw")
	k.hma(t, ann, "PUT", at, `{"disable_until_ts":0}`).is(t, 200, fmt.Sprintf(`{"id":%d,"disable_until_ts":0,"collab_metadata":{},"original_media_uri":null,"bank":{"name":"EXERCISE_HMA","matching_enabled_ratio":1},"user_metadata":null,"note":"EXERCISE note"}`, id))
	k.hma(t, ann, "GET", look, "").is(t, 200, `{}`)
	k.hma(t, ann, "PUT", at, `{"disable_until_ts":1}`).refuses(t, 400, "add it again")
	k.hma(t, ann, "DELETE", at, "").is(t, 200, `{"deleted":0}`)
	k.hma(t, ann, "DELETE", at+"000", "").refuses(t, 404, "nothing")
	status := k.hma(t, ann, "GET", "/m/index/status?signal_type=pdq", "")
	var index map[string]struct {
		Present bool
		Built   int64 `json:"built_to"`
		Size    int
	}
	testkit.Must(t, json.Unmarshal([]byte(status.text), &index))
	if p := index["pdq"]; len(index) != 1 || !p.Present || p.Built < 1 || p.Size < 1 {
		t.Errorf("index: %s", status.text)
	}
	k.hma(t, ann, "GET", "/c/content_type", "").is(t, 200, `[{"name":"photo","enabled":true},{"name":"video","enabled":true}]`)
	k.hma(t, ann, "GET", "/c/exchanges", "").is(t, 200, `[]`)
	k.hma(t, rev, "POST", "/c/exchanges", `{"bank":"X","api":"fb_threatexchange"}`).refuses(t, 400, "import")
	for path, word := range map[string]string{"/m/lookup?signal=" + hashOne: "signal_type is required", "/m/lookup?signal_type=pdq": "signal is required", "/m/raw_lookup?signal_type=tmk&signal=x": "No such SignalType",
		"/m/raw_lookup?signal_type=pdq&signal=zz": "invalid signal", "/m/index/status?signal_type=x": "No such signal type"} {
		k.hma(t, ann, "GET", path, "").refuses(t, 400, word)
	}
	k.hma(t, ann, "POST", "/m/compare", `{"pdq":["`+hashOne+`"]}`).refuses(t, 400, "exactly 2")
	k.hma(t, ann, "POST", "/m/compare", `[`).refuses(t, 400, "JSON")
	k.hma(t, ann, "GET", "/ui/banks", "").refuses(t, 404, "docs/hma.md")
	k.curl(t, "", "GET", "/hma"+look, "", "").refuses(t, 401, "API key")
	k.curl(t, "csk_no", "GET", "/hma"+look, "", "").refuses(t, 401, "key")
	k.hma(t, k.client(t, "admin"), "GET", look, "").refuses(t, 403, "role")
	k.hma(t, rev, "DELETE", "/c/bank/EXERCISE_HMA", "").is(t, 200, `{"message":"Done"}`)
	k.hma(t, ann, "GET", "/c/banks", "").is(t, 200, `[]`)
}

func md5Of(b []byte) string { return fmt.Sprintf("%x", md5.Sum(b)) }
