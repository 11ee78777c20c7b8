package concert

import (
	"slices"
	"time"
)

// OwnView is which of its items a provider lists.
type OwnView string

// The views of a provider's own items and referrals.
const (
	OwnAll       OwnView = "all"
	OwnWaiting   OwnView = "waiting"   // without a final word of the provider, and not taken back
	OwnAnswered  OwnView = "answered"  // with one
	OwnStillUp   OwnView = "still_up"  // that we last saw up
	OwnWithdrawn OwnView = "withdrawn" // taken back by their authority
	OwnUrgent    OwnView = "urgent"    // a threat to life, without a final word
)

// OwnViews lists them.
var OwnViews = []OwnView{OwnWaiting, OwnUrgent, OwnAnswered, OwnStillUp, OwnWithdrawn, OwnAll}

// Check refuses an unknown view.
func (v OwnView) Check() error {
	if !slices.Contains(OwnViews, v) {
		return Refuse(Invalid, "own.view", "view", "%q is no view of your items; the views are %v", v, OwnViews)
	}
	return nil
}

// BulkAnswers is the most items that one bulk answer takes on a page,
// BulkAnswersAPI through the API.
const (
	BulkAnswers    = 500
	BulkAnswersAPI = 100
)

// Pending lists the answers that leave an item waiting.
func Pending() []AnswerCode {
	return append([]AnswerCode{""}, slices.DeleteFunc(slices.Clone(AnswerCodes), AnswerCode.Final)...)
}

// OwnItem is an item as its provider lists and exports it: what a referral said
// of it, what was answered, what we saw.
type OwnItem struct {
	Item
	RefRef     string // reference of its referral
	SentAt     time.Time
	Author     AuthorityID
	Article16  bool
	AnsweredAt time.Time // of the last word; zero while there is none
	SeenAt     time.Time // of our last look; zero before one
	Said       PayloadItem
}

// MayOwn refuses whoever does not read for a provider.
func (a Actor) MayOwn() error {
	if a.Provider == "" {
		return Refuse(Forbidden, "own.provider", "", "only a provider has items of its own to list here")
	}
	return a.Need(RoleProviderReader, RoleProviderAnswerer)
}
