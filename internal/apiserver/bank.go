package apiserver

import (
	"bufio"
	"context"
	"errors"
	"io"
	"iter"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"concert"
	"concert/api"
	"concert/internal/casework"
	"concert/internal/formats"
	"concert/internal/httpkit"
)

// bankEntryIn is a POST on one entry of a bank without a body.
type bankEntryIn struct {
	One
	IdempotencyKey string `header:"Idempotency-Key" maxLength:"200"`
}

func (s *Server) banks() {
	huma.Register(s.api, created(op(http.MethodPost, "/banks", "open-bank", "Open a bank of known content (reviewer)", "banks")), func(ctx context.Context, in *Keyed[api.NewBank]) (*tagged[api.Bank], error) {
		by, err := actor(ctx)
		if err != nil {
			return nil, s.fail(err)
		}
		b, err := bankIn(in.Body.BankSettings)
		if err != nil {
			return nil, s.fail(err)
		}
		b.Name, b.Source = in.Body.Name, in.Body.Source
		if b, err = s.svc.OpenBank(ctx, by, b); err != nil {
			return nil, s.fail(err)
		}
		return s.bankAfter(ctx, by, b.Ref)
	})
	huma.Register(s.api, op(http.MethodGet, "/banks", "banks", "The banks that I may know of, my own authority's first", "banks"), func(ctx context.Context, _ *struct{}) (*body[api.Page[api.Bank]], error) {
		sc, err := scope(ctx)
		if err != nil {
			return nil, s.fail(err)
		}
		bs, err := s.svc.Banks(ctx, sc)
		if err != nil {
			return nil, s.fail(err)
		}
		out := api.Page[api.Bank]{Items: make([]api.Bank, len(bs))}
		for i, b := range bs {
			out.Items[i] = bankOf(b)
		}
		return &body[api.Page[api.Bank]]{out}, nil
	})
	huma.Register(s.api, op(http.MethodGet, "/banks/{id}", "bank", "One bank", "banks"), func(ctx context.Context, in *One) (*tagged[api.Bank], error) {
		sc, err := scope(ctx)
		if err != nil {
			return nil, s.fail(err)
		}
		v, err := s.svc.Bank(ctx, sc, in.ID)
		if err != nil {
			return nil, s.fail(err)
		}
		return &tagged[api.Bank]{ETag: api.ETag(v.Version), Body: bankOf(v)}, nil
	})
	huma.Register(s.api, op(http.MethodPut, "/banks/{id}", "change-bank", "Set what a bank is for and how it answers (reviewer)", "banks"), func(ctx context.Context, in *matched[api.BankSettings]) (*tagged[api.Bank], error) {
		return s.onBank(ctx, in.ID, in.IfMatch, func(by concert.Actor, version int64) error {
			to, err := bankIn(in.Body)
			if err == nil {
				_, err = s.svc.ChangeBank(ctx, by, in.ID, version, to)
			}
			return err
		})
	})
	huma.Register(s.api, op(http.MethodDelete, "/banks/{id}", "close-bank", "End a bank: its entries match nothing from then on (reviewer)", "banks"), func(ctx context.Context, in *matchedOne) (*tagged[api.Bank], error) {
		return s.onBank(ctx, in.ID, in.IfMatch, func(by concert.Actor, version int64) error {
			_, err := s.svc.CloseBank(ctx, by, in.ID, version)
			return err
		})
	})
	huma.Register(s.api, op(http.MethodGet, "/banks/{id}/holders", "bank-holders", "Who takes a bank of my authority by its feed, and who is behind", "banks"), func(ctx context.Context, in *One) (*body[api.BankHolders], error) {
		sc, err := scope(ctx)
		if err != nil {
			return nil, s.fail(err)
		}
		hs, err := s.svc.BankHolders(ctx, sc, in.ID)
		if err != nil {
			return nil, s.fail(err)
		}
		out := api.BankHolders{Holders: make([]api.BankHolder, len(hs))}
		for i, h := range hs {
			out.Holders[i] = api.BankHolder{Name: h.Name, Entries: h.Entries, At: stamp(h.At), Behind: h.Behind}
		}
		return &body[api.BankHolders]{out}, nil
	})
	s.bankEntries()
	s.bankLists()
	s.knownContent()
}

