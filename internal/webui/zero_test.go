package webui

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"
	"golang.org/x/net/html"

	"concert"
	"concert/internal/accesslog"
	"concert/internal/casework"
	"concert/internal/design"
	"concert/internal/vault"
)

func TestEveryPageRendersItsZeroValue(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]templ.Component{
		"login": loginView(loginPage{}), "enter": enterView(enterPage{}), "password": passwordView(passwordPage{}), "justification": justificationView(justificationPage{}),
		"items": itemsView(itemsPage{Sheet: sheetOf(itemForm(casework.Registers{}, true))}), "submit": submitView(submitPage{}), "item": itemView(itemPage{}), "approvals": approvalsView(approvalsPage{Sheet: sheetOf(approvalForm(casework.Registers{}))}), "holds": holdsView(holdsPage{Sheet: sheetOf(holdForm())}),
		"inbox": inboxListView(inboxList{}), "referral": referralView(referralPage{}), "board": boardView(boardPage{}, ""), "report": reportView(reportPage{}, true),
		"scope": scopeView(scopePage{}), "counting": countingView(), "log": logView(logPage{}), "failure": failureView(failurePage{Title: "x"}),
		"alarms":               alarmsView(alarmsPage{Sheet: sheetOf(alarmForm(casework.Registers{}))}),
		"one alarm of each":    alarmsView(alarmsPage{Reviews: make([]casework.ReviewView, 1), Sheet: sheetOf(alarmForm(casework.Registers{}))}),
		"one hold, asked for":  holdsView(holdsPage{MayPlace: true, Sheet: sheetOf(holdForm()), Holds: []standing{{HoldView: casework.HoldView{Asked: []casework.AskedView{{Probed: make([]concert.Alarm, 1)}}}, MayRenew: true}}}),
		"held item":            itemView(itemPage{Item: casework.ItemView{Item: concert.Item{Status: concert.ItemHeld}, HoldLate: true}, MayOverride: true, MayReview: true}),
		"audit":                auditView(auditPage{}),
		"justified":            justificationView(justificationPage{Auditor: true, Actions: make([]choice, 1)}),
		"audit of one":         auditView(auditPage{Keys: make([]auditKey, 1), Lines: make([]consultedLine, 1)}),
		"accesses":             accessesView(accessesPage{}),
		"accesses listed":      accessListView(accessListPage{AccessList: casework.AccessList{Lines: make([]casework.AccessLine, 1), Next: "x"}}),
		"draws":                drawsView(drawsPage{}),
		"one draw":             drawView(drawPage{DrawView: casework.DrawView{AuditSample: &concert.AuditSample{Units: make([]concert.DrawnUnit, 1)}}}),
		"draws with one":       drawsView(drawsPage{Draws: []casework.DrawView{{AuditSample: &concert.AuditSample{}}}, Preview: &casework.DrawPreview{Strata: make([]concert.DrawStratum, 1)}}),
		"a drawn unit":         unitBlindView(unitBlindPage{BlindUnit: casework.BlindUnit{Items: make([]casework.BlindItem, 1)}}),
		"a judged unit":        unitBlindView(unitBlindPage{BlindUnit: casework.BlindUnit{Judged: true, Mine: concert.Reassessment{Verdict: concert.FoundNot}, Others: make([]concert.Reassessment, 1)}}),
		"rates":                ratesView(ratesPage{Draws: []casework.DrawView{{AuditSample: &concert.AuditSample{}, Rate: concert.AuditRate{Finished: true, Strata: make([]concert.StratumTally, 2), Ours: make([]concert.AuditorTally, 1), Agreement: concert.Kappa{N: 1}}}}}),
		"times in states":      dwellView(dwellPage{Rows: make([]concert.Dwell, 1)}),
		"recommendations":      recommendationsView(recommendationsPage{Rows: make([]casework.RecommendationView, 1)}),
		"one recommendation":   recommendationView(recommendationPage{May: true}),
		"item with every form": itemView(itemPage{MayAssess: true, MayDecide: true, MayRemedy: true, MayLook: true}),
		"one approval":         approvalsView(approvalsPage{Sheet: sheetOf(approvalForm(casework.Registers{})), Copies: []copies{{Items: make([]casework.Awaiting, 1)}}}),
		"second looks":         looksView(looksPage{Sheet: sheetOf(secondLookForm(casework.Registers{}, false))}),
		"one second look":      blindView(blindPage{BlindLook: casework.BlindLook{Understood: true, Translations: make([]concert.Translation, 1)}}),
		"one unread":           blindView(blindPage{}),
		"accuracy":             accuracyView(accuracyPage{}),
		"one officer":          accuracyView(accuracyPage{Officers: make([]casework.OfficerAccuracy, 1)}),
		"one of each":          referralView(referralPage{MayAnswer: true, Items: make([]referralItem, 1), Steps: make([]told, 1)}),
		"board of nothing":     boardView(boardOf(t.Context(), casework.Board{}, casework.Registers{}, casework.WallFigures{}, 0, false), ""),
		"coordinate":           commandView(commandPage{}),
		"open an action":       newActionView(newActionPage{}),
		"consignment":          consignmentView(consignmentPage{}),
		"one of a consignment": consignmentView(consignmentPage{ConsignmentView: casework.ConsignmentView{Consignment: concert.Consignment{State: concert.ConsignmentPrepared}, Lines: make([]casework.ConsignmentLine, 1), Own: true}}),
		"counted":              countedView(countedPage{}),
		"unit report":          unitView(unitPage{}),
		"a unit's report":      unitView(unitPage{Ready: true}),
		"dispatch":             dispatchView(dispatchPage{}),
		"dispatch held":        dispatchView(dispatchPage{Dispatching: casework.Dispatching{Held: true}, MayAct: true, History: true, Lines: make([]heldLine, 1)}),
		"log with witnesses":   logView(logPage{Troubles: true, Witnesses: []casework.WitnessView{{}, {Disagree: true}, {URL: "x", Late: true}, {URL: "x", LogWitness: concert.LogWitness{Checkpoint: "x", Problem: "x"}}}}),
		"log of a successor":   logView(logPage{Behind: "x", Before: make([]concert.LogSuccession, 1)}),
		"report of nothing":    reportView(reportOf(t.Context(), casework.Board{}, casework.Registers{}, ""), true),
		"people":               peopleView(peoplePage{}), "person": personView(personPage{}), "once": onceView(oncePage{}), "account": accountView(accountPage{}),
		"people of one":           peopleView(peoplePage{MayAct: true, Sheet: sheetOf(peopleForm(casework.Registers{})), Waiting: make([]waitingLine, 1)}),
		"one's person":            personView(personPage{MayAct: true, Keys: make([]keyLine, 1), Line: personLine{TakesTwo: true, Waiting: &waitingLine{}}}),
		"erased":                  erasedView(itemPage{}),
		"match":                   matchView(matchPage{}),
		"match of every kind":     matchView(matchPage{MatchPair: casework.MatchPair{MatchView: casework.MatchView{Entry: concert.BankEntry{N: 1}, KnownMatch: concert.KnownMatch{Detail: concert.MatchDetail{Segments: make([]concert.MatchSegment, 1)}}}}, Bits: bitsOf(make([]byte, 32), bytes.Repeat([]byte{1}, 32)), Passages: []string{"x"}}),
		"banks":                   banksView(sheetOf(bankForm()), true),
		"bank":                    bankPageView(bankPage{}),
		"bank of the own":         bankPageView(bankPage{BankView: casework.BankView{Mine: true}, MayKeep: true, MayFill: true, Closing: true, Waiting: make([]concert.BankEntry, 1), Entries: make([]concert.BankEntry, 1), Holders: make([]casework.HolderView, 1), Next: "1", Later: true}),
		"new bank":                newBankView(bankFields{New: true}),
		"list for a bank":         fillView(fillPage{Imported: casework.Imported{Faults: make([]casework.ImportFault, 1), Refused: 2}}),
		"list in a bank":          fillView(fillPage{Done: true, Imported: casework.Imported{Recalled: 1, Known: 1}}),
		"entry":                   bankEntryView(bankEntryPage{MayEnd: true, MayClear: true, MayJudge: true}),
		"known":                   itemView(itemPage{Known: knownPanel{Shown: true, MayTake: true, Banks: make([]choice, 1), Known: casework.Known{Pending: true, Others: 1, Waiting: 30, Alike: make([]concert.Item, 20), Matches: make([]casework.MatchView, 1)}}}),
		"orders":                  ordersView(ordersPage{Sheet: sheetOf(orderForm(casework.Registers{}, true)), Tabs: make([]orderTab, 1)}),
		"order":                   orderView(orderPage{}),
		"order with every act":    orderView(orderPage{Acts: orderActs{true, true, true, true, true, true, true, true, true}, Outlook: &casework.OrderOutlook{Refused: &concert.Error{}}, Replies: make([]orderReply, 1), Sent: make([]told, 1), OrderView: casework.OrderView{About: make([]casework.OrderItemView, 1), Payload: &concert.OrderPayload{}, Deadlines: make([]concert.Deadline, 1)}}),
		"order erased":            orderView(orderPage{OrderView: casework.OrderView{Erased: 1, Payload: &concert.OrderPayload{CopyTo: &concert.OrderContact{}}}}),
		"draft":                   draftView(draftPage{}),
		"draft anew":              draftView(draftPage{Ref: "OR-1", Ended: "x", In: drafting{Items: make([]draftingItem, 1)}, Facts: casework.DraftingFacts{Raised: make([]concert.Item, 1), Refused: &concert.Error{}}}),
		"document of an order":    orderDocumentView(orderDocumentPage{Languages: []string{"en"}}),
		"office":                  officeView(officePage{}),
		"office to confirm":       officeView(officePage{Admin: true, MayConfirm: true, OfficeView: casework.OfficeView{Proposal: &concert.OrderOffice{}, OrderOffice: concert.OrderOffice{Functions: concert.Functions}}}),
		"desk with an order":      deskView(deskPage{Orders: make([]deskOrder, 1)}),
		"alarm on an order":       orderAlarmStrip(orderAlarms{On: true, List: make([]casework.OrderAlarm, 1)}),
		"received":                receivedListView(receivedList{Rows: make([]casework.ReceivedView, 1), Away: make([]concert.Hub, 1)}),
		"nothing received":        receivedListView(receivedList{NoHub: true}),
		"one received":            receivedView(receivedPage{MayAnswer: true, ReceivedView: casework.ReceivedView{Received: concert.Received{Kind: concert.ReceivedOrder, Status: concert.ReceivedOpen}, Items: make([]concert.ReceivedItem, 1), Posts: make([]concert.ReceivedPost, 1), Kept: make([]casework.KeptView, 1), Disputes: make([]casework.DisputeView, 1)}}),
		"kept":                    keptView(keptPage{MayAct: true, Rows: make([]casework.KeptView, 1)}),
		"complaints":              disputesView(disputesPage{MayAct: true, Rows: make([]casework.DisputeView, 1)}),
		"report of Art. 7":        article7View(article7Page{Rows: article7Rows(concert.Article7{})}),
		"hubs":                    hubsView(hubsPage{MayAct: true, Hubs: make([]concert.Hub, 1)}),
		"evidence":                evidenceView(evidencePage{}),
		"evidence of each":        evidenceView(evidencePage{Member: true, Open: true, Reviews: true, CaseEvidence: casework.CaseEvidence{Exhibits: []casework.ExhibitView{{Needed: 2}}, Requests: make([]concert.Reidentification, 1), Leads: []concert.Lead{{Status: concert.LeadAsked, AskedBy: "x"}, {Status: concert.LeadReleased}}, Counts: map[concert.LeadStatus]int{concert.LeadAsked: 1}}}),
		"exhibit":                 exhibitView(exhibitPage{}),
		"exhibit of the own":      exhibitView(exhibitPage{Goes: true, Others: make([]choice, 1), ExhibitView: casework.ExhibitView{Works: true, Timeline: make([]casework.CaseMoment, 1)}}),
		"request":                 requestView(requestPage{}),
		"request with every act":  requestView(requestPage{Over: true, ReidentificationView: casework.ReidentificationView{Acts: concert.ReidentifyActs{Confirm: true, Authorise: true, Decline: true, Share: true, Open: true, Close: true}, Reidentification: concert.Reidentification{AuthorisedAt: time.Unix(1, 0), Subjects: []concert.ReidentifySubject{{Facts: make([]concert.SourceFact, 1)}}}}}),
		"requests":                requestsView(make([]casework.ReidentificationView, 1)),
		"identities":              identitiesView(identitiesPage{Found: make([]vault.Identified, 1), Missing: make([]string, 1)}),
		"item with every keeping": itemView(itemPage{Keep: keeping{MayAsk: true, MayErase: true, MayHold: true, MayHandle: true}}),
	} {
		renders(t, name, c)
	}
}

