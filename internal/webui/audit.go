package webui

import (
	"cmp"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"concert"
	"concert/internal/casework"
	"concert/internal/design"
	"concert/internal/httpkit"
)

// auditRows is how many consultations one page shows.
const auditRows = 100

// readTexts say what a consultation was of.
var readTexts = map[string]design.Text{
	concert.ReadOneItem: "one item", concert.ReadItemList: "list of items", concert.ReadApprovals: "approvals that wait", concert.ReadSecondLooks: "second looks", concert.ReadHolds: "holds", concert.ReadReferral: "one referral",
	concert.ReadItemCounts: "counts of items", concert.ReadBoard: "board", concert.ReadPeople: "people", concert.ReadConsultations: "consultations", concert.ReadSample: "random draw", concert.ReadExport: "export", concert.ReadFind: "search",
	concert.ReadExhibit: "one exhibit", concert.ReadExhibits: "exhibits on their way", concert.ReadCaseEvidence: "seized evidence of a case", concert.ReadReidentification: "one request to open pseudonyms", concert.ReadReidentifications: "requests to open pseudonyms", concert.ReadAnalysis: "access logs of an exhibit", concert.ReadAnalysisFile: "report on access logs, as a file",
	concert.ReadAccuracy: "accuracy of officers", concert.ReadAlarms: "alarms", concert.ReadDispatch: "hold on dispatch", concert.ReadErasure: "proof of an erasure",
	concert.ReadReferrals: "list of referrals", concert.ReadRegisters: "registers", concert.ReadRemedies: "withdrawals and corrections", concert.ReadEvents: "event log", concert.ReadOneEvent: "one event", concert.ReadPlace: "item at a place", concert.ReadOrder: "one removal order",
	concert.ReadAccesses: "accesses by kind", concert.ReadDraws: "random draws", concert.ReadBlind: "drawn, to be judged blind", concert.ReadDwell: "times in states", concert.ReadAuditReport: "audit report", concert.ReadRecommendations: "recommendations",
	concert.ReadBanks: "banks of known content", concert.ReadMatches: "number of works behind what was handed in",
}

// auditKey is a public key that an auditor pins.
type auditKey struct{ Role, Party, ID string }

// consultedLine is one reading.
type consultedLine struct {
	Operator, Ref, Filter, Why string
	What                       design.Text
	Refs                       []string
	Count                      int
	At                         timeText
}

// auditPage is what an auditor works with (G31).
type auditPage struct {
	Origin, LogKey, Checkpoint, Base string
	Keys                             []auditKey
	Operator, Ref                    string // whose consultations, or of what; "" for all
	Lines                            []consultedLine
	Next                             string
	Later                            bool
}

func (u *UI) audit(w http.ResponseWriter, r *http.Request, v *visit) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	q := r.URL.Query()
	p := auditPage{Origin: u.svc.Origin, LogKey: u.svc.LogKey, Base: strings.TrimSuffix(u.svc.BaseURL, "/"), Operator: clean(q.Get("operator")), Ref: clean(q.Get("ref")), Later: q.Get("after") != ""}
	cs, err := u.svc.Consultations(r.Context(), scope, casework.ConsultationQuery{Before: concert.EventID(clean(q.Get("after"))), Operator: p.Operator, Ref: p.Ref, Limit: auditRows})
	if err != nil {
		return err
	}
	for _, c := range cs {
		p.Lines = append(p.Lines, consultedLine{Operator: c.Operator, What: cmp.Or(readTexts[c.What], design.Text(c.What)), Ref: c.Ref, Filter: c.Filter, Why: c.Justification, Refs: c.Refs, Count: c.Count, At: at(c.At)})
	}
	if len(cs) == auditRows {
		p.Next = "/audit?" + url.Values{"operator": {p.Operator}, "ref": {p.Ref}, "after": {string(cs[auditRows-1].Event)}}.Encode()
	}
	if p.Checkpoint, err = u.svc.LogCheckpoint(r.Context()); err != nil {
		var refused *concert.Error
		if !errors.As(err, &refused) || refused.Kind != concert.NotFound {
			return err
		}
	}
	g, err := u.svc.Registers(r.Context())
	if err != nil {
		return err
	}
	p.Keys = auditKeys(g, u.svc)
	return u.show(w, r, v, view{title: say(r.Context(), "Audit"), body: auditView(p), wide: true})
}

func auditKeys(g casework.Registers, s *casework.Service) []auditKey {
	var keys []auditKey
	for _, a := range g.Authorities {
		keys = append(keys, auditKey{"author", a.Name, concert.KeyID(a.PublicKey) + " " + base64.StdEncoding.EncodeToString(a.PublicKey)})
	}
	slices.SortFunc(keys, func(a, b auditKey) int { return cmp.Or(cmp.Compare(a.Party, b.Party), cmp.Compare(a.ID, b.ID)) })
	transport := s.TransportKey()
	return append([]auditKey{{"transport", s.Origin, concert.KeyID(transport) + " " + base64.StdEncoding.EncodeToString(transport)}}, keys...)
}

func (u *UI) auditExport(w http.ResponseWriter, r *http.Request, v *visit) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	write, err := u.svc.OpenExport(r.Context(), scope)
	if err != nil {
		return err
	}
	httpkit.NewDownload(w, "application/jsonl", "concert-export.jsonl").Send(u.log, write)
	return nil
}
