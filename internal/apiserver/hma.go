package apiserver

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"concert"
	"concert/internal/casework"
	"concert/internal/httpkit"
)

const (
	// hmaMost is the most bytes of a file that is hashed (Hasher-Matcher-Actioner's own
	// bound), and hmaHashing how many are read in at once.
	hmaMost    = 100 << 20
	hmaHashing = 4
	// hmaOutcome says on an answer without matches why there are none.
	hmaOutcome = "Concert-Outcome"
)

// The names of Hasher-Matcher-Actioner.
const (
	hmaPDQ, hmaMD5, hmaSHA1, hmaSHA256 = "pdq", "video_md5", "sha1", "sha256"
	hmaPhoto, hmaVideo                 = "photo", "video"
)

// hmaSignals are the kinds of hash that these routes take, in the order in which they
// are listed.
var hmaSignals = []string{hmaPDQ, hmaMD5, hmaSHA1, hmaSHA256}

// hmaKind is a kind of hash by its name there; "" for one that is not compared.
func hmaKind(signal string) concert.HashKind {
	switch signal {
	case hmaPDQ:
		return concert.HashPDQ
	case hmaMD5:
		return concert.HashMD5
	case hmaSHA1:
		return concert.HashSHA1
	case hmaSHA256:
		return concert.HashSHA256
	}
	return ""
}

// hmaAsked is a request on the routes of Hasher-Matcher-Actioner.
type hmaAsked struct {
	by    concert.Actor
	scope concert.Scope
	r     *http.Request
	w     http.ResponseWriter
}

// hmaRoute answers one of them: status and body, or why not.
type hmaRoute func(context.Context, hmaAsked) (int, any, error)

// hmaRoutes are the routes of Hasher-Matcher-Actioner 1.1, so that its clients switch by
// changing the address (docs/hma.md). What they answer has its shapes, byte for byte
// where a client looks; who may do what is as everywhere else.
func (s *Server) hmaRoutes() []route {
	out := []route{{"GET /hma/status/live", hmaAlive}, {"GET /hma/status", s.hmaStatus}}
	for pattern, h := range map[string]hmaRoute{
		"GET /hma/h/hash":         hmaNoFetching,
		"POST /hma/h/hash":        s.hmaHash,
		"GET /hma/m/raw_lookup":   s.hmaRawLookup,
		"GET /hma/m/lookup":       s.hmaLookup,
		"POST /hma/m/lookup":      s.hmaLookupFile,
		"POST /hma/m/compare":     s.hmaCompare,
		"GET /hma/m/index/status": s.hmaIndexStatus,

		"GET /hma/c/banks":                            s.hmaBanks,
		"POST /hma/c/banks":                           s.hmaOpenBank,
		"GET /hma/c/bank/{bank}":                      s.hmaBank,
		"PUT /hma/c/bank/{bank}":                      s.hmaChangeBank,
		"DELETE /hma/c/bank/{bank}":                   s.hmaCloseBank,
		"POST /hma/c/bank/{bank}/content":             s.hmaAddFile,
		"POST /hma/c/bank/{bank}/signal":              s.hmaAddSignal,
		"GET /hma/c/bank/{bank}/content/{content}":    s.hmaContent,
		"PUT /hma/c/bank/{bank}/content/{content}":    s.hmaChangeContent,
		"DELETE /hma/c/bank/{bank}/content/{content}": s.hmaDropContent,

		"GET /hma/c/signal_type":       hmaSignalTypes,
		"GET /hma/c/signal_type/index": s.hmaIndexes,
		"GET /hma/c/content_type":      hmaContentTypes,
		"GET /hma/c/exchanges":         s.hmaExchanges,
		"POST /hma/c/exchanges":        s.hmaNoExchange,
		"GET /hma/c/exchanges/apis":    hmaNoAPIs,
	} {
		out = append(out, route{pattern, s.hmaHandler(h)})
	}
	return out
}

