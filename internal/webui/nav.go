package webui

import (
	"slices"
	"strings"

	"concert"
	"concert/internal/design"
)

// navItem is one page that one goes to, and who has it in the menu. A page that
// is not there for somebody is refused to them all the same.
type navItem struct {
	path  string
	label design.Text
	may   func(frame) bool
}

// navGroup is a part of the menu.
type navGroup struct {
	label design.Text
	items []navItem
}

// Who has a page in the menu.
var (
	officers    = func(f frame) bool { return f.has(concert.RoleOfficer) }
	reviewers   = func(f frame) bool { return f.has(concert.RoleReviewer) }
	deskPeople  = func(f frame) bool { return officers(f) || reviewers(f) }
	inside      = func(f frame) bool { return f.Person.ID != "" && f.Person.Provider == "" }
	ofAuthority = func(f frame) bool { return f.Person.Authority != "" }
	readers     = func(f frame) bool { return ofAuthority(f) || f.has(concert.RoleAuditor) }
	overseers   = func(f frame) bool { return f.has(concert.RoleCoordinator) || f.has(concert.RoleAuditor) }
	admins      = func(f frame) bool { return f.has(concert.RoleAdministrator) }
	magistrates = func(f frame) bool { return f.has(concert.RoleMagistrate) }
	auditors    = func(f frame) bool { return f.has(concert.RoleAuditor) }
	folders     = func(f frame) bool {
		return f.Person.Provider == "" && f.Person.Actor().MayKeepCases() == nil || auditors(f)
	}
	watchers = func(f frame) bool {
		return f.Person.Provider == "" && f.Person.Actor().MayWatch() == nil || auditors(f)
	}
	ofProvider = func(f frame) bool { return f.has(concert.RoleProviderReader) || f.has(concert.RoleProviderAnswerer) }
	teamLeads  = func(f frame) bool { return f.has(concert.RoleProviderAdmin) }
)

// menu is every page that one goes to, by what one goes there for.
var menu = []navGroup{
	{"Work", []navItem{
		{"/desk", "Your desk", worksHere},
		{"/items", "Items", readers},
		{"/submit", "Hand in", officers},
		{"/approvals", "Approvals", reviewers},
		{"/second-looks", "Second looks", deskPeople},
		{"/batches", "Many at once", deskPeople},
		{"/search", "Search", inside},
		{"/exposure", "What I have seen", exposed},
		{"/team-exposure", "What the team saw", leadsDesk},
	}},
	{"Cases", []navItem{
		{"/cases", "Cases", folders},
		{"/reidentifications", "Pseudonyms to decide on", magistrates},
		{"/incidents", "Incidents", folders},
		{"/watchlist", "Watchlist", watchers},
		{"/banks", "Banks", func(f frame) bool { return deskPeople(f) || auditors(f) }},
		{"/holds", "Holds", deskPeople},
	}},
	{"Referrals", []navItem{
		{"/referrals", "Referrals to us", ofProvider},
		{"/referrals", "Referrals", readers},
		{"/orders", "Removal orders", issuers},
		{"/threats", "Threats to life", onDuty},
		{"/remedies", "Withdrawals and corrections", readers},
		{"/complaints", "Complaints", func(f frame) bool { return deskPeople(f) || f.has(concert.RoleIssuer) }},
		{"/own", "Our items", ofProvider},
		{"/questions", "Questions", func(f frame) bool { return ofProvider(f) || deskPeople(f) }},
		{"/isolations", "What cannot be isolated", deskPeople},
		{"/figures", "Our figures", ofProvider},
		{"/notes", "Notes on patterns of abuse", ofProvider},
	}},
	{"What binds", []navItem{
		{"/own-orders", "Removal orders to us", ofProvider},
		{"/own-threats", "Report a threat to life", ofProvider},
	}},
	{"Together", []navItem{
		{"/actions", "Joint actions", inside},
		{"/reports", "Unit reports", readers},
		{"/accuracy", "Accuracy", func(f frame) bool { return deskPeople(f) || auditors(f) }},
		{"/alarms", "Alarms", overseers},
		{"/recommendations", "Recommendations of auditors", func(f frame) bool {
			return f.Person.Authority != "" && (f.has(concert.RoleReviewer) || f.has(concert.RoleCoordinator) || f.has(concert.RoleIssuer))
		}},
	}},
	{"Registers", []navItem{
		{"/outlets", "Outlets", inside},
		{"/providers", "Providers", inside},
		{"/authorities", "Authorities", inside},
	}},
	{"Proof", []navItem{
		{"/events", "Event log", readers},
		{"/audit", "Audit", auditors},
	}},
	{"House", []navItem{
		{"/templates", "Templates", deskPeople},
		{"/people", "People", func(f frame) bool { return admins(f) || auditors(f) }},
		{"/dispatch", "Dispatch", admins},
		{"/article16", "How our referrals are meant", reviewers},
		{"/team", "Our people", teamLeads},
	}},
}

// menuFor is the menu as somebody has it.
func menuFor(f frame) []navGroup {
	var out []navGroup
	all := menu
	if f.Host {
		all = hostMenu
	}
	for _, g := range all {
		g.items = slices.DeleteFunc(slices.Clone(g.items), func(i navItem) bool { return !i.may(f) })
		if len(g.items) > 0 {
			out = append(out, g)
		}
	}
	return out
}

// here reports whether the page belongs to the menu's item.
func (i navItem) here(f frame) bool {
	return f.Path == i.path || strings.HasPrefix(f.Path, i.path+"/")
}