// onBank is an act on one bank that answers with the bank as it stands after.
func (s *Server) onBank(ctx context.Context, ref, ifMatch string, act func(concert.Actor, int64) error) (*tagged[api.Bank], error) {
	by, err := actor(ctx)
	if err != nil {
		return nil, s.fail(err)
	}
	v, err := version(ifMatch)
	if err == nil {
		err = act(by, v)
	}
	if err != nil {
		return nil, s.fail(err)
	}
	return s.bankAfter(ctx, by, ref)
}

func (s *Server) bankAfter(ctx context.Context, by concert.Actor, ref string) (*tagged[api.Bank], error) {
	sc, err := concert.NewScope(by, "")
	if err != nil {
		return nil, s.fail(err)
	}
	v, err := s.svc.Bank(ctx, sc, ref)
	if err != nil {
		return nil, s.fail(err)
	}
	return &tagged[api.Bank]{ETag: api.ETag(v.Version), Body: bankOf(v)}, nil
}

func (s *Server) bankEntries() {
	do(s, op(http.MethodPost, "/banks/{id}/entries", "fill-bank", "Add known works to a bank, or take out what its source recalls", "banks"), func(ctx context.Context, by concert.Actor, in *struct {
		One
		Keyed[api.NewBankEntries]
	}) (api.Results, error) {
		fill := make([]casework.Filling, len(in.Body.Entries))
		for i, e := range in.Body.Entries {
			var err error
			if fill[i], err = fillingOf(e); err != nil {
				return api.Results{}, err
			}
		}
		out, err := s.svc.FillBank(ctx, by, in.ID, fill)
		return api.Results{Results: addedResults(out)}, err
	})
	huma.Register(s.api, op(http.MethodGet, "/banks/{id}/entries", "bank-entries", "A bank's entries, the newest first", "banks"), s.listEntries)
	do(s, created(op(http.MethodPost, "/banks/{id}/items/{item}", "bank-item", "Enter an item's content into a bank: the hashes of my authority's captures of it", "banks")), func(ctx context.Context, by concert.Actor, in *struct {
		One
		Item           string `path:"item" maxLength:"80"`
		IdempotencyKey string `header:"Idempotency-Key" maxLength:"200"`
	}) (api.BankEntry, error) {
		e, err := s.svc.BankItem(ctx, by, in.ID, in.Item)
		return bankEntryOf(e), err
	})
	for path, act := range map[string]struct {
		id, summary string
		do          func(context.Context, concert.Actor, string) (concert.BankEntry, error)
	}{
		"withdraw": {"withdraw-entry", "Take an entry out of its bank: whoever holds it learns so by the feed", s.svc.EndEntry},
		"clear":    {"clear-entry", "Let an entry match that was in quarantine (another reviewer than who added it)", s.svc.ClearEntry},
	} {
		do(s, op(http.MethodPost, "/entries/{id}/"+path, act.id, act.summary, "banks"), func(ctx context.Context, by concert.Actor, in *bankEntryIn) (api.BankEntry, error) {
			e, err := act.do(ctx, by, in.ID)
			return bankEntryOf(e), err
		})
	}
	do(s, op(http.MethodPost, "/entries/{id}/opinion", "judge-entry", "Say what my authority thinks of an entry, in place of what it said before", "banks"), func(ctx context.Context, by concert.Actor, in *struct {
		One
		Keyed[api.NewOpinion]
	}) (api.BankEntry, error) {
		e, err := s.svc.JudgeEntry(ctx, by, in.ID, concert.Opinion(in.Body.Opinion))
		if err == nil {
			e.Note, e.Item = "", "" // its owner's alone; the list of entries has it
		}
		return bankEntryOf(e), err
	})
}

