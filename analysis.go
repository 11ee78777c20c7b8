package concert

import (
	"slices"
	"strings"
	"time"
)

// AnalysisStatus is where an analysis of an exhibit's access logs stands.
type AnalysisStatus string

// The statuses. Asked and running end in one of the others.
const (
	AnalysisAsked   AnalysisStatus = "asked"   // waits for a node that has the bytes
	AnalysisRunning AnalysisStatus = "running" // a node reads them
	AnalysisDone    AnalysisStatus = "done"
	AnalysisFailed  AnalysisStatus = "failed"
	AnalysisDropped AnalysisStatus = "dropped" // by a person, before its end
)

// AnalysisStatuses lists them.
var AnalysisStatuses = []AnalysisStatus{AnalysisAsked, AnalysisRunning, AnalysisDone, AnalysisFailed, AnalysisDropped}

// Why an analysis failed, in Analysis.Code.
const (
	AnalysisNoCopy   = "analysis.no_copy"   // no node that looked has the exhibit
	AnalysisAltered  = "analysis.altered"   // a log is not what was sealed
	AnalysisMoved    = "analysis.moved"     // a log changed while it was counted
	AnalysisNoFile   = "analysis.no_file"   // a named path is none of the manifest
	AnalysisNoLogs   = "analysis.no_logs"   // nothing of the exhibit is an access log
	AnalysisUnread   = "analysis.unread"    // the system refused to read a file
	AnalysisLong     = "analysis.long"      // the report is longer than is kept
	AnalysisMany     = "analysis.many"      // more logs than are counted at once
	AnalysisNoRoom   = "analysis.no_room"   // no room for temporary files
	AnalysisBroke    = "analysis.broke"     // what reads the logs broke on them, or they broke its limits
	AnalysisDied     = "analysis.died"      // a node ended in the middle of it, again and again
	AnalysisHandedOn = "analysis.handed_on" // the exhibit left, or its case stands still
)

// AnalysisCodes lists why an analysis fails.
var AnalysisCodes = []string{AnalysisNoCopy, AnalysisAltered, AnalysisMoved, AnalysisNoFile, AnalysisNoLogs, AnalysisUnread, AnalysisLong, AnalysisMany, AnalysisNoRoom, AnalysisBroke, AnalysisDied, AnalysisHandedOn}

// AnalysisFailure says in words why an analysis failed, and the way out.
func AnalysisFailure(code string) string {
	switch code {
	case AnalysisNoCopy:
		return "No node that looked has a bag or a working copy with this exhibit's manifest. Make a working copy (concert evidence work) below the directory that concert serve -exhibits names, then ask again."
	case AnalysisAltered:
		return "A log is not what was sealed, so that nothing was counted. Have the bag verified (concert evidence verify), make a fresh working copy of it, then ask again."
	case AnalysisMoved:
		return "A log was changed while it was counted, so that its numbers are worth nothing and none is kept. Leave the copy alone until the analysis has ended, and ask again."
	case AnalysisNoFile:
		return "A file that was named is none that was sealed with this exhibit. Copy its path from the manifest (concert evidence show), and ask again."
	case AnalysisNoLogs:
		return "No file of the exhibit begins as an access log of a known format. Name the files and their format, and ask again. Logs inside images and archives are not opened here: take them out and seal them."
	case AnalysisUnread:
		return "The node may not read a file of the exhibit, or its disk failed. Let the operator look at the rights of the copy and at its disk, then ask again."
	case AnalysisLong:
		return "The report is longer than is kept here, because of its many inputs. Name fewer files, or count them with concert accesslog report."
	case AnalysisMany:
		return "The exhibit has more than 4,096 access logs, and no more are counted at once. Name the files that matter, or count all with concert accesslog report."
	case AnalysisBroke:
		return "What reads the logs in a process of its own did not survive them, or was ended because they broke its limits. Nothing else was touched, and nothing is kept. Name fewer files to find the one, or count them with concert accesslog report, which tells what stops it."
	case AnalysisNoRoom:
		return "The node has no room for temporary files. The operator must make room; then ask again."
	case AnalysisDied:
		return "The node ended in the middle of it three times. Name fewer files, or count them with concert accesslog report, which tells what stops it."
	case AnalysisHandedOn:
		return "The exhibit was handed over, or its case was closed or has to be reviewed or extended, before its logs were counted. Whoever holds it asks anew once its case stands."
	}
	return ""
}

const (
	// AnalysisFilesMost is how many files an analysis names at most; without names it
	// takes every access log of the exhibit.
	AnalysisFilesMost = 500
	// AnalysisLogsMost is how many logs are counted at once, since a child is handed
	// them all open.
	AnalysisLogsMost = 4096
	// AnalysisTries is how often a node may die in the middle of an analysis.
	AnalysisTries = 3
)