// renders shows that a page can be shown, and holds something.
func renders(t *testing.T, name string, c templ.Component) {
	t.Helper()
	var b bytes.Buffer
	if err := layout(frame{}, c).Render(t.Context(), &b); err != nil {
		t.Errorf("%s: %v", name, err)
	}
	doc, err := html.Parse(&b)
	must(t, err)
	if textOf(doc) == "" {
		t.Errorf("%s is empty", name)
	}
}

// sheetOf is a list that was asked nothing and holds nothing.
func sheetOf(f *design.ListForm) design.Sheet {
	q, err := f.Parse(nil, nil)
	if err != nil {
		panic(err)
	}
	return design.Sheet{Query: q}
}

func TestEveryWordHasALabel(t *testing.T) {
	t.Parallel()
	for _, s := range concert.ItemStatuses {
		if itemStates[s].Label == "" || itemStates[s].Mark == "" {
			t.Errorf("status %s has no words or no shape", s)
		}
	}
	if len(queueTabs) != len(concert.ItemStatuses) {
		t.Error("a status has no tab")
	}
	for _, c := range concert.AnswerCodes {
		if answerTexts[c] == "" {
			t.Errorf("answer %s has no words", c)
		}
	}
	for _, m := range concert.Metrics {
		if metricTexts[m] == "" {
			t.Errorf("number %s has no name", m)
		}
	}
	for _, m := range concert.OfficerMetrics {
		if officerTexts[m] == "" || concert.OfficerDefinitions[m] == "" {
			t.Errorf("an officer's number %s has no name or no definition", m)
		}
	}
	for _, x := range concert.ItemTypes {
		if itemTypes[x] == "" {
			t.Errorf("type %s has no words", x)
		}
	}
	for _, s := range concert.ObservedStates {
		if observedStates[s].Label == "" {
			t.Errorf("observation %s has no words", s)
		}
	}
	for _, p := range concert.Phases {
		if phaseTexts[p] == "" {
			t.Errorf("phase %s has no words", p)
		}
	}
	for _, s := range concert.ReferralStatuses {
		if referralStates[s].Label == "" {
			t.Errorf("referral status %s has no words", s)
		}
	}
	for _, x := range []string{concert.ReadOneItem, concert.ReadItemList, concert.ReadApprovals, concert.ReadSecondLooks, concert.ReadAccuracy, concert.ReadAlarms, concert.ReadDispatch, concert.ReadErasure, concert.ReadHolds, concert.ReadReferral, concert.ReadItemCounts, concert.ReadBoard, concert.ReadPeople, concert.ReadConsultations, concert.ReadSample, concert.ReadExport,
		concert.ReadReferrals, concert.ReadRegisters, concert.ReadRemedies, concert.ReadEvents, concert.ReadOneEvent, concert.ReadPlace, concert.ReadBanks, concert.ReadMatches, concert.ReadOrder, concert.ReadExhibit, concert.ReadExhibits, concert.ReadCaseEvidence, concert.ReadReidentification, concert.ReadReidentifications, concert.ReadAnalysis, concert.ReadAnalysisFile} {
		if readTexts[x] == "" {
			t.Errorf("reading %s has no words", x)
		}
	}
	for _, s := range concert.OrderStatuses {
		if orderStates[s].Label == "" || orderStates[s].Mark == "" {
			t.Errorf("order status %s has no words or no shape", s)
		}
	}
	for _, m := range concert.OrderMoves {
		if orderMoveTexts[m] == "" {
			t.Errorf("move %s of an order has no words", m)
		}
	}
	for _, k := range concert.TermKeys {
		if termTexts[k] == "" {
			t.Errorf("term %s has no words", k)
		}
	}
	for _, n := range concert.OrderNeeds {
		if needTexts[n] == "" {
			t.Errorf("need %s has no words", n)
		}
	}
	for _, x := range concert.Roles {
		if roleNamesShort[x] == "" {
			t.Errorf("role %s has no name", x)
		}
	}
	for _, x := range concert.KeyPowers {
		if powerTexts[x] == "" {
			t.Errorf("power %s has no words", x)
		}
	}
	for _, o := range append([]concert.Opinion{concert.OpinionDisputed}, concert.Opinions...) {
		if opinionStates[o].Label == "" || opinionBrief[o].Label == "" {
			t.Errorf("opinion %s has no words", o)
		}
	}
	for _, e := range []concert.EntryEnd{concert.EntryWithdrawn, concert.EntryExpired, concert.EntryRecalled, concert.EntryErased} {
		if endTexts[e] == "" {
			t.Errorf("end %s has no words", e)
		}
	}
	if len(roleTexts) != len(concert.Roles) {
		t.Error("a role is missing in the form for people")
	}
	if len(contentTypes) != len(concert.ContentTypes) {
		t.Error("a type of Art. 2(7) is missing")
	}
}

