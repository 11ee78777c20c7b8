package exercise

import (
	"fmt"
	"time"
)

// PlanNovember2019 is the name of the first plan.
const PlanNovember2019 = "november-2019"

// MinItems is the fewest items with which every outcome still occurs.
const MinItems = 100

// caseDays is how long the action lasts in case time.
const caseDays = 4

// countries are the twelve; which states took part in 2019 is not public.
var countries = [12]string{"BE", "BG", "DE", "ES", "FR", "HU", "IT", "NL", "PL", "PT", "RO", "SE"}

// conduct is how a provider behaves beside answering.
type conduct struct {
	slow       time.Duration // wall time it takes over each webhook
	busy       time.Duration // case time of 429 after the first webhook
	sick       time.Duration // case time of 503 after the first webhook
	dead       time.Duration // case time without a listener after that
	gone       bool          // says 410 to its first webhook and polls from then on
	pull       bool          // never had a webhook
	twice      bool          // sends every answer twice
	parts      int           // number of requests it answers in, 1 where 0
	late       bool          // answers items after their withdrawal
	thinkHours int           // case hours before it answers, at least
}

// form is one kind of place at a provider and how often it occurs there.
type form struct {
	kind  string // "web", or the word before the colon of a text form
	share float64
}

// providerPlan is one provider of the plan.
type providerPlan struct {
	key, name, kind, country, zone string
	domain                         string // registrable domain of its pages
	host                           string // host of its pages
	also                           string // a customer's domain that it answers for, "" for none
	platforms                      []string
	share                          float64 // of all places
	quietFrom, quietTo             int     // minutes after local midnight
	bounded                        bool    // agreed to a capacity per hour
	marker                         string  // markup by which it proves a removal on a page that answers 200
	forms                          []form  // beside web
	conduct                        conduct
}

// providers are the nine. Shares follow the shape of 2019: most of it on one
// messenger.
var providers = [9]providerPlan{
	{key: "kanal", name: "Kanal (EXERCISE)", kind: "messaging", country: "NL", zone: "Europe/Amsterdam", domain: "messenger.example", host: "kanal.messenger.example",
		platforms: []string{"kanal-eg", "messenger.example"}, share: .34, marker: `<meta name="message-state" content="deleted">`,
		forms: []form{{"channel", .02}, {"account", .01}, {"bot", .01}}, conduct: conduct{parts: 3, thinkHours: 1}},
	{key: "clips", name: "Clips (EXERCISE)", kind: "social", country: "IE", zone: "Europe/Dublin", domain: "video.example", host: "clips.video.example",
		platforms: []string{"clips-eg", "video.example"}, share: .16, marker: `<div class="tombstone" data-state="removed"></div>`,
		forms: []form{{"account", .03}}, conduct: conduct{slow: 300 * time.Millisecond, thinkHours: 1}},
	{key: "files", name: "Files (EXERCISE)", kind: "hosting", country: "FR", zone: "Europe/Paris", domain: "files-eg.example", host: "files-eg.example",
		platforms: []string{"files-eg.example"}, share: .13, conduct: conduct{busy: 3 * time.Hour, thinkHours: 2}},
	{key: "paste", name: "Paste (EXERCISE)", kind: "hosting", country: "SE", zone: "Europe/Stockholm", domain: "paste-eg.example", host: "paste-eg.example",
		platforms: []string{"paste-eg.example"}, share: .11, conduct: conduct{sick: time.Hour, dead: 2 * time.Hour, thinkHours: 1}},
	{key: "photos", name: "Photos (EXERCISE)", kind: "social", country: "IE", zone: "America/Los_Angeles", domain: "photos-eg.example", host: "photos-eg.example",
		platforms: []string{"photos-eg", "photos-eg.example"}, share: .09, quietFrom: 22 * 60, quietTo: 6 * 60,
		forms: []form{{"account", .02}}, conduct: conduct{twice: true, thinkHours: 2}},
	{key: "sites", name: "Sites (EXERCISE)", kind: "hosting", country: "DE", zone: "Europe/Berlin", domain: "sites-eg.example", host: "sites-eg.example", also: "uni-exercise.example",
		platforms: []string{"sites-eg.example", "uni-exercise.example"}, share: .07, bounded: true, conduct: conduct{late: true, thinkHours: 3}},
	{key: "store", name: "Store (EXERCISE)", kind: "app_store", country: "IE", zone: "Europe/Dublin", domain: "store-eg.example", host: "store-eg.example",
		platforms: []string{"store-eg", "addons-eg", "store-eg.example"}, share: .03,
		forms: []form{{"app", .4}, {"extension", .25}}, conduct: conduct{pull: true, thinkHours: 1}},
	{key: "brief", name: "Brief (EXERCISE)", kind: "mail", country: "AT", zone: "Europe/Vienna", domain: "brief-eg.example", host: "brief-eg.example",
		platforms: []string{"brief-eg.example"}, share: .03, forms: []form{{"newsletter", .4}}, conduct: conduct{gone: true, thinkHours: 1}},
	{key: "strom", name: "Strom (EXERCISE)", kind: "cdn", country: "LU", zone: "Asia/Singapore", domain: "strom-eg.example", host: "strom-eg.example",
		platforms: []string{"strom-eg.example"}, share: .04, quietFrom: 20 * 60, quietTo: 4 * 60, bounded: true,
		forms: []form{{"stream", .3}}, conduct: conduct{thinkHours: 1}},
}