// Analysis counts what the access logs of an exhibit hold, for the case that holds
// it. Its report is kept sealed apart, and visitors are counts in it.
type Analysis struct {
	ID        AnalysisID
	Exhibit   ExhibitID
	N         int64 // among the exhibit's, from 1
	Case      CaseID
	Authority AuthorityID
	Purpose   string   // sealed
	Format    string   // sealed; "": told by each file's own lines
	Files     []string // sealed; paths of the manifest; none: every access log
	Status    AnalysisStatus
	Code      string // why it failed
	Result    AnalysisResult
	Done, All int64 // bytes read so far, of how many
	Looks     int   // nodes that looked for the bytes and had none
	Tries     int   // times that a node began to read
	AskedBy   PersonID
	AskedAt   time.Time
	EndedAt   time.Time // zero: it has not ended
	Erased    bool      // its report is gone with its case (G22)
	Exercise  bool
	Version   int64
}

// AnalysisResult is what the log of the house has of a report: never a path, a name
// or a number about few people.
type AnalysisResult struct {
	Report   string // SHA-256 of its JSON, in hexadecimal; "" for none
	Work     bool   // a working copy was read, not the evidentiary copy
	Files    int
	Lines    AnalysisLines
	Visitors int64  // by address
	Parser   int    // version of the report
	BotRule  string // version
	GeoBuild string // of the country database; "" for none
	Geo      string // its SHA-256, in hexadecimal
}

// AnalysisLines are lines of logs: lines = parsed + rejected + blank.
type AnalysisLines struct {
	Lines    int64 `json:"lines"`
	Parsed   int64 `json:"parsed"`
	Rejected int64 `json:"rejected"`
	Blank    int64 `json:"blank"`
}

// AnalysisBody is the body of events on an analysis.
type AnalysisBody struct {
	Exhibit   string         `json:"exhibit"` // reference
	N         int64          `json:"n"`
	Case      string         `json:"case"` // reference
	Authority AuthorityID    `json:"authority"`
	Manifest  string         `json:"manifest"`
	Code      string         `json:"code,omitempty"`
	Report    string         `json:"report,omitempty"` // SHA-256
	Work      bool           `json:"working_copy,omitempty"`
	Files     int            `json:"files,omitempty"`
	Lines     *AnalysisLines `json:"lines,omitempty"` // left out where they are of few people
	Parser    int            `json:"parser,omitempty"`
	BotRule   string         `json:"bot_rule,omitempty"`
	Geo       string         `json:"geo,omitempty"` // SHA-256 of the country database, or "unknown"
	GeoBuild  string         `json:"geo_build,omitempty"`
}

// AnalysisText is the sealed part of the event that asked for an analysis.
type AnalysisText struct {
	Purpose string   `json:"purpose"`
	Format  string   `json:"format,omitempty"`
	Files   []string `json:"files,omitempty"`
}

func (a Analysis) event(kind EventKind, by Actor, x Exhibit, c Case, now time.Time) Event {
	b := AnalysisBody{Exhibit: x.Ref, N: a.N, Case: c.Ref, Authority: a.Authority, Manifest: x.Manifest, Code: a.Code}
	if kind == EventAnalysisDone {
		r := a.Result
		b.Report, b.Work, b.Files, b.Parser, b.BotRule, b.Geo, b.GeoBuild = r.Report, r.Work, r.Files, r.Parser, r.BotRule, "unknown", r.GeoBuild
		if r.Geo != "" {
			b.Geo = r.Geo
		}
		if lines := r.Lines; r.Visitors >= FewLeast && lines.Parsed >= FewLeast {
			b.Lines = &lines
		}
	}
	return NewEvent(kind, by, string(a.ID), now, b)
}

// Open reports whether the analysis has not ended.
func (a Analysis) Open() bool { return a.Status == AnalysisAsked || a.Status == AnalysisRunning }

// MayAnalyse lets a member of the case that holds the exhibit ask to count its access
// logs, one analysis at a time. Nothing leaves the case, whatever its handling code.
func (x Exhibit) MayAnalyse(by Actor, c Case, running bool, now time.Time) error {
	if err := c.works(by); err != nil {
		return err
	}
	if x.Case != c.ID || x.Authority != by.Authority {
		return ErrNotFound
	}
	if err := c.grows(now); err != nil {
		return err
	}
	switch {
	case x.To != "":
		return Refuse(Conflict, "exhibit.on_its_way", "", "exhibit %s is on its way to another authority: whoever receives it asks there", x.Ref)
	case running:
		return Refuse(Conflict, "analysis.running", "", "an analysis of exhibit %s has not ended yet: wait for it, or drop it", x.Ref)
	}
	return nil
}

