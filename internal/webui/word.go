package webui

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"concert"
	"concert/internal/design"
)

// state is how a status is shown: a shape beside words, so that no meaning
// hangs on colour.
type state struct {
	Mark  string // a shape
	Label design.Text
	Tone  string // class: wait, go, good, bad, end
	Args  []any  // what goes into the label
}

var itemStates = map[concert.ItemStatus]state{
	concert.ItemStopped:    {Mark: "⊘", Label: "Stopped by the guard", Tone: "end"},
	concert.ItemOpen:       {Mark: "○", Label: "To assess", Tone: "wait"},
	concert.ItemOutOfScope: {Mark: "◇", Label: "Outlet not on the list", Tone: "end"},
	concert.ItemAssessed:   {Mark: "◐", Label: "Awaiting approval", Tone: "wait"},
	concert.ItemRejected:   {Mark: "✕", Label: "Rejected", Tone: "end"},
	concert.ItemApproved:   {Mark: "●", Label: "Approved, about to go", Tone: "go"},
	concert.ItemHeld:       {Mark: "‖", Label: "Hold", Tone: "wait"},
	concert.ItemReferred:   {Mark: "➤", Label: "Referred, no final answer", Tone: "go"},
	concert.ItemAnswered:   {Mark: "✎", Label: "Answered", Tone: "go"},
	concert.ItemRefused:    {Mark: "■", Label: "Refused by the provider: ended", Tone: "end"},
	concert.ItemStillUp:    {Mark: "▲", Label: "Still up", Tone: "bad"},
	concert.ItemClosed:     {Mark: "✓", Label: "Seen down", Tone: "good"},
	concert.ItemReturned:   {Mark: "↺", Label: "Back after removal", Tone: "bad"},
	concert.ItemWithdrawn:  {Mark: "↩", Label: "Withdrawn", Tone: "end"},
}

var itemTypes = map[concert.ItemType]design.Text{
	concert.TypeVideo: "video", concert.TypeImage: "image", concert.TypeText: "text", concert.TypeAudio: "audio", concert.TypeDocument: "document", concert.TypeAccount: "account",
	concert.TypeChannel: "channel or group", concert.TypeBot: "bot", concert.TypeApp: "mobile app", concert.TypeExtension: "browser extension", concert.TypeNewsletter: "newsletter", concert.TypeWebsite: "website",
}

// typeText is what kind of thing an item is, with a word for not saying.
func typeText(t concert.ItemType) design.Text {
	if s := itemTypes[t]; s != "" {
		return s
	}
	return "kind not given"
}

// contentType is one of the five of Art. 2(7), with its letter and its words.
type contentType struct {
	Type   concert.ContentType
	Letter string
	Text   design.Text
}

var contentTypes = []contentType{
	{concert.Incites, "a", "incites the commission of a terrorist offence, such as by glorifying terrorist acts, and causes a danger that one may be committed"},
	{concert.SolicitsCommit, "b", "solicits a person or a group to commit, or contribute to, a terrorist offence"},
	{concert.SolicitsParticipation, "c", "solicits participation in the activities of a terrorist group"},
	{concert.Instruction, "d", "instructs on making or using explosives, firearms or other weapons or noxious substances, or on specific methods, in order to commit a terrorist offence"},
	{concert.Threat, "e", "constitutes a threat to commit a terrorist offence"},
}

func contentTypeText(ctx context.Context, t concert.ContentType) string {
	for _, c := range contentTypes {
		if c.Type == t {
			return say(ctx, "Art. 2(7)(%s): %s", c.Letter, c.Text)
		}
	}
	return say(ctx, "none named")
}

var purposeTexts = map[concert.Purpose]design.Text{
	concert.PurposeNone:   "No protected purpose: it is not disseminated for education, journalism, art or research, nor to prevent or counter terrorism",
	concert.PurposeExempt: "Exempt: it serves education, journalism, art or research, or prevents or counters terrorism, or expresses polemic or controversial views in public debate",
}

var severityTexts = map[concert.Severity]design.Text{
	concert.SeverityRoutine: "Routine",
	concert.SeveritySerious: "Serious: before routine items in every queue",
	concert.SeverityThreat:  "Threat to life: first in every queue, leaves at any hour",
}