// registerHMA puts the routes under /hma/.
func (s *Server) registerHMA(mux *http.ServeMux) {
	inner := http.NewServeMux()
	for _, r := range s.hmaRoutes() {
		inner.HandleFunc(r.pattern, r.handler)
	}
	inner.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.hmaRefuse(w, r, concert.Refuse(concert.NotFound, "request.path", "", "there is nothing at %s %.200s: docs/hma.md lists what there is of Hasher-Matcher-Actioner", r.Method, r.URL.Path))
	})
	mux.Handle("/hma/", s.authenticated(s.hmaRefuse, noNUL(inner)))
}

// hmaHandler finds out who asks and writes what is answered.
func (s *Server) hmaHandler(h hmaRoute) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		q := hmaAsked{r: r, w: w}
		var err error
		if q.scope, err = scope(r.Context()); err != nil {
			s.hmaRefuse(w, r, err)
			return
		}
		q.by = q.scope.Actor()
		var status int
		var body any
		if err = q.by.MayAskBanks(); err == nil {
			status, body, err = h(r.Context(), q)
		}
		if err != nil {
			s.hmaRefuse(w, r, err)
			return
		}
		hmaWrite(w, status, body)
	}
}

func hmaWrite(w http.ResponseWriter, status int, body any) {
	text, err := json.Marshal(body)
	if err != nil {
		status, text = http.StatusInternalServerError, []byte(`{"message":"internal"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n')) // a client that went away hears nothing
}

// hmaRefuse tells an error as Hasher-Matcher-Actioner does, with its numbers.
func (s *Server) hmaRefuse(w http.ResponseWriter, r *http.Request, err error) {
	p := httpkit.ProblemOf(err)
	if httpkit.Ours(err) {
		s.log.Error("request failed", "method", r.Method, "pattern", r.Pattern, "err", err)
	}
	status := p.Status
	switch {
	case p.Code == "bank.name_taken":
		status = http.StatusForbidden
	case status == http.StatusUnprocessableEntity:
		status = http.StatusBadRequest
	}
	for name, values := range httpkit.ProblemHeader(p) {
		if w.Header().Get(name) == "" {
			w.Header()[name] = values
		}
	}
	hmaWrite(w, status, map[string]string{"message": p.Detail, "code": p.Code})
}

// hmaBad refuses what Hasher-Matcher-Actioner answers with 400.
func hmaBad(format string, args ...any) error {
	return concert.Refuse(concert.Invalid, "hma.request", "", format, args...)
}

func hmaAlive(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = io.WriteString(w, "I-AM-ALIVE") // a client that went away hears nothing
}

func (s *Server) hmaStatus(w http.ResponseWriter, r *http.Request) {
	text, status := "I-AM-ALIVE", http.StatusOK
	if !s.svc.KnownStatus().Ready {
		text, status = "INDEX-NOT-LOADED", http.StatusServiceUnavailable
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text) // a client that went away hears nothing
}

// hmaNoFetching refuses to fetch an address for somebody: what is behind it would
// reach this house, and who asks would reach what this house can.
func hmaNoFetching(_ context.Context, q hmaAsked) (int, any, error) {
	if q.r.URL.Query().Get("url") == "" {
		return 0, nil, hmaBad("url is required; and no address is fetched here: POST the file")
	}
	return 0, nil, concert.Refuse(concert.Forbidden, "hma.no_fetching", "url", "no address is fetched here: fetch it where it can do no harm and POST the file as multipart/form-data, or hash it on your side (concert hash FILE) and look the hash up")
}

// hmaFile is a file that came in a form, hashed, with the fields beside it.
type hmaFile struct {
	signals map[string]string // "" for a picture with too little in it
	hashes  map[string]string // the same, whatever is in it
	quality int               // of the picture; -1 for none
	fields  map[string]string
}

func (s *Server) hmaHash(ctx context.Context, q hmaAsked) (int, any, error) {
	f, err := s.hmaReadFile(ctx, q)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, f.signals, nil
}

// hmaReadFile reads the one file of a form and hashes it. Of a picture with too little
// in it the hash is "", as there.
func (s *Server) hmaReadFile(ctx context.Context, q hmaAsked) (hmaFile, error) {
	out := hmaFile{signals: map[string]string{}, hashes: map[string]string{}, quality: -1, fields: map[string]string{}}
	select {
	case s.hashing <- struct{}{}:
		defer func() { <-s.hashing }()
	case <-ctx.Done():
		return out, ctx.Err()
	}
	q.r.Body = httpkit.NewUpload(q.w, q.r)
	parts, err := q.r.MultipartReader()
	if err != nil {
		return out, hmaBad("Missing multipart/form-data file upload")
	}
	var hashed bool
	for range 32 {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if refused := (*concert.Error)(nil); errors.As(err, &refused) {
			return out, refused
		}
		if err != nil {
			return out, hmaBad("the form cannot be read to its end: send it again")
		}
		if part.FileName() == "" {
			text, err := io.ReadAll(io.LimitReader(part, 64<<10))
			if err != nil {
				return out, hmaBad("the form cannot be read to its end: send it again")
			}
			out.fields[part.FormName()] = string(text)
			continue
		}
		if hashed {
			return out, hmaBad("Only one file allowed per request")
		}
		hashed = true
		if err := s.hmaHashPart(ctx, q, &out, part.FormName(), part); err != nil {
			return out, err
		}
	}
	if !hashed {
		return out, hmaBad("Missing multipart/form-data file upload")
	}
	if out.quality >= 0 && out.signals[hmaPDQ] == "" {
		q.w.Header().Set(hmaOutcome, string(concert.LookLowQuality))
	}
	return out, nil
}

// counting reads so many bytes at most, and keeps what broke it off.
type counting struct {
	r    io.Reader
	left int
	err  error
}

// Read reads a part.
func (c *counting) Read(p []byte) (int, error) {
	if c.left <= 0 {
		if c.err == nil {
			c.err = concert.Refuse(concert.TooLarge, "request.too_large", "file", "Content too large: the file has more than %d MB", hmaMost>>20)
		}
		return 0, c.err
	}
	n, err := c.r.Read(p[:min(len(p), c.left)])
	c.left -= n
	if err != nil && !errors.Is(err, io.EOF) {
		c.err = err
	}
	return n, err
}

// hmaHashPart hashes a file of a content type.
func (s *Server) hmaHashPart(ctx context.Context, q hmaAsked, out *hmaFile, contentType string, r io.Reader) error {
	of := map[string][]string{hmaPhoto: {hmaPDQ}, hmaVideo: {hmaMD5}}[contentType]
	if of == nil {
		return hmaBad("no such content_type: '%.60s'", contentType)
	}
	if types := q.r.URL.Query().Get("types"); types != "" {
		var chosen []string
		for name := range strings.SplitSeq(types, ",") {
			if name = strings.TrimSpace(name); name == "" {
				continue
			}
			if name != of[0] {
				return hmaBad("signal type '%.60s' doesn't exist or is disabled", name)
			}
			chosen = []string{name}
		}
		if of = chosen; of == nil {
			return hmaBad("empty signal type selection")
		}
	}
	in := &counting{r: r, left: hmaMost}
	f, err := s.svc.HashUpload(ctx, q.by, in)
	if refused := (*concert.Error)(nil); errors.As(in.err, &refused) {
		return refused
	}
	switch {
	case err != nil:
		return err
	case f.Bytes == 0:
		return hmaBad("the file is empty")
	case of[0] == hmaMD5 && in.err == nil:
		out.signals[hmaMD5], out.hashes[hmaMD5] = f.MD5, f.MD5
		return nil
	case f.Error != "":
		return hmaBad("the file cannot be hashed: %s", f.Error)
	case f.PDQ == "":
		return hmaBad("the file is no picture that is read here, but %s", f.Type)
	}
	out.quality, out.hashes[hmaPDQ] = f.Quality, f.PDQ
	if out.signals[hmaPDQ] = f.PDQ; f.Quality < concert.QualityLeast {
		out.signals[hmaPDQ] = "" // as there
	}
	return nil
}

// hmaMatch is one match as it is told there.
type hmaMatch struct {
	Content  int64  `json:"bank_content_id"`
	Distance string `json:"distance"`
}

// hmaOptions reads which banks are asked and how.
func hmaOptions(r *http.Request) (casework.AskOptions, error) {
	q := r.URL.Query()
	o := casework.AskOptions{Radius: -1, Seed: q.Get("seed"), Lax: true}
	if banks := q.Get("banks"); banks != "" {
		o.Banks = strings.Split(banks, ",")
	}
	var err error
	o.Whole, err = hmaBool(q.Get("bypass_coinflip"))
	return o, err
}

// hmaBool reads a truth as its clients write it.
func hmaBool(text string) (bool, error) {
	switch strings.ToLower(text) {
	case "", "false", "0", "no", "off", "f", "n":
		return false, nil
	case "true", "1", "yes", "on", "t", "y":
		return true, nil
	}
	return false, hmaBad("invalid boolean parameter - prefer true/false")
}

// hmaFind looks one signal up. A picture's "" is what hashing says of one with too
// little in it: no match, and no error.
func (s *Server) hmaFind(ctx context.Context, q hmaAsked, signal, value string, o casework.AskOptions) ([]casework.NamedHit, error) {
	kind := hmaKind(signal)
	switch {
	case kind == "":
		return nil, hmaBad("No such SignalType '%.60s'", signal)
	case kind == concert.HashPDQ && strings.TrimSpace(value) == "":
		q.w.Header().Set(hmaOutcome, string(concert.LookLowQuality))
		return nil, nil
	}
	found, err := s.svc.Look(ctx, q.by, casework.KnownLook{Kind: kind, Value: value, Quality: -1}, o)
	if err == nil && found.Outcome == concert.LookInvalid {
		err = hmaBad("invalid signal: %s", found.Why)
	}
	return found.Hits, err
}

// hmaByBank are matches as they are told there.
func hmaByBank(signal string, hits []casework.NamedHit) map[string][]hmaMatch {
	out := map[string][]hmaMatch{}
	for _, h := range hits {
		out[h.Name] = append(out[h.Name], hmaMatch{h.Entry, hmaDistance(signal, h)})
	}
	return out
}

func hmaDistance(signal string, h casework.NamedHit) string {
	if signal == hmaPDQ {
		return strconv.Itoa(h.Distance)
	}
	return "-"
}

// hmaSignalOf reads the signal of a look-up.
func hmaSignalOf(r *http.Request) (signal, value string, err error) {
	q := r.URL.Query()
	for _, name := range []string{"signal", "signal_type"} {
		if !q.Has(name) {
			return "", "", hmaBad("%s is required", name)
		}
	}
	return q.Get("signal_type"), q.Get("signal"), nil
}

func (s *Server) hmaRawLookup(ctx context.Context, q hmaAsked) (int, any, error) {
	signal, value, err := hmaSignalOf(q.r)
	if err != nil {
		return 0, nil, err
	}
	o, err := hmaOptions(q.r)
	if err != nil {
		return 0, nil, err
	}
	far, err := hmaBool(q.r.URL.Query().Get("include_distance"))
	if err != nil {
		return 0, nil, err
	}
	o.Whole = true
	hits, err := s.hmaFind(ctx, q, signal, value, o)
	matches := []any{}
	for _, h := range hits {
		if far {
			matches = append(matches, hmaMatch{h.Entry, hmaDistance(signal, h)})
		} else {
			matches = append(matches, h.Entry)
		}
	}
	return http.StatusOK, map[string]any{"matches": matches}, err
}

func (s *Server) hmaLookup(ctx context.Context, q hmaAsked) (int, any, error) {
	if q.r.URL.Query().Get("url") != "" {
		return hmaNoFetching(ctx, q)
	}
	signal, value, err := hmaSignalOf(q.r)
	if err != nil {
		return 0, nil, err
	}
	o, err := hmaOptions(q.r)
	if err != nil {
		return 0, nil, err
	}
	hits, err := s.hmaFind(ctx, q, signal, value, o)
	return http.StatusOK, hmaByBank(signal, hits), err
}

func (s *Server) hmaLookupFile(ctx context.Context, q hmaAsked) (int, any, error) {
	o, err := hmaOptions(q.r)
	if err != nil {
		return 0, nil, err
	}
	f, err := s.hmaReadFile(ctx, q)
	if err != nil {
		return 0, nil, err
	}
	out := map[string]map[string][]hmaMatch{}
	for signal, value := range f.signals {
		hits, err := s.hmaFind(ctx, q, signal, value, o)
		if err != nil {
			return 0, nil, err
		}
		out[signal] = hmaByBank(signal, hits)
	}
	return http.StatusOK, out, nil
}

func (s *Server) hmaCompare(_ context.Context, q hmaAsked) (int, any, error) {
	var in map[string][]string
	if err := hmaRead(q.r, &in); err != nil {
		return 0, nil, err
	}
	out := map[string]any{}
	for signal, pair := range in {
		kind := hmaKind(signal)
		if kind == "" {
			return 0, nil, hmaBad("No such SignalType '%.60s'", signal)
		}
		if len(pair) != 2 {
			return 0, nil, hmaBad("Comparison hash list length must be exactly 2")
		}
		same, distance, err := casework.CompareHashes(kind, pair[0], pair[1])
		switch {
		case err != nil:
			return 0, nil, hmaBad("Invalid %s hash: %s", signal, err)
		case kind == concert.HashPDQ:
			out[signal] = []any{same, map[string]int{"distance": distance}}
		default:
			out[signal] = []any{same, struct{}{}}
		}
	}
	return http.StatusOK, out, nil
}

// hmaRead reads a JSON body.
func hmaRead(r *http.Request, to any) error {
	text, err := io.ReadAll(io.LimitReader(r.Body, httpkit.MaxBody))
	if err == nil {
		err = json.Unmarshal(text, to)
	}
	if wrong := (*json.UnmarshalTypeError)(nil); errors.As(err, &wrong) {
		return hmaBad("the body is no JSON of the form that is wanted: %.60q is of the wrong type", wrong.Field)
	}
	if err != nil {
		return hmaBad("the body is no JSON that can be read")
	}
	return nil
}

// hmaLimited are the kinds of hash that a question is about.
func hmaLimited(r *http.Request) ([]string, error) {
	only := r.URL.Query().Get("signal_type")
	if only == "" {
		return hmaSignals, nil
	}
	if hmaKind(only) == "" {
		return nil, hmaBad("No such signal type '%.60s'", only)
	}
	return []string{only}, nil
}

func (s *Server) hmaIndexStatus(_ context.Context, q hmaAsked) (int, any, error) {
	signals, err := hmaLimited(q.r)
	if err != nil {
		return 0, nil, err
	}
	st := s.svc.KnownStatus()
	out := map[string]any{}
	for _, name := range signals {
		one := map[string]any{"present": st.Ready, "built_to": int64(-1), "size": 0}
		if st.Ready {
			one["built_to"] = time.Now().Unix() // it is never behind
		}
		if name == hmaPDQ {
			one["size"] = st.Hashes
		}
		out[name] = one
	}
	return http.StatusOK, out, nil
}

func (s *Server) hmaIndexes(_ context.Context, q hmaAsked) (int, any, error) {
	signals, err := hmaLimited(q.r)
	if err != nil {
		return 0, nil, err
	}
	st, now := s.svc.KnownStatus(), time.Now().Unix()
	out := map[string]any{}
	for _, name := range signals {
		size := 0
		if name == hmaPDQ {
			size = st.Hashes
		}
		out[name] = map[string]any{"db_size": size, "index_size": size, "index_out_of_date": !st.Ready, "newest_db_item": now, "index_built_to": now}
	}
	return http.StatusOK, out, nil
}

func hmaSignalTypes(context.Context, hmaAsked) (int, any, error) {
	out := []any{}
	for _, name := range hmaSignals {
		out = append(out, map[string]any{"name": name, "enabled_ratio": 1.0})
	}
	return http.StatusOK, out, nil
}

func hmaContentTypes(context.Context, hmaAsked) (int, any, error) {
	out := []any{map[string]any{"name": hmaPhoto, "enabled": true}, map[string]any{"name": hmaVideo, "enabled": true}}
	return http.StatusOK, out, nil
}
