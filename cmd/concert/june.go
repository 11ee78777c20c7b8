package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"filippo.io/age"

	"concert"
	"concert/api"
	"concert/internal/accesslog"
	"concert/internal/exercise"
	"concert/internal/lake"
	"concert/internal/lead"
	"concert/internal/vault"
)

// juneCountries is how many countries the invented visitors come from: as many as in
// June 2017.
const juneCountries = 133

// juneLinesLeast is the least number of lines with which the plan has somebody to
// count.
const juneLinesLeast = 1000

// juneOutcome is the last line with -json (docs/june2017.md).
type juneOutcome struct {
	Plan     string `json:"plan"`
	Lines    int64  `json:"lines"`
	Parsed   int64  `json:"parsed"`
	Rejected int64  `json:"rejected"`
	Accesses int64  `json:"accesses"`

	Visitors   accesslog.Visitors    `json:"visitors"`
	Propaganda *accesslog.Propaganda `json:"propaganda_accesses"`
	Countries  int                   `json:"countries"`
	SealedMB   float64               `json:"sealed_mb"`
	Manifest   string                `json:"manifest"`
	LakeRows   int64                 `json:"lake_rows"`
	LakeMB     float64               `json:"lake_mb"`
	Facts      int                   `json:"facts"`
	Sessions   int                   `json:"sessions"`
	Packages   int                   `json:"packages"`
	Withheld   int                   `json:"withheld"` // countries of which nothing leaves: too few, or hidden beside them
	exercise.SeizureCounts
	Leaks     int                `json:"leaks"`   // files in which an administrator's address or name stands in the clear
	Spent     map[string]float64 `json:"spent_s"` // wall seconds of each step
	Events    int64              `json:"events"`
	ElapsedS  float64            `json:"elapsed_s"`
	PeakRSSMB float64            `json:"peak_rss_mb"`
	Database  string             `json:"database"`
	Ledger    ledger             `json:"ledger"`
	Data      string             `json:"data"`
}

// seizure is the analyst's side of the plan june-2017: everything that needs no hub.
type seizure struct {
	r     *rehearsal
	world *exercise.Seizure
	geo   *accesslog.Geo
	log   exercise.SeizedLog
	sign  *vault.Key
	key   [accesslog.KeySize]byte // of the case's pseudonyms; gone when the run ends

	custodians []*age.X25519Identity
	lock       vault.Lock
	report     *accesslog.Report
	out        juneOutcome
}

func (s *seizure) path(name ...string) string {
	return filepath.Join(append([]string{s.r.dir}, name...)...)
}

// june plays the plan and tells what came of it.
func (r *rehearsal) june(ctx context.Context, begun time.Time) error {
	s := &seizure{r: r, world: r.seized, out: juneOutcome{Plan: r.cmd.Plan, Spent: map[string]float64{}, Database: r.node.svc.DB.Dialect(), Data: r.dir}}
	defer clear(s.key[:])
	for _, step := range []struct {
		name string
		do   func(context.Context) error
	}{{"set_up", s.setUp}, {"generate", s.generate}, {"seal", s.seal}, {"count", s.count}, {"lake", s.makeLake}, {"register", s.register}, {"identify", s.identify}, {"search_for_leaks", s.leaks}, {"verify_log", s.verify}} {
		began := time.Now()
		if err := step.do(ctx); err != nil {
			return fmt.Errorf("exercise: %s: %w (data kept in %s)", step.name, err, r.dir)
		}
		s.out.Spent[step.name] = time.Since(began).Seconds()
		fmt.Fprintf(r.e.stderr, "EXERCISE %-18s %6.1f s\n", step.name, s.out.Spent[step.name])
	}
	s.out.SeizureCounts, s.out.ElapsedS, s.out.PeakRSSMB = s.world.Counts(), time.Since(begun).Seconds(), peakRSS()
	s.tell(r.e.stderr)
	return r.last(s.out)
}

