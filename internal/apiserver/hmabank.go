package apiserver

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"concert"
	"concert/internal/casework"
)

// What a bank is said to be for that was opened by a client that says nothing of it,
// since Hasher-Matcher-Actioner does not ask. Its owner says better (PUT
// /api/v1/banks/{id}).
const (
	hmaPurpose    = "Opened by a client of Hasher-Matcher-Actioner, which names no purpose: its owner has to"
	hmaLegalBasis = "not named by the client that opened it"
	hmaNoteMost   = 255
)

// hmaBankShown is a bank as it is told there.
type hmaBankShown struct {
	Name  string  `json:"name"`
	Ratio float64 `json:"matching_enabled_ratio"`
}

func hmaBankOf(b casework.NamedBank) hmaBankShown {
	return hmaBankShown{b.Shown, float64(b.Ratio) / concert.RatioWhole}
}

func (s *Server) hmaBanks(ctx context.Context, q hmaAsked) (int, any, error) {
	bs, err := s.svc.NamedBanks(ctx, q.by)
	out := make([]hmaBankShown, len(bs))
	for i, b := range bs {
		out[i] = hmaBankOf(b)
	}
	return http.StatusOK, out, err
}

// hmaNamed is the bank of the address.
func (s *Server) hmaNamed(ctx context.Context, q hmaAsked) (casework.NamedBank, error) {
	return s.svc.NamedBank(ctx, q.by, q.r.PathValue("bank"))
}

func (s *Server) hmaBank(ctx context.Context, q hmaAsked) (int, any, error) {
	b, err := s.hmaNamed(ctx, q)
	return http.StatusOK, hmaBankOf(b), err
}

// hmaSettings are what there is to say of a bank there; what is said besides of
// purpose and basis is ours.
type hmaSettings struct {
	Name       *string         `json:"name"`
	Enabled    json.RawMessage `json:"enabled"`
	Ratio      json.RawMessage `json:"enabled_ratio"`
	Purpose    string          `json:"purpose"`
	LegalBasis string          `json:"legal_basis"`
}

// ratio is the share of questions that a bank is to answer; -1 where nothing is said.
func (in hmaSettings) ratio() (int, error) {
	text := func(raw json.RawMessage) string { return strings.Trim(string(raw), `"`) }
	if t := text(in.Ratio); t != "" && t != "null" {
		share, err := strconv.ParseFloat(t, 64)
		if err != nil || !(share >= 0 && share <= 1) {
			return 0, hmaBad("Invalid float: '%.40s' is no enabled_ratio, which is 0 to 1", t)
		}
		return thousandths(share), nil
	}
	if t := text(in.Enabled); t != "" && t != "null" {
		on, err := hmaBool(t)
		if err != nil {
			return 0, err
		}
		if on {
			return concert.RatioWhole, nil
		}
		return 0, nil
	}
	return -1, nil
}

func (s *Server) hmaOpenBank(ctx context.Context, q hmaAsked) (int, any, error) {
	if err := q.by.MayKeepBanks(); err != nil {
		return 0, nil, err
	}
	var in hmaSettings
	if err := hmaRead(q.r, &in); err != nil {
		return 0, nil, err
	}
	if in.Name == nil {
		return 0, nil, hmaBad("name is required")
	}
	ratio, err := in.ratio()
	if err != nil {
		return 0, nil, err
	}
	b := concert.UsualBank()
	b.Name, b.Purpose, b.LegalBasis = *in.Name, in.Purpose, in.LegalBasis
	if ratio >= 0 {
		b.Ratio = ratio
	}
	if b.Purpose == "" {
		b.Purpose = hmaPurpose
	}
	if b.LegalBasis == "" {
		b.LegalBasis = hmaLegalBasis
	}
	if b, err = s.svc.OpenBank(ctx, q.by, b); err != nil {
		return 0, nil, err
	}
	return http.StatusCreated, hmaBankShown{b.Name, float64(b.Ratio) / concert.RatioWhole}, nil
}

func (s *Server) hmaChangeBank(ctx context.Context, q hmaAsked) (int, any, error) {
	b, err := s.hmaNamed(ctx, q)
	if err != nil {
		return 0, nil, err
	}
	var in hmaSettings
	if err := hmaRead(q.r, &in); err != nil {
		return 0, nil, err
	}
	if in.Name != nil && *in.Name != b.Shown {
		return 0, nil, hmaBad("a bank keeps its name, since others know it by that: open another bank")
	}
	ratio, err := in.ratio()
	if err != nil {
		return 0, nil, err
	}
	v, err := s.svc.Bank(ctx, q.scope, b.Ref)
	if err != nil {
		return 0, nil, err
	}
	if ratio >= 0 {
		v.Ratio = ratio
	}
	after, err := s.svc.ChangeBank(ctx, q.by, b.Ref, v.Version, v.Bank)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, hmaBankShown{b.Shown, float64(after.Ratio) / concert.RatioWhole}, nil
}

