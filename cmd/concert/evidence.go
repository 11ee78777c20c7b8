package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"path/filepath"
	"sync"
	"time"

	"concert/internal/sandbox"
	"concert/internal/vault"
)

// evidenceCmd seals what was seized and follows it; it needs no server.
type evidenceCmd struct {
	Seal    evidenceSealCmd    `cmd:"" help:"Copy directories, files, images and archives into a new sealed bag, reading them once and changing nothing."`
	Verify  evidenceVerifyCmd  `cmd:"" help:"Read a bag, a working copy, an image or an archive again and say what is not as it was. Exit 0: whole and vouched for from outside; 1: not whole; 2: it could not be told; 3: whole, but only by its own word."`
	Work    evidenceWorkCmd    `cmd:"" help:"Make a copy of a bag's files to work on, compare it while it is made, and record it."`
	Hand    evidenceHandCmd    `cmd:"" help:"Record that a bag goes to another authority, or take in the receipt that came back."`
	Receive evidenceReceiveCmd `cmd:"" help:"Verify a bag that was handed over, record that it arrived, and write the receipt."`
	Stamp   evidenceStampCmd   `cmd:"" help:"Ask a timestamp authority to stamp a bag's seal."`
	Digest  evidenceDigestCmd  `cmd:"" help:"Digest files as a seal would, and keep nothing: a list that hashdeep audits."`
	Show    evidenceShowCmd    `cmd:"" help:"Say what a bag holds and who had it, without reading its files."`
	Key     evidenceKeyCmd     `cmd:"" help:"Make a key that signs seals and custody records."`

	Files  evidenceFilesCmd  `cmd:"" help:"List every file of an image, a bag, a directory or an archive: size, times, type, digest, language. Exit 1: some were not read whole, and why stands there."`
	Index  evidenceIndexCmd  `cmd:"" help:"Make the full-text index of a case from bags, directories, images and archives."`
	Search evidenceSearchCmd `cmd:"" help:"Search an index: words however they were typed, with the text around them as it stands in the evidence."`

	Lock   evidenceLockCmd   `cmd:"" help:"Encrypt a bag into one file that only some of its custodians together open."`
	Locked evidenceLockedCmd `cmd:"" help:"Check a locked file, without any key, and say who opens it."`
	Share  evidenceShareCmd  `cmd:"" help:"As a custodian: give your share to whoever unlocks, for a reason."`
	Unlock evidenceUnlockCmd `cmd:"" help:"Open a locked file with the shares that its custodians gave."`
	Stored evidenceStoredCmd `cmd:"" help:"List the locked exhibits in a bucket, by their heads alone."`
}

// tell says how far a job is, where somebody sees it, until it is stopped.
func tell(to io.Writer, p *vault.Progress) (stop func()) {
	if !isTerminal(to) {
		return func() {}
	}
	began, quit, ended := time.Now(), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(progressEvery)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				fmt.Fprintf(to, "\r\x1b[K%s", progressLine(p, time.Since(began)))
			case <-quit:
				fmt.Fprint(to, "\r\x1b[K")
				return
			}
		}
	}()
	return sync.OnceFunc(func() {
		close(quit)
		<-ended
	})
}

// progressLine says bytes, speed, and what remains once all is known of.
func progressLine(p *vault.Progress, took time.Duration) string {
	done, total := p.Bytes.Load(), p.Total.Load()
	speed := float64(done) / max(took.Seconds(), 1e-3)
	line := fmt.Sprintf("%d files, %s of %s, %.2f GB/s", p.Files.Load(), bytesText(done), bytesText(total), speed/1e9)
	if !p.Walked.Load() {
		return line + ", still looking for more"
	}
	if done >= total {
		return line + ", looking into archives and images"
	}
	return line + ", " + (time.Duration(float64(total-done)/max(speed, 1)) * time.Second).String() + " to go"
}