func TestEveryWordOfSeizedEvidenceHasALabel(t *testing.T) {
	t.Parallel()
	for _, x := range concert.ReidentifyPurposes {
		if reidentifyPurposes[x] == "" {
			t.Errorf("purpose %s has no words", x)
		}
	}
	for _, x := range concert.InstrumentKinds {
		if instrumentKinds[x] == "" {
			t.Errorf("judicial act %s has no words", x)
		}
	}
	for _, x := range accesslog.FactKinds() {
		if sourceFactKinds[x] == "" {
			t.Errorf("fact %s has no words", x)
		}
	}
	for _, x := range concert.LeadRecipientKinds {
		if leadRecipients[x] == "" {
			t.Errorf("recipient %s has no words", x)
		}
	}
	for _, x := range concert.TransferGrounds {
		if transferGrounds[x] == "" {
			t.Errorf("ground %s has no words", x)
		}
	}
}

func TestNumbersForPeople(t *testing.T) {
	t.Parallel()
	for in, want := range map[int64]string{0: "0", 999: "999", 1000: "1\u202f000", 26000: "26\u202f000", 1234567: "1\u202f234\u202f567", -1200: "−1\u202f200"} {
		if got := thousands(in); got != want {
			t.Errorf("thousands(%d) = %q, want %q", in, got, want)
		}
	}
	for _, c := range []struct {
		part, whole int64
		want        string
	}{{0, 0, "–"}, {0, 5, "0.0 %"}, {1, 2, "50.0 %"}, {5, 5, "100.0 %"}, {99_999, 100_000, "> 99.9 %"}, {1, 100_000, "< 0.1 %"}} {
		if got := share(c.part, c.whole); got != c.want {
			t.Errorf("share(%d, %d) = %q, want %q", c.part, c.whole, got, c.want)
		}
	}
	// Wilson's own case: 0 of 10 is not a certain nought.
	if lo, hi := wilson(0, 10); lo != 0 || hi < 0.27 || hi > 0.29 {
		t.Errorf("wilson(0, 10) = %f, %f", lo, hi)
	}
	if lo, hi := wilson(10, 10); lo < 0.71 || lo > 0.73 || hi < 0.9999 {
		t.Errorf("wilson(10, 10) = %f, %f", lo, hi)
	}
	for _, c := range []struct{ n, of, want int64 }{{0, 0, 0}, {1, 1000, 1}, {500, 1000, 4}, {1000, 1000, 8}, {2000, 1000, 8}} {
		if got := heat(c.n, c.of); int64(got) != c.want {
			t.Errorf("heat(%d, %d) = %d", c.n, c.of, got)
		}
	}
}