func (s *Server) hmaCloseBank(ctx context.Context, q hmaAsked) (int, any, error) {
	b, err := s.hmaNamed(ctx, q)
	if err == nil {
		_, err = s.svc.CloseBank(ctx, q.by, b.Ref, b.Version)
	}
	return http.StatusOK, map[string]string{"message": "Done"}, err
}

// hmaMetadata is what may be said beside content.
type hmaMetadata struct {
	ContentID  string          `json:"content_id,omitempty"`
	ContentURI string          `json:"content_uri,omitempty"`
	JSON       json.RawMessage `json:"json,omitempty"`
}

func hmaMetadataOf(raw json.RawMessage) (hmaMetadata, error) {
	var m hmaMetadata
	if len(raw) == 0 || string(raw) == "null" {
		return m, nil
	}
	raw = bytes.ReplaceAll(raw, []byte(`\u0000`), []byte(`\ufffd`)) // as in every other text (noNUL)
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&m); err != nil {
		return m, hmaBad("Invalid metadata: it is an object with content_id and content_uri")
	}
	if len(m.JSON) > 0 && string(m.JSON) != "null" {
		return m, hmaBad("metadata.json is not kept here, since nobody knows what is in it: put what a person has to know into note")
	}
	return m, nil
}

func (s *Server) hmaAddFile(ctx context.Context, q hmaAsked) (int, any, error) {
	b, err := s.hmaNamed(ctx, q)
	if err != nil {
		return 0, nil, err
	}
	if err := q.by.MayFillBanks(); err != nil {
		return 0, nil, err
	}
	if q.r.URL.Query().Get("url") != "" {
		return hmaNoFetching(ctx, q)
	}
	if !strings.HasPrefix(q.r.Header.Get("Content-Type"), "multipart/form-data") {
		return 0, nil, hmaBad("Neither `url` nor multipart file upload was received")
	}
	f, err := s.hmaReadFile(ctx, q)
	if err != nil {
		return 0, nil, err
	}
	m, err := hmaMetadataOf(json.RawMessage(f.fields["metadata"]))
	if err != nil {
		return 0, nil, err
	}
	return s.hmaAdd(ctx, q, b, f.hashes, f.quality, m, f.fields["note"])
}

func (s *Server) hmaAddSignal(ctx context.Context, q hmaAsked) (int, any, error) {
	b, err := s.hmaNamed(ctx, q)
	if err != nil {
		return 0, nil, err
	}
	var in map[string]string
	if err := hmaRead(q.r, &in); err != nil {
		return 0, nil, err
	}
	note := in["note"]
	delete(in, "note")
	return s.hmaAdd(ctx, q, b, in, -1, hmaMetadata{}, note)
}

// hmaAdd enters signals of one work into a bank.
func (s *Server) hmaAdd(ctx context.Context, q hmaAsked, b casework.NamedBank, signals map[string]string, quality int, m hmaMetadata, note string) (int, any, error) {
	if len(signals) == 0 {
		return 0, nil, hmaBad("No signals given")
	}
	if len(note) > hmaNoteMost {
		return 0, nil, hmaBad("note must be at most %d characters", hmaNoteMost)
	}
	e := casework.Filling{BankEntry: concert.BankEntry{SourceID: m.ContentID, Name: m.ContentURI, Note: note}}
	shown := map[string]string{}
	for name, value := range signals {
		kind := hmaKind(name)
		if kind == "" {
			return 0, nil, hmaBad("No such signal type %.60s", name)
		}
		h := concert.KnownHash{Kind: kind, Value: value, Quality: -1}
		if kind == concert.HashPDQ {
			h.Quality = quality
		}
		h, err := h.Checked()
		if err != nil {
			return 0, nil, hmaBad("Invalid %s signal: %s", name, err)
		}
		e.Hashes = append(e.Hashes, h)
		shown[name] = h.Value
	}
	out, err := s.svc.FillBank(ctx, q.by, b.Ref, []casework.Filling{e})
	if err != nil {
		return 0, nil, err
	}
	if out[0].Err != nil {
		return 0, nil, out[0].Err
	}
	added, err := s.svc.NumberedEntry(ctx, q.scope, b.Ref, 0, out[0].Ref)
	return http.StatusOK, map[string]any{"id": added.N, "signals": shown}, err
}

// hmaEntry is the content of the address.
func (s *Server) hmaEntry(ctx context.Context, q hmaAsked) (casework.NamedBank, concert.BankEntry, error) {
	b, err := s.hmaNamed(ctx, q)
	if err != nil {
		return b, concert.BankEntry{}, err
	}
	n, err := strconv.ParseInt(q.r.PathValue("content"), 10, 64)
	if err != nil || n < 1 {
		return b, concert.BankEntry{}, concert.ErrNotFound
	}
	e, err := s.svc.NumberedEntry(ctx, q.scope, b.Ref, n, "")
	return b, e, err
}