var severities = []concert.Severity{concert.SeverityRoutine, concert.SeveritySerious, concert.SeverityThreat}

// sourceTexts and informationTexts are the two halves of an evaluation code.
var (
	sourceTexts      = map[byte]design.Text{'A': "no doubt about the source", 'B': "source mostly reliable", 'C': "source mostly unreliable", 'X': "reliability unknown"}
	informationTexts = map[byte]design.Text{'1': "accuracy not in doubt", '2': "known to the source itself", '3': "not known to the source, but corroborated", '4': "neither known nor corroborated"}
)

// evaluationText spells a code out (source, then information).
func evaluationText(ctx context.Context, code string) string {
	if len(code) != 2 {
		return code
	}
	return say(ctx, "%s: %s; %s", code, sourceTexts[code[0]], informationTexts[code[1]])
}

var observedStates = map[concert.Observed]state{
	concert.ObservedNot:     {Mark: "–", Label: "not looked at yet", Tone: "wait"},
	concert.ObservedDown:    {Mark: "✓", Label: "down", Tone: "good"},
	concert.ObservedUp:      {Mark: "▲", Label: "up", Tone: "bad"},
	concert.ObservedPartial: {Mark: "◑", Label: "down in some places only", Tone: "wait"},
	concert.ObservedUnknown: {Mark: "?", Label: "could not tell", Tone: "wait"},
}

var answerTexts = map[concert.AnswerCode]design.Text{
	"":                             "silent: no word yet",
	concert.AnswerReceived:         "received",
	concert.AnswerInReview:         "in review",
	concert.AnswerNeedInformation:  "needs more information",
	concert.AnswerRemoved:          "removed",
	concert.AnswerDisabledEU:       "disabled in the European Union",
	concert.AnswerDisabledIn:       "disabled in some countries (name them)",
	concert.AnswerAccountSuspended: "account suspended",
	concert.AnswerDomainOnHold:     "domain put on hold",
	concert.AnswerRestricted:       "age or interaction restricted",
	concert.AnswerUnavailable:      "was unavailable already",
	concert.AnswerRefused:          "does not violate our terms: we leave it",
	concert.AnswerNotOurs:          "not ours (say where to try)",
	concert.AnswerForceMajeure:     "impossible: force majeure",
	concert.AnswerInsufficient:     "impossible: the facts do not suffice",
	concert.AnswerCannotIsolate:    "cannot be isolated from lawful content",
	concert.AnswerForwarded:        "forwarded to our customer (say where)",
	concert.AnswerContested:        "contested by its uploader",
	concert.AnswerRestored:         "restored",
}

var remedyTexts = map[concert.RemedyKind]design.Text{concert.RemedyWithdrawal: "withdrawal", concert.RemedyCorrection: "correction"}

var phaseTexts = map[concert.Phase]design.Text{
	concert.PhasePrepare: "Prepare", concert.PhaseCollect: "Collect", concert.PhaseDeconflict: "De-conflict",
	concert.PhaseRefer: "Refer", concert.PhaseFollowUp: "Follow up", concert.PhaseClose: "Close",
}

var partTexts = map[concert.Part]design.Text{
	concert.PartLead: "lead", concert.PartCoordinate: "coordinates", concert.PartSupport: "supports", concert.PartJudicial: "judicial",
}

var rungTexts = map[concert.Rung]design.Text{
	concert.RungQueued: "queued", concert.RungSent: "sent", concert.RungAccepted: "accepted by the provider's machine",
	concert.RungOpened: "opened", concert.RungAcknowledged: "acknowledged", concert.RungFailed: "could not be delivered",
	concert.RungDelivered: "in its mailbox, its mail system reports",
}

var noticeKinds = map[concert.NoticeKind]design.Text{
	concert.NoticeReferral: "Referral", concert.NoticeReminder: "Reminder", concert.NoticeWithdrawal: "Withdrawal",
	concert.NoticeCorrection: "Correction", concert.NoticeSandbox: "Sandbox (made up)",
	concert.NoticeQuestion: "Message in a thread", concert.NoticePatterns: "Note on patterns of abuse",
	concert.NoticeOrder: "Removal order", concert.NoticeFirstContact: "Procedures and deadlines, before a first order", concert.NoticeClarified: "Clarification of an order", concert.NoticeOrderEnded: "Order ended: reinstate",
}