// AnalysisAsked asks to count the exhibit's access logs, for a purpose in writing.
func (x Exhibit) AnalysisAsked(by Actor, c Case, a Analysis, running bool, now time.Time) (Analysis, Event, error) {
	if err := x.MayAnalyse(by, c, running, now); err != nil {
		return a, Event{}, err
	}
	a.Purpose, a.Format = strings.TrimSpace(a.Purpose), strings.TrimSpace(a.Format)
	switch {
	case !between(a.Purpose, JustificationLeast, JustificationMost):
		return a, Event{}, Refuse(Invalid, "analysis.purpose", "purpose", "say in %d to %d characters what the analysis is for: it is kept with it", JustificationLeast, JustificationMost)
	case len(a.Format) > 2000:
		return a, Event{}, Refuse(Invalid, "analysis.format", "format", "a format is a name, or a pattern of at most 2000 characters")
	case a.Format != "" && len(a.Files) == 0:
		return a, Event{}, Refuse(Invalid, "analysis.files", "files", "a format holds for files that are named: name them by their paths in the manifest")
	case len(a.Files) > AnalysisFilesMost:
		return a, Event{}, Refuse(TooLarge, "analysis.files", "files", "an analysis names at most %d files; name none for every access log of the exhibit", AnalysisFilesMost)
	case slices.ContainsFunc(a.Files, func(f string) bool { return !strings.HasPrefix(f, "data/") || len(f) > 4096 }):
		return a, Event{}, Refuse(Invalid, "analysis.files", "files", "name a file as the manifest does, one a line: its path begins with data/ (concert evidence show lists them)")
	}
	a.Exhibit, a.Case, a.Authority, a.Status, a.AskedBy, a.AskedAt = x.ID, c.ID, by.Authority, AnalysisAsked, by.Person, now
	return a, a.event(EventAnalysisAsked, by, x, c, now).WithSealed(AnalysisText{a.Purpose, a.Format, a.Files}), nil
}

// Began says that a node begins to read, once it has found the bytes; false where
// one died in the middle too often.
func (a Analysis) Began() (Analysis, bool) {
	if a.Tries >= AnalysisTries {
		return a, false
	}
	a.Status, a.Done, a.Tries = AnalysisRunning, 0, a.Tries+1
	return a, true
}

// Halted says that a node stopped in good order before the end: it is no failure,
// and another begins anew.
func (a Analysis) Halted() Analysis {
	a.Status, a.Done, a.Tries = AnalysisAsked, 0, max(a.Tries-1, 0)
	return a
}

// Standing reports whether an analysis may go on: the exhibit is where it was, and its
// case is open, under its mandate and reviewed.
func (a Analysis) Standing(x Exhibit, c Case, now time.Time) bool {
	return x.Case == a.Case && x.To == "" && c.grows(now) == nil
}

// Counted ends an analysis with its report.
func (a Analysis) Counted(r AnalysisResult, x Exhibit, c Case, now time.Time) (Analysis, Event) {
	a.Status, a.Result, a.EndedAt = AnalysisDone, r, now
	return a, a.event(EventAnalysisDone, House, x, c, now)
}

// Stopped ends an analysis without one.
func (a Analysis) Stopped(code string, x Exhibit, c Case, now time.Time) (Analysis, Event) {
	a.Status, a.Code, a.EndedAt = AnalysisFailed, code, now
	return a, a.event(EventAnalysisFailed, House, x, c, now)
}

// MayDrop lets a member of its case end an analysis that nobody waits for any more.
func (a Analysis) MayDrop(by Actor, x Exhibit, c Case) error {
	if err := c.works(by); err != nil {
		return err
	}
	if !a.Open() {
		return Refuse(Conflict, "analysis.ended", "", "analysis %d of exhibit %s has ended already: nothing is left to drop", a.N, x.Ref)
	}
	return nil
}

// Dropped ends an analysis before its end.
func (a Analysis) Dropped(by Actor, x Exhibit, c Case, now time.Time) (Analysis, Event, error) {
	if err := a.MayDrop(by, x, c); err != nil {
		return a, Event{}, err
	}
	a.Status, a.EndedAt = AnalysisDropped, now
	return a, a.event(EventAnalysisDropped, by, x, c, now), nil
}

// Expired is the erasure of an analysis whose case nobody reviewed (G22). One that
// has not ended ends with it.
func (a Analysis) Expired(x Exhibit, c Case, now time.Time) (Analysis, Event) {
	if a.Open() {
		a.Status, a.EndedAt = AnalysisDropped, now
	}
	gone := a
	gone.Code = string(ErasureUnreviewed)
	e := gone.event(EventAnalysisErased, House, x, c, now)
	a.Purpose, a.Format, a.Files, a.Erased = "", "", nil, true
	return a, e
}