func TestBurnDownDrawsWhatIsLeft(t *testing.T) {
	t.Parallel()
	start := time.Date(2019, 11, 21, 8, 0, 0, 0, time.UTC)
	a := concert.Action{StartsAt: start, EndsAt: start.Add(100 * time.Hour), Target: 1000}
	line := burnOf(a, []casework.Flow{{At: start.Add(10 * time.Hour), Referred: 50}, {At: start.Add(25 * time.Hour), Referred: 150}}, start.Add(50*time.Hour))
	if n := len(line); n != 4 || line[0].Left != 1000 || line[1].Left != 950 || line[n-1].Left != 800 || !line[n-1].At.Equal(start.Add(50*time.Hour)) {
		t.Errorf("%+v", line)
	}
	if line := burnOf(a, []casework.Flow{{At: start, Referred: 1200}}, start.Add(500*time.Hour)); line[len(line)-1].Left != 0 || !line[len(line)-1].At.Equal(a.EndsAt) {
		t.Errorf("past the end: %+v", line)
	}
}

// A viewer that comes back is sent what changed since; one that is new, or comes from before this node looked, all of it.
func TestFeedSendsWhatChanged(t *testing.T) {
	t.Parallel()
	f := &feed{fresh: make(chan struct{})}
	if frame, _, _ := f.since(0, 0); frame != nil {
		t.Errorf("before the first frame: %q", frame)
	}
	f.publish(t.Context(), 10, []string{"<a>", "<b>"})
	f.publish(t.Context(), 12, []string{"<a>", "<b2>"})
	f.publish(t.Context(), 15, []string{"<a3>", "<b2>"})
	for _, c := range []struct {
		turn, place int64
		want        string
	}{{0, 0, "<a3><b2>"}, {2, 0, "<a3>"}, {1, 0, "<a3><b2>"}, {3, 0, ""}, {0, 14, "<a3>"}, {0, 12, "<a3><b2>"}, {0, 15, "<a3>"}, {0, 5, "<a3><b2>"}, {0, 99, ""}} {
		frame, turn, _ := f.since(c.turn, c.place)
		_, data, _ := strings.Cut(string(frame), "data: ")
		if strings.TrimSpace(data) != c.want || turn != 3 {
			t.Errorf("after turn %d, place %d: %q at %d, want %q", c.turn, c.place, frame, turn, c.want)
		}
	}
}