var metricTexts = map[concert.Metric]design.Text{
	concert.Submitted: "Submitted", concert.Unique: "Unique", concert.Duplicates: "Duplicates", concert.Guarded: "Stopped by the guard", concert.Unassessed: "To assess",
	concert.OutOfScope: "Out of scope", concert.Assessed: "Assessed", concert.Awaiting: "Awaiting approval", concert.Rejected: "Rejected", concert.Approved: "Approved",
	concert.Ready: "Ready to go", concert.Held: "Held", concert.TakenBack: "Taken back", concert.ReferredN: "Referred", concert.Acknowledged: "Acknowledged",
	concert.AnsweredN: "Answered", concert.Silent: "Silent", concert.Removed: "Claimed removed", concert.Refused: "Refused", concert.OtherAnswer: "Other answer",
	concert.RecheckedN: "Looked at again", concert.Down: "Seen down", concert.StillUp: "Still up", concert.PartialN: "Partly down", concert.UnknownN: "Unknown",
	concert.Returned: "Returned", concert.WithdrawnN: "Withdrawn", concert.Corrected: "Corrections", concert.Referrals: "Referrals", concert.Reminders: "Reminders", concert.HoldHits: "Hold hits",
	concert.SecondLooks: "Second looks drawn", concert.SecondWaiting: "Second looks waiting", concert.SecondAgreed: "Second looks agreed", concert.SecondDisagreed: "Second looks disagreed",
	concert.ReferredURLs: "Referred, as URLs", concert.ReferredAccounts: "Referred, as accounts", concert.ReferredOthers: "Referred, others",
	concert.Deconflicted: "De-conflicted", concert.CannotIsolate: "Cannot be isolated",
}

var officerTexts = map[concert.Metric]design.Text{
	concert.OfficerAnswered: "Answered", concert.OfficerRefused: "Refused", concert.OfficerNotOurs: "Not theirs", concert.OfficerWithdrawn: "Withdrawn",
	concert.OfficerCorrected: "Corrected", concert.OfficerAgreed: "Agreed", concert.OfficerDisagreed: "Disagreed",
}

// priorityText explains why an item stands where it stands in the queue.
func priorityText(p int) design.Text {
	switch {
	case p >= 9:
		return "threat to life: first in every queue, leaves at any hour"
	case p >= 5:
		return "serious: before routine items"
	case p > 0:
		return "raised above routine items"
	}
	return "routine: oldest first"
}

// guardText is the guard's verdict in words.
func guardText(v concert.GuardVerdict) state {
	switch v {
	case concert.GuardPass:
		return state{Mark: "✓", Label: "ordinary item", Tone: "good"}
	case concert.GuardElevate:
		return state{Mark: "⚠", Label: "protected place: two approvals", Tone: "wait"}
	case concert.GuardStop:
		return state{Mark: "⊘", Label: "stopped", Tone: "end"}
	}
	return state{Mark: "–", Label: "no verdict", Tone: "end"}
}

// thousands groups digits with a thin space that does not break.
func thousands(n int64) string {
	s := strconv.FormatInt(n, 10)
	sign := ""
	if strings.HasPrefix(s, "-") {
		sign, s = "−", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "\u202f" + s[i:]
	}
	return sign + s
}

// share is part of whole in per cent, "–" where there is no whole. What is not
// all never reads 100, what is not nothing never reads 0.
func share(part, whole int64) string {
	if whole <= 0 {
		return "–"
	}
	p := 100 * float64(part) / float64(whole)
	switch {
	case part > 0 && p < 0.1:
		return "< 0.1 %"
	case part < whole && p >= 99.95:
		return "> 99.9 %"
	}
	return fmt.Sprintf("%.1f %%", p)
}

// when is a time for people, to the minute: in the reader's zone with UTC.
func when(ctx context.Context, t time.Time) string { return design.When(ctx, t) }

// machine is a time for machines: the attribute of a time element.
func machine(t time.Time) string { return t.UTC().Format(concert.TimeFormat) }

// day is a date, "–" for none.
func day(ctx context.Context, t time.Time) string { return design.Day(ctx, t) }

// age is how long ago, in the largest unit that says enough.
func age(ctx context.Context, from, now time.Time) string { return design.Age(ctx, from, now) }