func (s *seizure) setUp(ctx context.Context) error {
	file := s.r.cmd.Geo
	if file == "" {
		file = s.path("countries.mmdb")
		if err := inventCountries(file); err != nil {
			return err
		}
	}
	var err error
	if s.geo, err = accesslog.OpenGeo(file); err != nil {
		return fmt.Errorf("-geo: %w", err)
	}
	if s.sign, err = vault.NewKey(s.path("evidence-key")); err != nil {
		return err
	}
	rand.Read(s.key[:])
	for range 3 {
		id, err := age.GenerateX25519Identity()
		if err != nil {
			return err
		}
		s.custodians = append(s.custodians, id)
	}
	// The first 133 countries that the invented visitors come from are all.
	seen := map[string]bool{}
	s.log = exercise.SeizedLog{Lines: s.r.cmd.Lines, Seed: s.r.cmd.Seed}
	s.log.Keep = func(a netip.Addr) bool {
		code := s.geo.Country(a)
		if code == "" {
			return false
		}
		if !seen[code] && len(seen) < juneCountries {
			seen[code] = true
		}
		return seen[code]
	}
	return s.world.Setup(ctx)
}

// generate writes the logs of the server that is seized.
func (s *seizure) generate(context.Context) error {
	if err := os.Mkdir(s.path("seized"), 0o700); err != nil {
		return err
	}
	write := func(name string, to func(io.Writer) error) error {
		f, err := os.OpenFile(s.path("seized", name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return err
		}
		return errors.Join(to(f), f.Close())
	}
	return errors.Join(write("access.log", func(w io.Writer) error { _, err := s.log.Write(w); return err }), write("auth.log", s.log.WriteAuth))
}

// seal makes the exhibit, verifies it, and works on the sealed bytes from then on.
func (s *seizure) seal(ctx context.Context) error {
	job := vault.SealJob{Sources: []string{s.path("seized")}, Bag: s.path("bag"), Case: "EXERCISE-JUNE-2017", By: "EXERCISE analyst", Reason: "EXERCISE seizure", Program: "concert " + version(), Key: s.sign, Now: time.Now}
	sealed, err := vault.SealEvidence(ctx, job)
	if err != nil {
		return err
	}
	s.out.Manifest = sealed.Digest
	for _, it := range sealed.Manifest.Items {
		s.out.SealedMB += float64(it.Size) / 1e6
	}
	return os.RemoveAll(s.path("seized"))
}

func (s *seizure) logs(name string) string { return s.path("bag", "data", "seized", name) }

// count is the full report, and the administrators' sessions.
func (s *seizure) count(ctx context.Context) error {
	judged, err := accesslog.ParseJudged(s.log.Judged())
	if err != nil {
		return err
	}
	o := accesslog.Options{Geo: s.geo, Judged: judged, Now: time.Now()}
	if s.report, err = accesslog.Analyse(ctx, []string{s.logs("access.log")}, o); err != nil {
		return err
	}
	r := s.report
	s.out.Lines, s.out.Parsed, s.out.Rejected, s.out.Accesses, s.out.Visitors, s.out.Propaganda = r.Lines, r.Parsed, r.Rejected, r.Accesses, r.Visitors, r.Propaganda
	raw, err := json.Marshal(r.Released())
	if err != nil {
		return err
	}
	return os.WriteFile(s.path("report.json"), raw, 0o600)
}

func (s *seizure) makeLake(ctx context.Context) error {
	job := lake.Job{Dir: s.path("lake"), Paths: []string{s.logs("access.log")}, Log: accesslog.Options{Geo: s.geo}, Case: "EXERCISE-JUNE-2017", Epoch: "1", Key: s.key[:], By: "EXERCISE analyst", Program: "concert " + version(), Sign: s.sign, Now: time.Now(), Needed: 2, List: s.path("pseudonyms.locked")}
	for i, id := range s.custodians {
		job.Custodians = append(job.Custodians, vault.Custodian{Name: fmt.Sprintf("Custodian %d (EXERCISE)", i+1), Recipient: id.Recipient().String()})
	}
	made, err := lake.Write(ctx, job)
	if err != nil {
		return err
	}
	s.lock, s.out.LakeRows = made.Lock, made.Manifest.Rows
	for _, p := range made.Manifest.Parts {
		s.out.LakeMB += float64(p.Size) / 1e6
	}
	return nil
}

// custody is the exhibit's log as the hub takes it.
func (s *seizure) custody() (f api.CustodyFiles, err error) {
	log, err := os.ReadFile(s.path("bag", "custody.jsonl"))
	if err != nil {
		return f, err
	}
	head, err := os.ReadFile(s.path("bag", "custody-head.json"))
	return api.CustodyFiles{Custody: string(log), Head: string(head)}, err
}

func (s *seizure) register(ctx context.Context) error {
	f, err := s.custody()
	if err != nil {
		return err
	}
	locked, err := os.ReadFile(s.path("pseudonyms.locked"))
	if err != nil {
		return err
	}
	if err := s.world.Register(ctx, api.NewExhibit{Label: "EXERCISE server of June 2017", Manifest: s.out.Manifest, CustodyFiles: f}, locked); err != nil {
		return err
	}
	log, err := vault.OpenCustody(s.path("bag"), s.sign)
	if err != nil {
		return err
	}
	_, _, err = log.Add(vault.Custody{At: time.Now().UTC().Format(time.RFC3339Nano), Act: vault.ActVerified, By: "EXERCISE analyst", Reason: "EXERCISE: analysed", Outcome: "valid"})
	if err = errors.Join(err, log.Close()); err != nil {
		return err
	}
	if f, err = s.custody(); err != nil {
		return err
	}
	return s.world.Custody(ctx, f)
}

// identify finds the administrators' sessions, is refused what goes too far, lets two
// custodians open one administrator, and shares out what may go to each state.
func (s *seizure) identify(ctx context.Context) error {
	found, err := accesslog.Sessions(ctx, []string{s.logs("access.log")}, []string{s.logs("auth.log")}, accesslog.SessionOptions{Options: accesslog.Options{Geo: s.geo, Key: &s.key, Now: time.Now()}})
	if err != nil {
		return err
	}
	s.out.Facts, s.out.Sessions = found.Facts, len(found.Sessions)
	counts := lead.Suppress(lead.Countries(s.report))
	states := slices.DeleteFunc(slices.Sorted(maps.Keys(counts)), func(c string) bool { return c == "unknown" })
	s.out.Countries = len(states)
	who, facts, err := s.administrator(found, states)
	if err != nil {
		return err
	}
	if err := s.world.AskForTooMuch(ctx, looked(who)); err != nil {
		return err
	}
	opened, err := s.world.Identify(ctx, who, s.shares)
	if err != nil {
		return err
	}
	if len(opened.Identities) != 1 || !slices.Contains(s.log.Canaries(), opened.Identities[0].Plain) {
		return fmt.Errorf("pseudonym %s stands for %d people, of whom none is an invented administrator", who.Pseudonym, len(opened.Identities))
	}
	if err := os.Mkdir(s.path("leads"), 0o700); err != nil {
		return err
	}
	for i, state := range states {
		var persons []string
		var about []lead.Person
		if facts.state == state {
			persons, about = []string{who.Pseudonym}, []lead.Person{facts.person}
		}
		if counts[state].Accesses.WithBots.State == lead.Withheld && persons == nil {
			s.out.Withheld++
			continue
		}
		err := s.world.Lead(ctx, state, i, persons, func(l api.Lead, to string) (string, string, error) {
			return s.send(state, to, counts[state], about)
		})
		if err != nil {
			return fmt.Errorf("%s: %w", state, err)
		}
	}
	return nil
}

// whose is a person with the state that it goes to.
type whose struct {
	state  string
	person lead.Person
}

// administrator picks the first whose address is known and whose state may receive.
func (s *seizure) administrator(found *accesslog.SessionReport, states []string) (who api.ReidentifySubject, of whose, err error) {
	for _, x := range found.Sessions {
		nth := slices.Index(states, x.Country)
		if x.Of != accesslog.IdentityAddress || nth < 0 || !s.world.MayReceive(x.Country, nth) {
			continue
		}
		i := slices.IndexFunc(x.Facts, func(f accesslog.SessionFact) bool { return slices.Contains(concert.SourceFactKinds, f.Kind) })
		if i < 0 {
			continue
		}
		now := exercise.SeizureStart
		by := [2]lead.Decision{{Role: lead.Officer, Operator: "EXERCISE-1", At: now}, {Role: lead.Prosecutor, Operator: "EXERCISE-2", At: now}}
		who = api.ReidentifySubject{Pseudonym: x.Pseudonym, Category: string(concert.SubjectSuspect), Ground: "EXERCISE: administered the seized server by secure shell"}
		of = whose{x.Country, lead.Person{Pseudonym: x.Pseudonym, Category: concert.SubjectSuspect, CategorisedBy: by, Released: []lead.Release{{Country: x.Country, To: "Police of " + x.Country + " (EXERCISE)", Approved: by}}}}
		for _, f := range x.Facts[i:min(i+concert.ReidentifyFactsMost, len(x.Facts))] {
			at, err := time.Parse(time.RFC3339, f.At)
			if err != nil {
				return who, of, err
			}
			file := filepath.Base(f.File)
			who.Facts = append(who.Facts, api.SourceFact{Kind: f.Kind, At: f.At, File: file, Offset: f.Offset, Length: f.Length, Line: f.LineSHA256, Rule: f.Rule, Evaluation: f.Evaluation})
			of.person.Facts = append(of.person.Facts, lead.Fact{Kind: f.Kind, At: at, File: file, Offset: f.Offset, Length: f.Length, LineSHA256: f.LineSHA256, Rule: f.Rule, Evaluation: f.Evaluation})
		}
		return who, of, nil
	}
	return who, of, fmt.Errorf("no administrator has a fact beyond viewing in a state that may receive a lead: %d facts in %d sessions; try another -seed, or more -lines", found.Facts, len(found.Sessions))
}

// looked is somebody who did nothing but look.
func looked(who api.ReidentifySubject) api.ReidentifySubject {
	who.Facts = slices.Clone(who.Facts[:1])
	who.Facts[0].Kind = "view"
	return who
}

// shares are those of two of the three custodians, given to the request's key.
func (s *seizure) shares(recipient, request string) ([]string, error) {
	var out []string
	for _, id := range s.custodians[:2] {
		g, err := vault.GiveShare(s.lock, []age.Identity{id}, recipient, request, time.Now())
		if err != nil {
			return nil, err
		}
		raw, err := json.Marshal(g)
		if err != nil {
			return nil, err
		}
		out = append(out, string(raw))
	}
	return out, nil
}

// send makes a package for a state, encrypted, and is its recipient as well: it opens
// the package, verifies it against the sender's key, and signs for it.
func (s *seizure) send(state, to string, n lead.Counts, persons []lead.Person) (digest, receipt string, err error) {
	f, err := s.custody()
	if err != nil {
		return "", "", err
	}
	v := vault.CheckCustody([]byte(f.Custody), []byte(f.Head), s.out.Manifest, nil)
	p := lead.Package{ID: packageID(), Case: "EXERCISE-JUNE-2017", From: "Seizing unit (EXERCISE)", To: to, Country: state, Made: exercise.SeizureStart, Handling: concert.HandlingOpen, Evaluation: "A2",
		Exhibit: lead.Exhibit{ID: "bag", ManifestSHA256: s.out.Manifest, CustodyHead: v.Head.String()}, Counts: n, Persons: persons}
	if g := s.report.Geo; g != nil {
		p.Geo = &lead.Geo{Build: g.Build, SHA256: g.SHA256}
	}
	id, err := age.GenerateX25519Identity()
	if err != nil {
		return "", "", err
	}
	name, digest, sealed, err := sealedLead(p, s.sign, id.Recipient(), lead.Custody{})
	if err != nil {
		return "", "", err
	}
	if err := os.WriteFile(s.path("leads", name), sealed, 0o600); err != nil {
		return "", "", err
	}
	bag, err := lead.Decrypt(bytes.NewReader(sealed), id)
	if err != nil {
		return "", "", err
	}
	verdict := bag.Verify([]string{s.sign.Public()}, nil)
	if !verdict.Valid() || verdict.Digest != digest {
		return "", "", fmt.Errorf("the package that arrived is not the one that was sent: %v", verdict.Findings)
	}
	key, err := vault.NewKey(s.path("leads", "key-"+state))
	if err != nil {
		return "", "", err
	}
	_, raw, err := lead.NewReceipt(verdict, key, "EXERCISE officer", exercise.SeizureStart)
	if err != nil {
		return "", "", err
	}
	s.out.Packages++
	sum := sha256.Sum256(raw)
	return digest, hex.EncodeToString(sum[:]), nil
}

// leaks searches everything but the sealed server itself for the administrators'
// addresses and names.
func (s *seizure) leaks(ctx context.Context) error {
	canaries := slices.DeleteFunc(s.log.Canaries(), func(c string) bool { return len(c) < 9 }) // shorter ones stand anywhere by chance
	return filepath.WalkDir(s.r.dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if p == s.path("bag") {
				return fs.SkipDir
			}
			return ctx.Err()
		}
		found, err := holds(p, canaries)
		if found {
			s.out.Leaks++
			fmt.Fprintf(s.r.e.stderr, "EXERCISE: %s holds an address or a name in the clear\n", strings.TrimPrefix(p, s.r.dir))
		}
		return err
	})
}