func (s *Server) listEntries(ctx context.Context, in *struct {
	One
	Quarantined bool   `query:"quarantined" doc:"only those that matched too much and wait for a person"`
	Ended       bool   `query:"ended" doc:"those that ended, too"`
	Limit       int    `query:"limit" default:"100" minimum:"1" maximum:"500"`
	Cursor      string `query:"cursor" maxLength:"200"`
}) (*body[api.Page[api.BankEntry]], error) {
	sc, err := scope(ctx)
	if err != nil {
		return nil, s.fail(err)
	}
	q := casework.EntryQuery{Quarantined: in.Quarantined, Ended: in.Ended, Limit: in.Limit}
	if in.Cursor != "" {
		_, n, err := parseCursor(in.Cursor)
		if err == nil {
			q.Before, err = strconv.ParseInt(n, 10, 64)
		}
		if err != nil {
			return nil, s.fail(concert.Refuse(concert.Invalid, "cursor.malformed", "cursor", "this cursor was not given by this list: begin again without one"))
		}
	}
	_, es, err := s.svc.BankEntries(ctx, sc, in.ID, q)
	if err != nil {
		return nil, s.fail(err)
	}
	out := api.Page[api.BankEntry]{Items: make([]api.BankEntry, len(es))}
	for i, e := range es {
		out.Items[i] = bankEntryOf(e)
	}
	if len(es) == in.Limit {
		out.Next = cursor(0, strconv.FormatInt(es[len(es)-1].N, 10))
	}
	return &body[api.Page[api.BankEntry]]{out}, nil
}

// feeding asks for a page of a bank's feed.
type feeding struct {
	One
	After  string `query:"after" maxLength:"80" doc:"the checkpoint that was given before; left out to begin"`
	Limit  int    `query:"limit" default:"500" minimum:"1" maximum:"1000"`
	Format string `query:"format" enum:"lines,csv,ndjson,threatexchange,tat,stix,misp" doc:"by Accept when left out; ndjson"`
	Accept string `header:"Accept" maxLength:"400"`
}

// importing is a list that is sent to a bank: the body itself. Its fields are
// exported for the framework, which leaves the body alone.
type importing struct {
	One
	Format string `query:"format" enum:"lines,csv,ndjson,threatexchange,tat,stix,misp" doc:"by the list's beginning when left out"`

	hc huma.Context
}

// Resolve keeps the request, so that its body is read as a stream.
func (in *importing) Resolve(hc huma.Context) []error {
	in.hc = hc
	return nil
}

// bankLists are banks that come and go as lists (docs/banks.md).
func (s *Server) bankLists() {
	binary := &huma.Schema{Type: huma.TypeString, Format: "binary"}
	feed := op(http.MethodGet, "/banks/{id}/feed", "bank-feed", "A bank's entries as they changed, the earliest change first, ended ones as tombstones, behind a checkpoint", "banks")
	content := map[string]*huma.MediaType{}
	for _, f := range formats.BankFormats {
		content[bareMedia(f)] = &huma.MediaType{Schema: binary}
	}
	text := &huma.Schema{Type: huma.TypeString}
	feed.Responses = map[string]*huma.Response{"200": {Description: "the page in the form that was asked for", Content: content, Headers: map[string]*huma.Param{
		api.HeaderCheckpoint: {Schema: text, Description: "from where the feed goes on"}, api.HeaderMore: {Schema: text, Description: "true where there is more at once"}}}}
	huma.Register(s.api, feed, s.bankFeed)

	list := op(http.MethodPost, "/banks/{id}/import", "import-bank", "Fill a bank from a list in one of the forms of docs/banks.md", "banks")
	huma.Register(s.api, list, func(ctx context.Context, in *importing) (*body[api.BankImport], error) {
		by, err := actor(ctx)
		if err != nil {
			return nil, s.fail(err)
		}
		r, w := humago.Unwrap(in.hc)
		read := bufio.NewReaderSize(httpkit.NewUpload(w, r), 64<<10)
		f := formats.BankFormat(in.Format)
		if f == "" && by.MayFillBanks() == nil {
			head, err := read.Peek(64 << 10)
			if err != nil && !errors.Is(err, io.EOF) {
				return nil, s.fail(err)
			}
			var told bool
			if f, told = formats.BankFormatOf(head); !told {
				f = "unknown" // the act says what there is
			}
		}
		got, err := s.svc.ImportBank(ctx, by, in.ID, f, read)
		if err != nil {
			return nil, s.fail(err)
		}
		out := api.BankImport{Format: string(got.Format), Entries: got.Entries, Added: got.Added, Known: got.Known, Recalled: got.Recalled, Refused: got.Refused, Faults: []api.ImportFault{}}
		for _, x := range got.Faults {
			out.Faults = append(out.Faults, api.ImportFault{Line: x.Line, Entry: x.Entry, SourceID: x.SourceID, Reason: x.Why})
		}
		return &body[api.BankImport]{out}, nil
	})
	// Told once it is registered: the framework would read the body itself.
	s.api.OpenAPI().Paths[list.Path].Post.RequestBody = &huma.RequestBody{Content: map[string]*huma.MediaType{"application/octet-stream": {Schema: binary}}}
}