func bytesText(n int64) string {
	switch {
	case n >= 1e12:
		return fmt.Sprintf("%.2f TB", float64(n)/1e12)
	case n >= 1e9:
		return fmt.Sprintf("%.2f GB", float64(n)/1e9)
	case n >= 1e6:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%d bytes", n)
}

// person is who acts: the flag, or the name under which the system knows them.
func person(by string) (string, error) {
	if by != "" {
		return by, nil
	}
	u, err := user.Current()
	if err != nil {
		return "", errors.New("say who you are with -by")
	}
	return cmp.Or(u.Name, u.Username), nil
}

// sealer is the key and the person of a command that writes a custody record.
type signing struct {
	Key    string `help:"File of the key that signs (evidence key makes one)." type:"existingfile" placeholder:"FILE"`
	By     string `help:"Your name; as the system knows you where it is left out." placeholder:"NAME"`
	Reason string `help:"Why." placeholder:"TEXT"`
}

func (s signing) open() (key *vault.Key, by string, err error) {
	if by, err = person(s.By); err != nil || s.Key == "" {
		return nil, by, err
	}
	key, err = vault.ReadKey(s.Key)
	return key, by, err
}

type evidenceSealCmd struct {
	Source []string `arg:"" help:"Directories, raw images, first segments of E01 sets, archives, block devices. They are only read."`
	Case   string   `help:"The case that it belongs to." required:"" placeholder:"ID"`
	Out    string   `name:"out" short:"o" help:"The bag to make: a directory that does not exist yet." required:"" placeholder:"BAG"`
	TSA    string   `name:"tsa" help:"A timestamp authority (RFC 3161) that is asked to stamp the seal." placeholder:"URL"`
	Closed bool     `help:"Do not look into archives and images: they are sealed whole in any case."`
	signing
}

// containerPool starts the children that open archives and images.
func containerPool(closed bool) (*sandbox.Pool, error) {
	if closed {
		return nil, nil
	}
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("archives and images are opened in children of this program, which does not find itself: %w; -closed seals without looking into them", err)
	}
	return &sandbox.Pool{Command: []string{self, childCommand}}, nil
}

// Run seals.
func (c *evidenceSealCmd) Run(ctx context.Context, e *env) error {
	key, by, err := c.open()
	if err != nil {
		return err
	}
	pool, err := containerPool(c.Closed)
	if err != nil {
		return err
	}
	progress := new(vault.Progress)
	stop := tell(e.stderr, progress)
	began := time.Now()
	out, err := vault.SealEvidence(ctx, vault.SealJob{Sources: c.Source, Bag: c.Out, Case: c.Case, By: by, Reason: cmp.Or(c.Reason, "seized"), Program: "concert " + version(), Key: key, Now: time.Now, Children: pool, Progress: progress})
	stop()
	if err != nil {
		if ctx.Err() != nil {
			return &exitError{code: exitFailed, err: err} // stopped is not done, so that it is no success
		}
		return err
	}
	took := time.Since(began)
	files, total := int64(0), int64(0)
	for _, it := range out.Manifest.Items {
		if it.Type == vault.TypeFile {
			files, total = files+1, total+it.Size
		}
	}
	fmt.Fprintf(e.stdout, "Sealed %d files, %s, in %s: %.2f GB/s.\n", files, bytesText(total), took.Round(time.Millisecond), float64(total)/1e9/max(took.Seconds(), 1e-3))
	if out.Resumed > 0 {
		fmt.Fprintf(e.stdout, "%d of them an earlier run had read.\n", out.Resumed)
	}
	fmt.Fprintf(e.stdout, "Bag:      %s\nManifest: sha256 %s\n", c.Out, out.Digest)
	sayContainers(e.stdout, out.Manifest.Containers)
	sayRemarks(e.stdout, out.Manifest.Remarks())
	if c.TSA != "" {
		if err := stampBag(ctx, e, c.Out, c.TSA); err != nil {
			return fmt.Errorf("sealed, and not stamped: %w; try again with evidence stamp", err)
		}
	}
	switch {
	case key == nil:
		fmt.Fprintln(e.stdout, "SELF-ATTESTED: nobody signed it. Seal with -key FILE, so that it is known who did.")
	case c.TSA == "":
		fmt.Fprintln(e.stdout, "SELF-ATTESTED until something outside vouches for it: give the public key or the manifest's digest to somebody else, or stamp it with evidence stamp.")
	}
	return nil
}