func TestNextStaysOnThisSite(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"": "/", "/items?status=open": "/items?status=open", "//evil.example": "/", "https://evil.example/": "/", "/\\evil.example": "/", "javascript:alert(1)": "/", "items": "/", "/a\nb": "/", "/%2f/evil": "/%2f/evil"} {
		if got := next(in); got != want {
			t.Errorf("next(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzNext(f *testing.F) {
	for _, s := range []string{"/items", "//x", "/\\x", "http://x", "/\t/x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if got := next(s); !strings.HasPrefix(got, "/") || strings.HasPrefix(got, "//") || strings.ContainsAny(got, "\\\r\n\t") {
			t.Errorf("next(%q) = %q", s, got)
		}
	})
}

func FuzzCursor(f *testing.F) {
	f.Add(cursor(concert.Item{ID: "01234567-0123-7123-8123-0123456789ab", Priority: 9}))
	f.Add(base64.RawURLEncoding.EncodeToString([]byte("10.x")))
	f.Add("")
	f.Fuzz(func(t *testing.T, s string) {
		rank, id, err := openCursor(s)
		if err != nil {
			return
		}
		if again, same, err := openCursor(cursor(concert.Item{ID: id, Priority: 9 - rank})); err != nil || again != rank || same != id {
			t.Errorf("%q: %d %q, then %d %q, %v", s, rank, id, again, same, err)
		}
	})
}