func (s *Server) bankFeed(ctx context.Context, in *feeding) (*huma.StreamResponse, error) {
	sc, err := scope(ctx)
	if err != nil {
		return nil, s.fail(err)
	}
	f := formats.BankFormat(in.Format)
	if f == "" {
		f = acceptedForm(in.Accept)
	}
	v, err := s.svc.BankFeed(ctx, sc, in.ID, in.After, in.Limit)
	if err != nil {
		return nil, s.fail(err)
	}
	page, next, es := formats.BankPage{Checkpoint: v.Next}, v.Next, v.Entries
	if len(es) == in.Limit {
		page.Next = s.svc.BaseURL + "/api/v1/banks/" + v.Ref + "/feed?after=" + next + "&format=" + string(f) + "&limit=" + strconv.Itoa(in.Limit)
	}
	for i := range es {
		es[i].Checkpoint = next
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		_, w := humago.Unwrap(hc)
		w.Header().Set(api.HeaderCheckpoint, next)
		w.Header().Set(api.HeaderMore, strconv.FormatBool(page.Next != ""))
		httpkit.NewDownload(w, f.MediaType(), v.Ref+"."+string(f)).Send(s.log, func(w io.Writer) error {
			buffered := bufio.NewWriterSize(w, 64<<10)
			_, err := formats.WriteBankPage(f, buffered, v.Bank, page, sharedEntries(es))
			return errors.Join(err, buffered.Flush())
		})
	}}, nil
}

func sharedEntries(es []formats.SharedEntry) iter.Seq2[formats.SharedEntry, error] {
	return func(yield func(formats.SharedEntry, error) bool) {
		for _, e := range es {
			if !yield(e, nil) {
				return
			}
		}
	}
}

// bareMedia is a form's media type without its parameters.
func bareMedia(f formats.BankFormat) string {
	media, _, _ := strings.Cut(f.MediaType(), ";") // all of it where there are none
	return media
}

// acceptedForm is the first form that an Accept header names; three of them are
// application/json alike, and are asked for by name.
func acceptedForm(accept string) formats.BankFormat {
	for part := range strings.SplitSeq(accept, ",") {
		media, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(part)), ";") // what stands behind is how much it is wanted
		for _, f := range []formats.BankFormat{formats.BankNDJSON, formats.BankCSV, formats.BankSTIX, formats.BankLines} {
			if media == bareMedia(f) {
				return f
			}
		}
	}
	return formats.BankNDJSON
}

// bankIn is what was said of a bank; what is left out is what is usual.
func bankIn(in api.BankSettings) (concert.Bank, error) {
	b := concert.UsualBank()
	b.Purpose, b.LegalBasis, b.Labels, b.Negative = in.Purpose, in.LegalBasis, in.Labels, in.Negative
	if in.Radius != nil {
		b.Radius = *in.Radius
	}
	if in.Handling != "" {
		b.Handling = concert.Handling(in.Handling)
	}
	if in.EnabledRatio != nil {
		b.Ratio = thousandths(*in.EnabledRatio)
	}
	for _, d := range in.OpenTo {
		b.OpenTo = append(b.OpenTo, concert.Destination(d))
	}
	var err error
	b.ExpiresAt, err = moment(in.ExpiresAt, "expires_at")
	return b, err
}