const remarksShown = 50

func sayRemarks(w io.Writer, remarks []string) {
	if len(remarks) == 0 {
		return
	}
	fmt.Fprintf(w, "Not whole, and recorded so (%d):\n", len(remarks))
	for i, r := range remarks {
		if i == remarksShown {
			fmt.Fprintf(w, "  and %d more, which manifest.json names\n", len(remarks)-i)
			break
		}
		fmt.Fprintln(w, "  "+r)
	}
}

func sayContainers(w io.Writer, containers []vault.Container) {
	for _, c := range containers {
		if m := c.Media; m != nil {
			fmt.Fprintf(w, "Image %s: %d segments, media %s, sha256 %s\n  structure %s · chunks %s · media %s\n", c.Path, m.Segments, bytesText(m.Size), m.SHA256, m.Structure, m.Chunks, mediaText(m))
			for _, r := range m.DamagedRanges[:min(len(m.DamagedRanges), 10)] {
				fmt.Fprintf(w, "  damaged: bytes %d to %d of the media\n", r.From, r.To)
			}
			for _, text := range m.Complaints[:min(len(m.Complaints), 10)] {
				fmt.Fprintln(w, "  "+text)
			}
		} else if len(c.Members) > 0 {
			fmt.Fprintf(w, "%s %s: %d members\n", c.Kind, c.Path, len(c.Members))
		}
	}
}

func mediaText(m *vault.Media) string {
	text := m.Media
	if m.StoredMD5 != "" {
		text += " (MD5 " + m.MD5 + ", stored " + m.StoredMD5 + ")"
	}
	if m.StoredSHA1 != "" {
		text += " (SHA-1 " + m.SHA1 + ", stored " + m.StoredSHA1 + ")"
	}
	return text
}

type evidenceVerifyCmd struct {
	Path    string   `arg:"" help:"A bag, a working copy, the first segment of an image, or an archive."`
	Trust   []string `help:"A public key file whose seals you trust. Repeat it for several." type:"existingfile" placeholder:"FILE"`
	TSARoot []string `name:"tsa-root" help:"PEM certificates of a timestamp authority that you trust." type:"existingfile" placeholder:"FILE"`
	Head    string   `help:"The head of the custody log as it was kept elsewhere." placeholder:"N:HASH"`
	Shallow bool     `help:"Do not look into archives and images again."`
	Record  bool     `help:"Add a custody record that it was verified, and what came of it."`
	signing
}

const exitUntold = 2 // it could not be told whether it is whole

// Run verifies.
func (c *evidenceVerifyCmd) Run(ctx context.Context, e *env) error {
	err := c.run(ctx, e)
	var x *exitError
	if err == nil || errors.As(err, &x) {
		return err
	}
	return &exitError{code: exitUntold, err: err}
}

