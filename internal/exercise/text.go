package exercise

import (
	"fmt"

	"concert"
	"concert/api"
)

// languages are those of the invented material (BCP 47), most frequent first.
var languages = []string{"ar", "en", "fr", "ru", "tr", "de", "id", "ur", "es", "ps", "fa", "bn", "nl", "so", "uz", "und"}

// evaluations are the codes officers give, most frequent first.
var evaluations = []string{"A1", "A1", "A1", "A2", "B1", "B2"}

// scenes are what there is to be seen; facts only.
var scenes = []string{
	"An invented clip shows a painted star over a cardboard town and a voice that counts from one to ten.",
	"An invented poster shows a drawn banner, a date and a slogan without meaning.",
	"An invented text repeats the same made-up sentence over two pages under a masthead.",
	"An invented recording plays a made-up chant over a still picture of clay figures.",
	"An invented leaflet shows numbered drawings of wooden blocks and a made-up call to join a game.",
	"An invented page lists made-up statements with a seal in the corner of each.",
}

// reasons say why the scene would fall under each type of Art. 2(7).
var reasons = map[concert.ContentType]string{
	concert.Incites:               "Within the exercise it praises an invented attack and so incites to another (Art. 2(7)(a)).",
	concert.SolicitsCommit:        "Within the exercise it asks its readers to carry out an invented attack (Art. 2(7)(b)).",
	concert.SolicitsParticipation: "Within the exercise it asks its readers to join an invented group (Art. 2(7)(c)).",
	concert.Instruction:           "Within the exercise it stands for an instruction (Art. 2(7)(d)); no instruction is in it.",
	concert.Threat:                "Within the exercise it threatens an invented attack (Art. 2(7)(e)).",
}

// wheres are where a mark shows.
var wheres = []string{"upper right corner, whole length", "first five seconds", "footer of each page", "title card", "profile picture"}

// contentType is the type of Art. 2(7).
func (s *script) contentType(n uint32) concert.ContentType {
	at := s.pick(n, drawText, 100)
	for i, below := range []int{52, 64, 90, 95} {
		if at < below {
			return concert.ContentTypes[i]
		}
	}
	return concert.Threat
}

func (s *script) severity(n uint32) string {
	switch at := s.part(n, drawText); {
	case at < .02:
		return string(concert.SeverityThreat)
	case at < .2:
		return string(concert.SeveritySerious)
	}
	return string(concert.SeverityRoutine)
}

// mark is what brands the item and its page, "" where it is unbranded.
func (s *script) mark(n uint32) string {
	if s.double(n) {
		return ""
	}
	return outlets[s.outlet(n)].mark
}

// readable are the languages that everybody in the exercise says it reads: it
// rehearses the chain, and no waiting for a reader.
func readable() []string { return languages[:len(languages)-1] }

// language favours the head of the list.
func (s *script) language(n uint32) string {
	at := s.part(n, drawLook)
	return languages[int(at*at*float64(len(languages)))]
}

// assessment is the officer's judgement of the item; outlet is the id of its
// outlet.
func (s *script) assessment(n uint32, outlet string) api.NewAssessment {
	t := s.contentType(n)
	a := api.NewAssessment{
		Type: string(t), Purpose: string(concert.PurposeNone), Outlet: outlet,
		Language: s.language(n), Severity: s.severity(n),
		Evaluation: evaluations[s.pick(n, drawText, len(evaluations))],
		Facts:      fmt.Sprintf("EXERCISE %s: %s", token(n), scenes[s.pick(n, drawText, len(scenes))]),
		Judgement:  "EXERCISE: " + reasons[t],
	}
	switch {
	case s.fate(n) == toExempt:
		a.Purpose = string(concert.PurposeExempt)
		a.Judgement = "EXERCISE: a made-up news report shows the scene in order to inform; Art. 1(3) protects it."
	case s.double(n):
		a.Unbranded = true
		a.Judgement += " It carries no mark; wording and place are those of the outlet's other exercise material."
	}
	if a.Mark = s.mark(n); a.Mark != "" {
		a.MarkWhere = wheres[s.pick(n, drawLook, len(wheres))]
	}
	return a
}

// decision is the reviewer's word on the item; the second is the one of the
// other reviewer.
func (s *script) decision(n uint32) api.NewDecision {
	switch {
	case s.fate(n) == toReject:
		return api.NewDecision{Decision: string(concert.Reject), Ground: "EXERCISE: the mark does not show in the capture, so the brand is not proven."}
	case s.inLibrary(n):
		return api.NewDecision{Decision: string(concert.Approve), Ground: "EXERCISE: unbranded, yet a call under Art. 2(7); only this one deposit is named and the library's catalogue stays untouched, which is proportionate."}
	case s.double(n):
		return api.NewDecision{Decision: string(concert.Approve), Ground: "EXERCISE: unbranded, yet its wording is a call under Art. 2(7) and repeats listed material word for word."}
	}
	return api.NewDecision{Decision: string(concert.Approve)}
}

// reply is the provider's word in full.
func (s *script) reply(n uint32, code string) api.NewAnswer {
	a := api.NewAnswer{Code: code}
	switch concert.AnswerCode(code) {
	case concert.AnswerRefused:
		a.Note = "EXERCISE: we looked twice; under our terms this is satire about the outlet and stays."
	case concert.AnswerNotOurs:
		a.Forwarded = "Another host (EXERCISE), abuse@host.example"
		a.Note = "EXERCISE: the address points to a customer of another host."
	case concert.AnswerForceMajeure:
		a.Note = "EXERCISE: the data centre that holds it is under water; we cannot reach the disk."
	case concert.AnswerInsufficient:
		a.Note = "EXERCISE: the place holds forty files; which one is meant?"
	case concert.AnswerForwarded:
		a.Forwarded = "Customer 17 (EXERCISE), legal@customer.example"
	case concert.AnswerCannotIsolate:
		a.Others, a.OthersAre = 2000, string(concert.OtherSites)
		a.Note = "EXERCISE: we could only switch off the customer's whole server with two thousand other sites."
	case concert.AnswerNeedInformation:
		a.Note = "EXERCISE: please say where in the hour-long recording the mark shows."
	case concert.AnswerDisabledIn:
		a.Countries = []string{"BE", "DE", "FR", "NL"}
	}
	return a
}