// Indexes into providers that the plan names.
const (
	atKanal  = 0
	atClips  = 1
	atPaste  = 3
	atPhotos = 4
	atSites  = 5
	atBrief  = 7
	atStrom  = 8
)

// scarce are the providers with a capacity, quiet hours or bad hours.
var scarce = [4]int{atSites, atStrom, atPhotos, atPaste}

// libraryHost is an invented place that the guard raises to a second approval.
const libraryHost = "library.uni-exercise.example"

// outletPlan is one invented outlet.
type outletPlan struct {
	name, mark string
	parent     int // index into parents, -1 for none
	listed     listing
}

type listing int

const (
	listedItself   listing = iota
	listedByParent         // covered by the entity behind it
	neverListed
	delistedYesterday
)

// parents are the invented entities behind outlets; both are on the list.
var parents = [2]string{"Exercise Front North (EXERCISE)", "Exercise Front South (EXERCISE)"}

// outlets are the invented brands: eight in scope, three never listed, one
// delisted yesterday.
var outlets = [12]outletPlan{
	{"Exercise Outlet Alpha", "Alpha star watermark (EXERCISE)", 0, listedItself},
	{"Exercise Outlet Bravo", "Bravo banner intro (EXERCISE)", 0, listedByParent},
	{"Exercise Radio Charlie", "Charlie jingle (EXERCISE)", 0, listedByParent},
	{"Exercise Agency Delta", "Delta agency caption (EXERCISE)", 0, listedItself},
	{"Exercise Foundation Echo", "Echo round seal (EXERCISE)", 1, listedByParent},
	{"Exercise Magazine Foxtrot", "Foxtrot cover frame (EXERCISE)", 1, listedByParent},
	{"Exercise Weekly Golf", "Golf masthead (EXERCISE)", 1, listedItself},
	{"Exercise Nasheed House Hotel", "Hotel chant opening (EXERCISE)", -1, listedItself},
	{"Exercise Outlet India", "India corner logo (EXERCISE)", -1, neverListed},
	{"Exercise Outlet Juliett", "Juliett corner logo (EXERCISE)", -1, neverListed},
	{"Exercise Bulletin Kilo", "Kilo title card (EXERCISE)", -1, neverListed},
	{"Exercise Outlet Lima", "Lima end card (EXERCISE)", -1, delistedYesterday},
}

// inScope is the number of outlets at the head of outlets that are in scope.
const inScope = 8