// holds reports whether a file holds one of the texts, reading it piece by piece.
func holds(file string, texts []string) (bool, error) {
	f, err := os.Open(file)
	if err != nil {
		return false, err
	}
	defer f.Close()
	const overlap = 64
	buf, kept := make([]byte, 1<<20), 0
	for {
		n, err := f.Read(buf[kept:])
		piece := buf[:kept+n]
		for _, t := range texts {
			if bytes.Contains(piece, []byte(t)) {
				return true, nil
			}
		}
		if err != nil {
			return false, ignoreEnd(err)
		}
		kept = copy(buf, piece[max(0, len(piece)-overlap):])
	}
}

func ignoreEnd(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// verify holds the log to its witnesses.
func (s *seizure) verify(ctx context.Context) error {
	svc := s.r.node.svc
	svc.StopClock()
	if err := svc.PublishLog(ctx); err != nil {
		return err
	}
	if err := svc.AskWitnesses(ctx, lastCosignMost); err != nil {
		return err
	}
	v, err := svc.VerifyLog(ctx, s.r.gallery.keys())
	if err != nil {
		return err
	}
	s.out.Events, s.out.Ledger = v.Size, ledger{v.Size, v.Root, v.Verified, !v.SelfAttested}
	if !v.Verified {
		return fmt.Errorf("the log does not verify: %s", v.Problem)
	}
	if s.out.Leaks > 0 {
		return fmt.Errorf("%d files hold an administrator's address or name in the clear", s.out.Leaks)
	}
	return nil
}

// tell is the outcome for people.
func (s *seizure) tell(w io.Writer) {
	o := s.out
	fmt.Fprintf(w, "\nEXERCISE: a server with %s lines, sealed (%.0f MB), counted, and shared out; %.1f s on %s, peak memory %.0f MB\n", digits(o.Lines), o.SealedMB, o.ElapsedS, o.Database, o.PeakRSSMB)
	fmt.Fprintf(w, "  %s accesses by %s to %s visitors from %d countries; none of them is a suspect\n", digits(o.Accesses), digits(*o.Visitors.IP.WithoutBots), digits(o.Visitors.IPUA.WithBots), o.Countries)
	fmt.Fprintf(w, "  lake: %s rows, %.1f MB; whom they stand for is locked among 3 custodians\n", digits(o.LakeRows), o.LakeMB)
	fmt.Fprintf(w, "  %d facts beyond viewing in %d sessions; requests refused: %s; opened: %d, by two custodians, a reviewer and a prosecutor\n", o.Facts, o.Sessions, pairs(o.RequestsRefused), o.RequestsOpened)
	fmt.Fprintf(w, "  leads: %d released and receipted (%d person), %d countries withheld, %d refused: %s\n", o.LeadsReleased, o.PersonsReleased, o.Withheld, o.TransfersRefused, pairs(o.RefusedBy))
	fmt.Fprintf(w, "  files with an administrator's address or name in the clear: %d\n", o.Leaks)
	fmt.Fprintf(w, "Log: %d events, root %s, verified %t\nData: %s\n", o.Ledger.Size, o.Ledger.Root, o.Ledger.Verified, o.Data)
}