func (c *evidenceVerifyCmd) run(ctx context.Context, e *env) error {
	if _, err := os.Stat(filepath.Join(c.Path, "working-copy.json")); err == nil {
		return c.workingCopy(ctx, e)
	}
	if info, err := os.Stat(c.Path); err != nil || !info.IsDir() {
		return c.file(ctx, e)
	}
	job := vault.VerifyJob{Bag: c.Path, Shallow: c.Shallow, Progress: new(vault.Progress)}
	var err error
	if job.Children, err = containerPool(c.Shallow); err != nil {
		return err
	}
	for _, path := range c.Trust {
		key, err := vault.ReadPublicKey(path)
		if err != nil {
			return err
		}
		job.Trust = append(job.Trust, key)
	}
	for _, path := range c.TSARoot {
		pem, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		job.Roots = append(job.Roots, pem)
	}
	if c.Head != "" {
		h, err := vault.ParseHead(c.Head)
		if err != nil {
			return err
		}
		job.Head = &h
	}
	stop := tell(e.stderr, job.Progress)
	v, err := vault.VerifyEvidence(ctx, job)
	stop()
	if err != nil {
		return err
	}
	whole := sayVerdict(e.stdout, v)
	if c.Record {
		outcome := "whole"
		if whole == exitFailed {
			outcome = fmt.Sprintf("not whole: %d findings", len(v.Findings))
		}
		if err := c.record(c.Path, vault.Custody{Act: vault.ActVerified, Outcome: outcome}); err != nil {
			return err
		}
	}
	if whole != 0 {
		return &exitError{code: whole}
	}
	return nil
}

// record adds one record to a bag's custody log.
func (s signing) record(bag string, rec vault.Custody) (err error) {
	key, by, err := s.open()
	if err != nil {
		return err
	}
	log, err := vault.OpenCustody(bag, key)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	rec.At, rec.By, rec.Reason = time.Now().UTC().Format(time.RFC3339Nano), by, s.Reason
	_, _, err = log.Add(rec)
	return err
}

// sayVerdict prints a verdict and gives the exit code that it deserves.
func sayVerdict(w io.Writer, v vault.BagVerdict) int {
	fmt.Fprintf(w, "Case %s, sealed %s by %s\nManifest: sha256 %s\nRead again: %d files, %s\n", v.Manifest.Case, v.Manifest.Sealed, v.Manifest.By, v.Digest, v.Files, bytesText(v.Bytes))
	sayFindings(w, v.Findings)
	sayContainers(w, v.Containers)
	for _, r := range v.Remarks {
		fmt.Fprintln(w, "Remark: "+r)
	}
	fmt.Fprintf(w, "Signature: %s\n", v.Seal)
	if v.SealKey != "" {
		fmt.Fprintf(w, "  key %s\n", v.SealKey)
	}
	fmt.Fprintf(w, "Timestamp: %s\n", v.Stamp)
	if v.StampAt != "" {
		fmt.Fprintf(w, "  %s by %s\n", v.StampAt, v.StampBy)
	}
	if v.StampNote != "" {
		fmt.Fprintf(w, "  %s\n", v.StampNote)
	}
	sayCustody(w, v.Custody)
	switch {
	case !v.Whole():
		fmt.Fprintln(w, "NOT WHOLE: it is not what was sealed.")
		return exitFailed
	case v.Anchored():
		fmt.Fprintln(w, "WHOLE, and vouched for from outside of the bag.")
		return 0
	}
	fmt.Fprintln(w, "WHOLE, but SELF-ATTESTED: only what lies in the bag says so. Name a key that you trust (-trust), a timestamp authority (-tsa-root), or a head that was kept elsewhere (-head).")
	return exitSelfAttested
}

func sayFindings(w io.Writer, findings []vault.Finding) {
	for _, f := range findings {
		fmt.Fprintf(w, "%s %s", f.Kind, f.Path)
		for _, r := range f.Ranges[:min(len(f.Ranges), 20)] {
			fmt.Fprintf(w, " [bytes %d to %d]", r.From, r.To-1)
		}
		if len(f.Ranges) > 20 {
			fmt.Fprintf(w, " and %d more ranges", len(f.Ranges)-20)
		}
		if f.Note != "" {
			fmt.Fprintf(w, ": %s", f.Note)
		}
		fmt.Fprintln(w)
	}
}

