package webui

import (
	"concert"
	"concert/internal/design"
)

// moveTexts are the changes of an item's status, as a refusal names them.
var moveTexts = map[concert.ItemMove]design.Text{
	concert.MoveAssess: "Assessment", concert.MoveExempt: "Exempt", concert.MoveUnscope: "Out of scope", concert.MoveApprove: "Approve", concert.MoveReject: "Reject", concert.MoveHold: "Hold", concert.MoveRelease: "Release",
	concert.MoveRefer: "Refer", concert.MoveAnswer: "Answer", concert.MoveRefuse: "Refused", concert.MoveSeeDown: "Seen down", concert.MoveSeeUp: "Still up", concert.MoveWithdraw: "Withdraw",
}

var destinationTexts = map[concert.Destination]design.Text{concert.ToJudicial: "court", concert.ToTenant: "another authority", concert.ToProvider: "provider"}

var verdictTexts = map[concert.Verdict]design.Text{concert.Justified: "Justified", concert.Unjustified: "Not justified"}

var ownerTexts = map[concert.WatchOwner]design.Text{concert.WatchOutlet: "an outlet's own", concert.WatchPerson: "a private person's account"}

// worded is a code of the house in the words that pages have for it, "" where
// they show the code itself.
func worded(code any) design.Text {
	switch c := code.(type) {
	case concert.ItemStatus:
		return itemStates[c].Label
	case concert.ItemMove:
		return moveTexts[c]
	case concert.ItemType:
		return itemTypes[c]
	case concert.Role:
		return roleNamesShort[c]
	case concert.Phase:
		return phaseTexts[c]
	case concert.Part:
		return partTexts[c]
	case concert.Metric:
		return metricTexts[c]
	case concert.Destination:
		return destinationTexts[c]
	case concert.RemedyKind:
		return remedyTexts[c]
	case concert.RemedyCategory:
		return remedyCategories[c]
	case concert.AnswerCode:
		return answerTexts[c]
	case concert.OtherKind:
		return otherTexts[c]
	case concert.Observed:
		return observedStates[c].Label
	case concert.Verdict:
		return verdictTexts[c]
	}
	return wordedMore(code)
}

func wordedMore(code any) design.Text {
	switch c := code.(type) {
	case concert.AllotmentKind:
		return allotmentTexts[c]
	case concert.AllotmentWord:
		return allotmentWords[c].Label
	case concert.BatchAct:
		return batchTexts[c]
	case concert.BatchStatus:
		return batchStates[c].Label
	case concert.BulletinKind:
		return bulletinTexts[c]
	case concert.ConsignmentState:
		return consignmentStates[c].Label
	case concert.CaptureKind:
		return captureKinds[c]
	case concert.PreservationWay:
		return preservationWays[c]
	case concert.DataSubject:
		return dataSubjects[c]
	case concert.IncidentKind:
		return incidentKinds[c]
	case concert.ContactPurpose:
		return purposeOfContact[c]
	case concert.Layer:
		return layerTexts[c]
	case concert.ChannelKind:
		return channelTexts[c]
	case concert.MailForm:
		return formTexts[c]
	case concert.ErasureCode:
		return erasureTexts[c]
	case concert.TranslationKind:
		return translationKinds[c]
	case concert.WatchOwner:
		return ownerTexts[c]
	case concert.SweepOutcome:
		return sweepOutcomes[c]
	case concert.Power:
		return powerTexts[c]
	case concert.TemplatePurpose:
		return templateTexts[c]
	case concert.OwnView:
		return ownViewTexts[c]
	case concert.Warning:
		return warningTexts[c]
	case concert.OrderStatus:
		return orderStates[c].Label
	case concert.OrderMove:
		return orderMoveTexts[c]
	case concert.OrderMeasure:
		return measureTexts[c]
	case concert.ImpossibleReason:
		return impossibleTexts[c]
	case concert.Function:
		return functionTexts[c]
	case concert.OrderAuthorityKind:
		return officeKinds[c]
	case concert.TermKey:
		return termTexts[c]
	}
	return ""
}