// hmaDisabled is whether an entry matches: 1 where it does, 0 where it does not.
func (s *Server) hmaDisabled(e concert.BankEntry) int {
	if e.Matches(s.svc.Now()) {
		return 1
	}
	return 0
}

func (s *Server) hmaContent(ctx context.Context, q hmaAsked) (int, any, error) {
	b, e, err := s.hmaEntry(ctx, q)
	if err != nil {
		return 0, nil, err
	}
	query := q.r.URL.Query()
	out := map[string]any{"id": e.N, "disable_until_ts": s.hmaDisabled(e), "original_media_uri": nil, "bank": hmaBankOf(b)}
	if strings.EqualFold(query.Get("include_signals"), "true") {
		out["signals"] = hmaSignalsOf(e)
	}
	if !query.Has("include_metadata") || strings.EqualFold(query.Get("include_metadata"), "true") {
		if e.SourceID != "" || e.Name != "" {
			out["metadata"] = map[string]any{"content_id": hmaMaybe(e.SourceID), "content_uri": hmaMaybe(e.Name), "json": nil, "collab": nil}
		}
	}
	if e.Note != "" {
		out["note"] = e.Note
	}
	return http.StatusOK, out, nil
}

// hmaMaybe is a text, or null for none.
func hmaMaybe(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// hmaSignalsOf are the hashes of an entry by the names of there.
func hmaSignalsOf(e concert.BankEntry) map[string]string {
	out := map[string]string{}
	for _, h := range e.Hashes {
		for _, name := range hmaSignals {
			if _, there := out[name]; hmaKind(name) == h.Kind && !there {
				out[name] = h.Value
			}
		}
	}
	return out
}

func (s *Server) hmaChangeContent(ctx context.Context, q hmaAsked) (int, any, error) {
	b, e, err := s.hmaEntry(ctx, q)
	if err == nil {
		err = q.by.MayFillBanks()
	}
	if err != nil {
		return 0, nil, err
	}
	var in struct {
		Until json.RawMessage `json:"disable_until_ts"`
		Note  *string         `json:"note"`
	}
	if err := hmaRead(q.r, &in); err != nil {
		return 0, nil, err
	}
	if in.Note != nil && *in.Note != e.Note {
		return 0, nil, hmaBad("the note of an entry is not changed here: withdraw it and add it again with the other note")
	}
	until := strings.Trim(string(in.Until), `"`)
	switch {
	case until == "" || until == "null":
	case until == "0":
		e, err = s.svc.EndEntry(ctx, q.by, e.Ref)
	case until != "1":
		return 0, nil, hmaBad("disable_until_ts is 0 (withdrawn for good) or 1 (it matches) here; for a time nothing is switched off: set enabled_ratio of its bank, or withdraw it")
	case !e.EndedAt.IsZero():
		return 0, nil, hmaBad("entry %d ended (%s), and whoever holds it was told: add it again", e.N, e.End)
	case !e.QuarantinedAt.IsZero():
		e, err = s.svc.ClearEntry(ctx, q.by, e.Ref)
	}
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, map[string]any{"id": e.N, "disable_until_ts": s.hmaDisabled(e), "collab_metadata": struct{}{}, "original_media_uri": nil, "bank": hmaBankOf(b), "user_metadata": nil, "note": hmaMaybe(e.Note)}, nil
}

func (s *Server) hmaDropContent(ctx context.Context, q hmaAsked) (int, any, error) {
	_, e, err := s.hmaEntry(ctx, q)
	if err == nil {
		err = q.by.MayFillBanks()
	}
	if err != nil {
		return 0, nil, err
	}
	deleted := 0
	if e.EndedAt.IsZero() {
		if _, err := s.svc.EndEntry(ctx, q.by, e.Ref); err != nil {
			return 0, nil, err
		}
		deleted = 1
	}
	return http.StatusOK, map[string]int{"deleted": deleted}, nil
}

// hmaExchanges are the banks of one's own that are a copy of an exchange.
func (s *Server) hmaExchanges(ctx context.Context, q hmaAsked) (int, any, error) {
	bs, err := s.svc.NamedBanks(ctx, q.by)
	out := []string{}
	for _, b := range bs {
		if b.Own && b.Source != "" {
			out = append(out, b.Shown)
		}
	}
	return http.StatusOK, out, err
}

func (s *Server) hmaNoExchange(_ context.Context, q hmaAsked) (int, any, error) {
	if err := q.by.MayKeepBanks(); err != nil {
		return 0, nil, err
	}
	return 0, nil, hmaBad("nothing is fetched from exchanges here: open a bank with its source (POST /api/v1/banks) and send what the exchange gave to POST /api/v1/banks/{id}/import")
}

func hmaNoAPIs(context.Context, hmaAsked) (int, any, error) {
	return http.StatusOK, []string{}, nil
}