// fate is what becomes of an item on our side.
type fate uint8

const (
	toRefer        fate = iota
	toCorrect           // referred, and corrected afterwards
	toTakeBackSent      // referred, and withdrawn afterwards
	toReleaseHold       // held, released, then referred
	toHold              // held to the end
	toTakeBackHeld      // held, and taken back by its author
	toReject
	toExempt
	toUnscope
	toGuard
	fates
)

// referred reports whether an item of this fate is sent to its provider.
func (f fate) referred() bool { return f <= toReleaseHold }

// held reports whether another authority holds the place.
func (f fate) held() bool { return f == toReleaseHold || f == toHold || f == toTakeBackHeld }

// decided reports whether a reviewer gets to see the item.
func (f fate) decided() bool { return f <= toReject }

// outcome is what the provider says and what its pages then show.
type outcome uint8

const (
	saysRemoved outcome = iota
	saysDisabled
	saysSuspended
	saysRestricted
	saysUnavailable
	saysRefused
	saysNotOurs
	saysForceMajeure
	saysInsufficient
	saysForwarded
	saysCannotIsolate
	saysNothing
	saysRemovedStaysUp
	saysCountries
	saysRemovedWalled
	saysRemovedReturns
	saysRemovedSoft // a notice that anyone could have written: proves nothing
	saysLate        // only after the withdrawal
	saysNever       // withdrawn before it had anything to say
	outcomes
)

// fateShares and outcomeShares are parts of one; what is left is toRefer and
// saysRemoved.
var fateShares = []struct {
	fate  fate
	share float64
}{
	{toGuard, .03}, {toUnscope, .03}, {toExempt, .02}, {toReject, .02},
	{toReleaseHold, .008}, {toHold, .008}, {toTakeBackHeld, .004},
	{toTakeBackSent, .003}, {toCorrect, .001},
}

var outcomeShares = []struct {
	outcome outcome
	share   float64
}{
	{saysDisabled, .02}, {saysSuspended, .02}, {saysRestricted, .01}, {saysUnavailable, .01},
	{saysRefused, .05},
	{saysNotOurs, .01}, {saysForceMajeure, .003}, {saysInsufficient, .004}, {saysForwarded, .008}, {saysCannotIsolate, .005},
	{saysNothing, .04}, {saysRemovedStaysUp, .015}, {saysCountries, .005}, {saysRemovedWalled, .008}, {saysRemovedSoft, .002}, {saysRemovedReturns, .01},
}

// card is one prescribed item of the showcase; provider is -1 for any.
type card struct {
	fate     fate
	outcome  outcome
	provider int
	double   bool // needs two approvals
	outlet   int  // index into outlets, 0 for any
}

// showcase holds every fate, every outcome and every provider at least once,
// and fewer than MinItems referred items.
func showcase() []card {
	var cards []card
	for f := range fates {
		cards = append(cards, card{fate: f, provider: -1})
	}
	for o := range saysLate {
		cards = append(cards, card{outcome: o, provider: -1})
	}
	for p := range providers {
		cards = append(cards, card{outcome: saysRemoved, provider: p}, card{outcome: saysNothing, provider: p})
	}
	return append(cards,
		card{fate: toTakeBackSent, outcome: saysLate, provider: atSites},
		card{fate: toTakeBackSent, outcome: saysNever, provider: atKanal},
		card{fate: toGuard, provider: -1}, card{fate: toGuard, provider: -1},
		card{fate: toUnscope, provider: -1, outlet: inScope}, card{fate: toUnscope, provider: -1, outlet: len(outlets) - 1},
		card{double: true, provider: -1}, card{double: true, provider: atSites},
	)
}

func knownPlan(name string) error {
	if name != PlanNovember2019 {
		return fmt.Errorf("exercise plan %q is unknown here; New makes %q, and NewHour %q", name, PlanNovember2019, PlanOneHour)
	}
	return nil
}