func sayCustody(w io.Writer, c vault.CustodyVerdict) {
	fmt.Fprintf(w, "Custody: %d records, head %s\n", len(c.Records), c.Head)
	for _, f := range c.Faults {
		fmt.Fprintf(w, "  %s: %s\n", f.Kind, f.Note)
	}
	for _, n := range c.Notes {
		fmt.Fprintf(w, "  note: %s\n", n)
	}
}

// file reads an image or an archive that lies in no bag.
func (c *evidenceVerifyCmd) file(ctx context.Context, e *env) error {
	pool, err := containerPool(false)
	if err != nil {
		return err
	}
	got, err := vault.ReadContainer(ctx, pool, c.Path, vault.Limits{})
	if err != nil {
		return err
	}
	sayContainers(e.stdout, []vault.Container{got})
	if got.Outcome != "" {
		fmt.Fprintf(e.stdout, "%s: %s\n", got.Outcome, got.Note)
		return &exitError{code: exitFailed}
	}
	for _, m := range got.Members {
		if m.Outcome != "" {
			fmt.Fprintf(e.stdout, "%v: %s: %s\n", m.Name, m.Outcome, m.Note)
			return &exitError{code: exitFailed}
		}
	}
	fmt.Fprintln(e.stdout, "Whole by its own checksums.")
	return nil
}

type evidenceShowCmd struct {
	Bag   string `arg:"" help:"A bag." type:"existingdir"`
	Items bool   `help:"List every item and member with its SHA-256."`
}

// Run shows a bag.
func (c *evidenceShowCmd) Run(e *env) error {
	m, digest, err := vault.ReadManifest(c.Bag)
	if err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "Case %s\nManifest: sha256 %s\nBegun %s, sealed %s by %s with %s\nReason: %s\n", m.Case, digest, m.Begun, m.Sealed, m.By, m.Program, m.Reason)
	for _, s := range m.Sources {
		fmt.Fprintf(e.stdout, "Source: %s %s as %s\n", s.Kind, s.Given, s.Path)
	}
	counts, total := map[string]int{}, int64(0)
	for _, it := range m.Items {
		counts[it.Type]++
		total += it.Size
		if c.Items {
			fmt.Fprintf(e.stdout, "%-64s %12d %s %s\n", it.SHA256, it.Size, it.Type, it.Path)
		}
	}
	if c.Items {
		for _, k := range m.Containers {
			for _, mem := range k.Members {
				fmt.Fprintf(e.stdout, "%-64s %12d %s %s %q\n", mem.SHA256, mem.Size, mem.Type, k.Path, mem.Name)
			}
		}
	}
	fmt.Fprintf(e.stdout, "%d files, %d directories, %d links, %d others, %s\n", counts[vault.TypeFile], counts[vault.TypeDirectory], counts[vault.TypeLink], counts[vault.TypeOther], bytesText(total))
	sayContainers(e.stdout, m.Containers)
	sayRemarks(e.stdout, m.Remarks())
	records, err := vault.ReadCustody(c.Bag)
	for _, r := range records {
		fmt.Fprintf(e.stdout, "%4d %s %s by %s", r.N, r.At, r.Act, r.By)
		for _, p := range []struct{ word, text string }{{"from", r.From}, {"to", r.To}, {"outcome", r.Outcome}, {"reason", r.Reason}} {
			if p.text != "" {
				fmt.Fprintf(e.stdout, ", %s %s", p.word, p.text)
			}
		}
		fmt.Fprintln(e.stdout)
	}
	return err
}

type evidenceKeyCmd struct {
	Out string `name:"out" short:"o" help:"File to make; its public part is written beside it, with .pub." required:"" placeholder:"FILE"`
}

// Run makes a key.
func (c *evidenceKeyCmd) Run(e *env) error {
	key, err := vault.NewKey(c.Out)
	if err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "Made %s, which signs and stays with you, and %s.pub, which goes to whoever verifies.\nPublic key: %s\n", c.Out, c.Out, key.Public())
	return nil
}