// thousandths is a share as the acts have it; what is none stays none.
func thousandths(share float64) int {
	if !(share >= 0 && share <= 1) {
		return -1
	}
	return int(share*concert.RatioWhole + 0.5)
}

// moment reads a time; the zero time for "".
func moment(s, field string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return t, concert.Refuse(concert.Invalid, "request.time", field, "a time is written like 2019-11-21T08:00:00Z (RFC 3339): got %.40q", s)
	}
	return t.UTC(), nil
}

func bankOf(v casework.BankView) api.Bank {
	b := v.Bank
	ratio := float64(b.Ratio) / concert.RatioWhole
	out := api.Bank{ID: b.Ref, Name: b.Name, Source: b.Source, Owner: v.Owner.Ref, OwnerName: v.Owner.Name, Mine: v.Mine, ClosedAt: stamp(b.ClosedAt), CreatedAt: stamp(b.CreatedAt),
		Matching: v.Count.Matching, Quarantined: v.Count.Quarantined, Ended: v.Count.Ended, Exercise: b.Exercise, Version: b.Version,
		BankSettings: api.BankSettings{Purpose: b.Purpose, LegalBasis: b.LegalBasis, Labels: b.Labels, Radius: &b.Radius, Handling: string(b.Handling), EnabledRatio: &ratio, Negative: b.Negative, ExpiresAt: stamp(b.ExpiresAt)}}
	for _, d := range b.OpenTo {
		out.OpenTo = append(out.OpenTo, string(d))
	}
	return out
}

func fillingOf(in api.NewBankEntry) (casework.Filling, error) {
	f := casework.Filling{Gone: in.Gone, BankEntry: concert.BankEntry{SourceID: in.SourceID, Name: in.Name, Labels: in.Labels, Note: in.Note, Handling: concert.Handling(in.Handling), Opinion: concert.Opinion(in.Opinion)}}
	for _, h := range in.Hashes {
		kh := concert.KnownHash{Kind: concert.HashKind(h.Kind), Value: h.Value, Quality: -1}
		if h.Quality != nil {
			kh.Quality = *h.Quality
		}
		for _, fr := range h.Frames {
			raw, err := pdqBytes(fr.PDQ)
			if err != nil {
				return f, err
			}
			kh.Frames = append(kh.Frames, concert.KnownFrame{PDQ: raw, Quality: fr.Quality, Seconds: fr.Seconds})
		}
		f.Hashes = append(f.Hashes, kh)
	}
	var err error
	f.ExpiresAt, err = moment(in.ExpiresAt, "expires_at")
	return f, err
}

// addedResults are results of which what was added is 201.
func addedResults(in []casework.Result) []api.Result {
	out := results(in)
	for i, r := range in {
		if r.Err == nil && r.Outcome == casework.OutcomeAdded {
			out[i].Status = http.StatusCreated
		}
	}
	return out
}

func bankEntryOf(e concert.BankEntry) api.BankEntry {
	out := api.BankEntry{ID: e.Ref, Number: e.N, SourceID: e.SourceID, Hashes: []api.KnownHash{}, Name: e.Name, Labels: e.Labels, Note: e.Note, Handling: string(e.Handling), Opinion: string(e.Stands()),
		AddedAt: stamp(e.AddedAt), ChangedAt: stamp(e.ChangedAt), ExpiresAt: stamp(e.ExpiresAt), QuarantinedAt: stamp(e.QuarantinedAt), EndedAt: stamp(e.EndedAt), End: string(e.End), Version: e.Version}
	for _, h := range e.Hashes {
		kh := api.KnownHash{Kind: string(h.Kind), Value: h.Value}
		if h.Quality >= 0 {
			kh.Quality = &h.Quality
		}
		for _, f := range h.Frames {
			kh.Frames = append(kh.Frames, api.KnownFrame{PDQ: pdqText(f.PDQ), Quality: f.Quality, Seconds: f.Seconds})
		}
		out.Hashes = append(out.Hashes, kh)
	}
	for _, o := range e.Said {
		if out.Said == nil {
			out.Said = map[string]int{}
		}
		out.Said[string(o.Opinion)]++
	}
	return out
}
