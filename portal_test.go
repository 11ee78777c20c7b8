package concert_test

import (
	"testing"
	"time"

	"concert"
)

// One work at three places, one of them found after the first was gone: that is a re-upload.
func TestPatternsCountCopiesAndReuploads(t *testing.T) {
	t.Parallel()
	at := func(h int) time.Time { return time.Date(2019, 11, 21, h, 0, 0, 0, time.UTC) }
	work, other := [32]byte{1}, [32]byte{2}
	p := concert.PatternsOf([]concert.PatternItem{
		{Type: concert.TypeVideo, Kind: "web", Outlet: "A", Language: "ar", Content: work, FoundAt: at(14), Claimed: concert.AnswerRemoved},
		{Type: concert.TypeVideo, Kind: "web", Outlet: "A", Language: "ar", Content: work, FoundAt: at(8), SeenDown: true, Observed: concert.ObservedUp},
		{Type: concert.TypeVideo, Kind: "account", Outlet: "B", Language: "fr", Content: work, FoundAt: at(14)},
		{Type: concert.TypeImage, Kind: "web", Content: other, FoundAt: at(14)},
		{Type: concert.TypeText, Kind: "web", FoundAt: at(2)},
	})
	if p.Items != 5 || p.Captured != 4 || p.Works != 2 || p.Repeated != 1 || p.Copies != 2 || p.MostAt != 3 || p.Returned != 1 || p.Reuploads != 2 {
		t.Errorf("patterns %+v", p)
	}
	if p.Busiest() != "14" || p.Hours[14] != 3 || p.Types[0] != (concert.Counted{Value: "video", N: 3}) || p.Outlets[0].N != 2 {
		t.Errorf("busiest %q, %+v", p.Busiest(), p)
	}
	if empty := concert.PatternsOf(nil); empty.Items != 0 || empty.Busiest() != "" {
		t.Errorf("of nothing: %+v", empty)
	}
}

func TestSpreadsAreThoseOfTheCountingPage(t *testing.T) {
	t.Parallel()
	var times []time.Duration
	for i := range 10 {
		times = append(times, time.Duration(10-i)*time.Minute)
	}
	if s := concert.SpreadOf(times); s != (concert.Spread{N: 10, Median: 360, P90: 600}) {
		t.Errorf("%+v", s)
	}
	if s := concert.SpreadOf(nil); s != (concert.Spread{}) {
		t.Errorf("of none: %+v", s)
	}
}

func TestAgreementCountsOnlyWhatWasClaimed(t *testing.T) {
	t.Parallel()
	a := concert.Agreement{}.Matched(concert.AnswerRemoved, concert.ObservedDown, 3).Matched(concert.AnswerRemoved, concert.ObservedUp, 1).
		Matched(concert.AnswerDisabledEU, concert.ObservedPartial, 2).Matched(concert.AnswerRefused, concert.ObservedUp, 5).Matched(concert.AnswerRemoved, concert.ObservedNot, 4)
	if a.Claimed != 10 || a.Looked != 4 || a.Agreed != 3 || a.Up != 1 || a.Unclear != 2 {
		t.Errorf("%+v", a)
	}
}

// A note of an open action is none, and the one who reviewed it does not release it.
func TestNotesBelongToAnActionsEnd(t *testing.T) {
	t.Parallel()
	if _, _, err := (concert.PatternNote{}).Drafted(concert.Action{Phase: concert.PhaseRefer}, noon); err == nil {
		t.Error("a note of an open action")
	}
}

func TestProvidersRolesMixAmongThemselvesOnly(t *testing.T) {
	t.Parallel()
	if err := concert.RolesOf([]concert.Role{concert.RoleProviderAdmin, concert.RoleProviderAnswerer}); err != nil {
		t.Error(err)
	}
	if concert.RolesOf([]concert.Role{concert.RoleProviderAdmin, concert.RoleReviewer}) == nil || concert.RolesOf([]concert.Role{concert.RoleProviderAdmin, concert.RoleAdministrator}) == nil {
		t.Error("a provider's administrator has a role on another side")
	}
	if concert.TakesTwo([]concert.Role{concert.RoleProviderAdmin}) || !concert.TakesTwo([]concert.Role{concert.RoleAdministrator}) {
		t.Error("who takes two administrators has changed")
	}
}
