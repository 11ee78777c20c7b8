package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"concert"
	"concert/internal/casework"
	"concert/internal/sandbox"
	"concert/internal/testkit"
)

// knownRows are matches of what was captured, and banks of known content. The bank is North's and open to nobody else.
var knownRows = map[string]row{
	"POST /items/{ref}/copies":     {may: who{officer, colleague}, ref: "{open}"},
	"POST /items/{ref}/bank":       {may: who{officer, colleague, reviewer}, ref: "{open}", body: "bank={ownbank}"},
	"GET /matches/{ref}":           {may: who{officer, colleague, reviewer}, ref: "{match}"},
	"POST /matches/{ref}":          {may: who{officer, colleague, reviewer}, ref: "{match}", body: "word=same"},
	"GET /banks":                   {may: without(known, mute)},
	"GET /banks.csv":               {may: without(known, mute)},
	"GET /banks/new":               {may: who{reviewer, outsider}},
	"POST /banks":                  {may: who{reviewer, outsider}, body: "name=B{n}&purpose=EXERCISE+purpose&legal_basis=EXERCISE+law&radius=31&enabled_ratio=100&handling=H0"},
	"GET /banks/{ref}":             {may: append(who{auditor}, north...), ref: "{ownbank}"},
	"POST /banks/{ref}":            {may: who{reviewer}, ref: "{ownbank}", body: "version={bank.v}&purpose=EXERCISE+purpose&legal_basis=EXERCISE+law&radius=31&enabled_ratio=100&handling=H0"},
	"POST /banks/{ref}/close":      {may: who{reviewer}, ref: "{shut}", body: "version={bank.v}"},
	"POST /banks/{ref}/entries":    {may: who{officer, colleague, reviewer}, ref: "{ownbank}", body: "lines=md5+0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f&go=yes"},
	"POST /banks/{ref}/file":       {may: who{officer, colleague, reviewer}, ref: "{ownbank}", body: "lines=md5+0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f"},
	"GET /entries/{ref}":           {may: append(who{auditor}, north...), ref: "{ownentry}"},
	"POST /entries/{ref}/withdraw": {may: who{officer, colleague, reviewer}, ref: "{ownentry}"},
	"POST /entries/{ref}/clear":    {may: who{reviewer}, ref: "{ownentry}"},
	"POST /entries/{ref}/opinion":  {may: who{officer, colleague, reviewer}, ref: "{ownentry}", body: "opinion=seed"},
}

// knownThings prepares a bank of North's with an entry, one to be closed, and two items of the same bytes.
func (s *site) knownThings(t *testing.T) {
	t.Helper()
	ctx, by := t.Context(), s.North.Reviewers[0]
	for name, thing := range map[string]string{"EXERCISE_SECRET_BANK": "{ownbank}", "EXERCISE_SECRET_SHUT": "{shut}"} {
		b, err := s.OpenBank(ctx, by, concert.Bank{Name: name, Purpose: "EXERCISE purpose", LegalBasis: "EXERCISE law", Radius: concert.RadiusUsual, Handling: concert.HandlingOpen, Ratio: concert.RatioWhole})
		testkit.Must(t, err)
		s.things[thing] = b.Ref
		s.things["{bank.v}"] = fmt.Sprint(b.Version)
	}
	rs, err := s.FillBank(ctx, by, s.things["{ownbank}"], []casework.Filling{{BankEntry: concert.BankEntry{Name: "EXERCISE secret clip", Hashes: []concert.KnownHash{{Kind: concert.HashMD5, Value: strings.Repeat("a5", 16), Quality: -1}}}}})
	testkit.Must(t, err)
	s.things["{ownentry}"] = rs[0].Ref
	ann := s.North.Officers[0]
	var last string
	for _, n := range []int{91, 92} {
		it, err := s.SubmitItems(ctx, ann, []casework.Submission{{Location: testkit.Page(n), Source: "form"}})
		testkit.Must(t, err)
		_, err = s.AddCapture(ctx, ann, casework.Capturing{Item: it[0].Ref, Kind: concert.CaptureFile, Bytes: strings.NewReader("\x00\x01\x02 EXERCISE the same bytes")})
		testkit.Must(t, err)
		last = it[0].Ref
	}
	// Equal bytes are found without a child; what needs one is not looked at here.
	s.Printers = &sandbox.Pool{Command: []string{"/bin/false"}, Wall: time.Second}
	testkit.Must(t, s.RecogniseFor(ctx, time.Minute))
	s.Printers = nil
	testkit.Must(t, s.CloseKnown())
	v, err := s.KnownOf(ctx, testkit.Scope(t, ann), last)
	testkit.Must(t, err)
	if len(v.Matches) != 1 {
		t.Fatalf("the same bytes are like %+v", v.Matches)
	}
	s.things["{match}"] = v.Matches[0].Ref
	s.secrets = append(s.secrets, "EXERCISE_SECRET_BANK", "EXERCISE secret clip")
}
