package e2e

import (
	"fmt"
	"slices"
	"testing"

	"concert"
	"concert/internal/casework"
	"concert/internal/testkit"
)

// askers ask the banks that answer them; fillers enter into those of North.
var (
	askers  = append(who{answerer, reader, rival}, authoritySide...)
	fillers = who{officer, colleague, reviewer}
	keepers = who{reviewer, outsider}
)

// bankRows are banks of known content, what items are like, and the routes of Hasher-Matcher-Actioner. The bank is North's, open
// to nobody else.
var bankRows = map[string]row{
	"GET /api/v1/banks":                    {may: without(known, mute)},
	"POST /api/v1/banks":                   {may: keepers, body: `{"name":"EXERCISE_{n}","purpose":"EXERCISE: a bank for the matrix","legal_basis":"EXERCISE law"}`},
	"GET /api/v1/banks/{id}":               {may: append(who{auditor}, north...), ref: "{bank}"},
	"PUT /api/v1/banks/{id}":               {may: who{reviewer}, ref: "{bank}", body: `{"purpose":"EXERCISE: a bank for the matrix","legal_basis":"EXERCISE law"}`},
	"DELETE /api/v1/banks/{id}":            {may: who{reviewer}, ref: "{closing}"},
	"GET /api/v1/banks/{id}/holders":       {may: north, ref: "{bank}"},
	"GET /api/v1/banks/{id}/entries":       {may: append(who{auditor}, north...), ref: "{bank}"},
	"POST /api/v1/banks/{id}/entries":      {may: fillers, ref: "{bank}", body: `{"entries":[{"source_id":"{n}","hashes":[{"kind":"md5","value":"28f1fdb6a2c5eb9bbb4dcef12b5818ad"}]}]}`},
	"GET /api/v1/banks/{id}/feed":          {may: append(who{auditor}, north...), ref: "{bank}"},
	"POST /api/v1/banks/{id}/import":       {may: fillers, ref: "{bank}", body: `{"type":"md5","value":"28f1fdb6a2c5eb9bbb4dcef12b5818ae"}`},
	"POST /api/v1/banks/{id}/items/{item}": {may: fillers, ref: "{bank}"},
	"POST /api/v1/entries/{id}/withdraw":   {may: fillers, ref: "{entry}"},
	"POST /api/v1/entries/{id}/opinion":    {may: fillers, ref: "{entry}", body: `{"opinion":"seed"}`},
	"POST /api/v1/entries/{id}/clear":      {may: who{reviewer}, ref: "{entry}"},
	"POST /api/v1/known/lookup":            {may: askers, body: `{"hashes":[{"kind":"md5","value":"28f1fdb6a2c5eb9bbb4dcef12b5818ad"}]}`},
	"GET /api/v1/items/{id}/known":         {may: fillers, ref: "{judged}"},
	"POST /api/v1/matches/{id}/word":       {may: who{}, ref: "{none}", body: `{"word":"same"}`},
	"GET /api/v1/works":                    {may: append(who{auditor}, authoritySide...)},

	"GET /hma/status":              {may: everyone},
	"GET /hma/status/live":         {may: everyone},
	"GET /hma/h/hash":              {may: askers},
	"POST /hma/h/hash":             {may: askers},
	"GET /hma/m/raw_lookup":        {may: askers},
	"GET /hma/m/lookup":            {may: askers},
	"POST /hma/m/lookup":           {may: askers},
	"POST /hma/m/compare":          {may: askers, body: `{}`},
	"GET /hma/m/index/status":      {may: askers},
	"GET /hma/c/signal_type":       {may: askers},
	"GET /hma/c/signal_type/index": {may: askers},
	"GET /hma/c/content_type":      {may: askers},
	"GET /hma/c/exchanges":         {may: askers},
	"POST /hma/c/exchanges":        {may: keepers, body: `{}`},
	"GET /hma/c/exchanges/apis":    {may: askers},

	"GET /hma/c/banks":                            {may: askers},
	"POST /hma/c/banks":                           {may: keepers, body: `{"name":"EXERCISE_HMA_{n}"}`},
	"GET /hma/c/bank/{bank}":                      {may: north, ref: "{bankname}"},
	"PUT /hma/c/bank/{bank}":                      {may: who{reviewer}, ref: "{bankname}", body: `{"enabled":true}`},
	"DELETE /hma/c/bank/{bank}":                   {may: who{reviewer}, ref: "{closingname}"},
	"POST /hma/c/bank/{bank}/content":             {may: fillers, ref: "{bankname}"},
	"POST /hma/c/bank/{bank}/signal":              {may: fillers, ref: "{bankname}", body: `{"video_md5":"28f1fdb6a2c5eb9bbb4dcef12b5818af"}`},
	"GET /hma/c/bank/{bank}/content/{content}":    {may: north, ref: "{bankname}"},
	"PUT /hma/c/bank/{bank}/content/{content}":    {may: fillers, ref: "{bankname}", body: `{"disable_until_ts":1}`},
	"DELETE /hma/c/bank/{bank}/content/{content}": {may: fillers, ref: "{bankname}"},
}

// banked prepares banks of North's, one of them to be closed over the API and one over the routes of Hasher-Matcher-Actioner, and
// an entry.
func (s *site) banked(t *testing.T) {
	t.Helper()
	by := s.North.Reviewers[0]
	for thing, name := range map[string]string{"bank": "EXERCISE_MATRIX", "closing": "EXERCISE_CLOSING", "shutting": "EXERCISE_SHUTTING"} {
		b, err := s.OpenBank(t.Context(), by, concert.Bank{Name: name, Purpose: "EXERCISE secret purpose", LegalBasis: "EXERCISE law", Handling: concert.HandlingOpen, Ratio: concert.RatioWhole})
		testkit.Must(t, err)
		s.things["{"+thing+"}"], s.things["{"+thing+".v}"] = b.Ref, fmt.Sprint(b.Version)
	}
	s.things["{bankname}"], s.things["{closingname}"] = "EXERCISE_MATRIX", "EXERCISE_SHUTTING"
	var rs []casework.Result
	for _, digest := range []string{"28f1fdb6a2c5eb9bbb4dcef12b5818a0", "28f1fdb6a2c5eb9bbb4dcef12b5818a1"} {
		out, err := s.FillBank(t.Context(), by, s.things["{bank}"], []casework.Filling{{BankEntry: concert.BankEntry{Name: "EXERCISE secret entry", Hashes: []concert.KnownHash{{Kind: concert.HashMD5, Value: digest, Quality: -1}}}}})
		testkit.Must(t, err)
		rs = slices.Concat(rs, out)
	}
	e, err := s.NumberedEntry(t.Context(), testkit.Scope(t, by), s.things["{bank}"], 0, rs[1].Ref)
	testkit.Must(t, err)
	s.things["{entry}"], s.things["{content}"] = rs[0].Ref, fmt.Sprint(e.N)
	s.secrets = append(s.secrets, "secret purpose", "secret entry", "EXERCISE_MATRIX")
}
