package casework

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"runtime"
	"slices"
	"sync/atomic"
	"syscall"
	"time"

	"concert"
	"concert/internal/accesslog"
	"concert/internal/formats"
	"concert/internal/sandbox"
	"concert/internal/store"
	"concert/internal/vault"
)

const (
	// analysisLimit is how long one reading of an exhibit may take: some ten terabytes
	// of logs.
	analysisLimit = 12 * time.Hour
	// analysisLooks is how often nodes look for bytes that they do not have: where
	// several have some each, the one that has these is found by then.
	analysisLooks = 12
	analysisTick  = time.Second
	// analysisSpill is how much of tables that outgrow memory goes to a temporary file.
	analysisSpill = 16 << 30
	// analysisReportMost is the most bytes of a report that is kept.
	analysisReportMost = 4 << 20
)

// errNoBytes makes the queue ask again, this node or another.
var errNoBytes = errors.New("this node does not have the exhibit's bytes")

// errEnded says that an analysis ended while it was at work: it was dropped, or
// another node was faster.
var errEnded = errors.New("the analysis has ended")

// uncounted is why an analysis has no report: one of concert.AnalysisCodes.
type uncounted string

// Error is the code.
func (u uncounted) Error() string { return string(u) }

// analyseExhibit is the job: it finds the exhibit's bytes on this node, compares
// each log with the manifest and counts them. A crash leaves nothing but the row,
// from which the queue begins anew; what was read meanwhile is forgotten.
func (s *Service) analyseExhibit(ctx context.Context, j concert.AnalyseExhibit) error {
	var a concert.Analysis
	var x concert.Exhibit
	var c concert.Case
	err := s.DB.View(ctx, func(tx *store.Tx) (err error) {
		a, x, c, err = analysisWhole(ctx, tx, j.Analysis)
		return err
	})
	if errors.Is(err, concert.ErrNotFound) || err == nil && !a.Open() {
		return nil
	}
	if err != nil {
		return err
	}
	if !a.Standing(x, c, s.now()) {
		return s.endAnalysis(ctx, j.Analysis, uncounted(concert.AnalysisHandedOn), concert.AnalysisResult{}, nil)
	}
	held, err := vault.FindHeld(s.Exhibits, x.Manifest)
	if err != nil {
		if !errors.Is(err, vault.ErrNotHeld) {
			s.Log.Error("the directory of exhibits cannot be read", "err", err)
		}
		return s.noBytes(ctx, a)
	}
	defer held.Close()
	a, may := a.Began()
	if !may {
		return s.endAnalysis(ctx, j.Analysis, uncounted(concert.AnalysisDied), concert.AnalysisResult{}, nil)
	}
	if err := s.moveAnalysis(ctx, a); err != nil {
		return quietlyEnded(err)
	}
	report, result, err := s.countExhibit(ctx, held, a)
	if ctx.Err() != nil && !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return errors.Join(ctx.Err(), quietlyEnded(s.moveAnalysis(context.WithoutCancel(ctx), a.Halted())))
	}
	var why uncounted
	switch {
	case errors.Is(err, errEnded):
		return nil
	case errors.As(err, &why), err == nil:
		return s.endAnalysis(ctx, j.Analysis, why, result, report)
	}
	return err
}

func analysisWhole(ctx context.Context, tx *store.Tx, id concert.AnalysisID) (a concert.Analysis, x concert.Exhibit, c concert.Case, err error) {
	if a, err = tx.Analysis(ctx, id); err != nil {
		return a, x, c, err
	}
	if x, err = tx.Exhibit(ctx, string(a.Exhibit)); err != nil {
		return a, x, c, err
	}
	c, err = tx.Case(ctx, string(a.Case))
	return a, x, c, err
}

// noBytes counts a look in vain, and ends the analysis after the last.
func (s *Service) noBytes(ctx context.Context, a concert.Analysis) error {
	a.Looks++
	if a.Looks >= analysisLooks || s.DB.Alone() {
		return s.endAnalysis(ctx, a.ID, uncounted(concert.AnalysisNoCopy), concert.AnalysisResult{}, nil)
	}
	if err := s.moveAnalysis(ctx, a); err != nil {
		return quietlyEnded(err)
	}
	return errNoBytes
}

func (s *Service) moveAnalysis(ctx context.Context, a concert.Analysis) error {
	err := s.DB.Update(ctx, func(tx *store.Tx) error { return tx.MoveAnalysis(ctx, a) })
	if errors.Is(err, concert.ErrStale) {
		return errEnded
	}
	return err
}

func quietlyEnded(err error) error {
	if errors.Is(err, errEnded) {
		return nil
	}
	return err
}

// endAnalysis records what came of it, with the report where there is one. An
// analysis that ended meanwhile stays as it is.
func (s *Service) endAnalysis(ctx context.Context, id concert.AnalysisID, why uncounted, r concert.AnalysisResult, report []byte) error {
	return s.retryStale(ctx, func(tx *store.Tx) error {
		a, x, c, err := analysisWhole(ctx, tx, id)
		if err != nil {
			return err
		}
		if !a.Open() {
			return nil
		}
		why, kept := why, report
		if !a.Standing(x, c, s.now()) {
			why = uncounted(concert.AnalysisHandedOn)
		}
		var next concert.Analysis
		var e concert.Event
		if why == "" {
			next, e = a.Counted(r, x, c, s.now())
		} else {
			kept = nil
			next, e = a.Stopped(string(why), x, c, s.now())
		}
		tx.Record(e)
		return tx.SaveAnalysis(ctx, next, kept)
	})
}

// countExhibit reads the analysis's logs twice: to compare them with the manifest,
// and to count them under a key that is drawn for it and kept nowhere. It gives the
// report as it is kept.
func (s *Service) countExhibit(ctx context.Context, held *vault.Held, a concert.Analysis) ([]byte, concert.AnalysisResult, error) {
	none := concert.AnalysisResult{}
	items, err := s.logsOf(ctx, held, a.Files)
	if err != nil {
		return nil, none, err
	}
	if len(items) > concert.AnalysisLogsMost {
		return nil, none, uncounted(concert.AnalysisMany)
	}
	for _, it := range items {
		a.All += 2 * it.Size
	}
	ctx, cancel := context.WithCancelCause(ctx)
	var read atomic.Int64
	ended := make(chan struct{})
	defer func() { cancel(nil); <-ended }()
	go func() {
		defer close(ended)
		s.followAnalysis(ctx, cancel, a, &read)
	}()
	seen := make([]fs.FileInfo, len(items))
	names := make([]string, len(items))
	for i, it := range items {
		if seen[i], err = held.Check(ctx, it, func(n int64) { read.Add(n) }); err != nil {
			return nil, none, whyUnread(ctx, err)
		}
		names[i] = it.Path
	}
	files, err := openAll(held, items)
	defer closeAll(files)
	if err != nil {
		return nil, none, whyUnread(ctx, err)
	}
	checked := read.Load()
	job := countJob{Names: names, Format: a.Format, Now: s.now(), Workers: max(1, runtime.GOMAXPROCS(0)/2), Spill: analysisSpill}
	r, err := s.countInChild(ctx, job, files, func(n int64) { read.Store(checked + max(n, 0)) })
	if err != nil {
		return nil, none, whyUncounted(ctx, err)
	}
	for i, it := range items {
		counted, err := files[i].Stat()
		if err != nil || !os.SameFile(counted, seen[i]) || !held.Same(it, seen[i]) {
			return nil, none, uncounted(concert.AnalysisMoved)
		}
		switch in := &r.Inputs[i]; in.Outcome {
		case accesslog.Shrank, accesslog.Vanished, accesslog.NotRegular:
			return nil, none, uncounted(concert.AnalysisMoved)
		case accesslog.NoPermission, accesslog.Failed:
			return nil, none, uncounted(concert.AnalysisUnread)
		default:
			in.File = it.Path
		}
	}
	var raw bytes.Buffer
	if err := formats.WriteReportJSON(&raw, r); err != nil {
		return nil, none, err
	}
	if raw.Len() > analysisReportMost {
		return nil, none, uncounted(concert.AnalysisLong)
	}
	sum := sha256.Sum256(raw.Bytes())
	out := concert.AnalysisResult{Report: hex.EncodeToString(sum[:]), Work: held.Work, Files: r.Files, Lines: concert.AnalysisLines{Lines: r.Lines, Parsed: r.Parsed, Rejected: r.Rejected, Blank: r.Blank},
		Visitors: r.Visitors.IP.WithBots, Parser: r.Version, BotRule: r.BotRule.Version}
	if r.Geo != nil {
		out.Geo, out.GeoBuild = r.Geo.SHA256, r.Geo.Build
	}
	return raw.Bytes(), out, nil
}

// followAnalysis writes now and then how far it is, and ends the work of an analysis
// that was dropped. What could not be written is written with the next.
func (s *Service) followAnalysis(ctx context.Context, cancel context.CancelCauseFunc, a concert.Analysis, read *atomic.Int64) {
	t := time.NewTicker(analysisTick)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		a.Done = min(read.Load(), a.All)
		if err := s.moveAnalysis(ctx, a); errors.Is(err, errEnded) {
			cancel(errEnded)
			return
		}
	}
}

// logsOf are the files to count: those named, or all that begin as access logs. A
// file that is missing, or has another size, is no longer what was sealed, whatever
// it was.
func (s *Service) logsOf(ctx context.Context, held *vault.Held, named []string) ([]vault.Item, error) {
	var out []vault.Item
	for _, path := range named {
		it, ok := held.File(path)
		if !ok {
			return nil, uncounted(concert.AnalysisNoFile)
		}
		out = append(out, it)
	}
	if len(named) > 0 {
		return out, nil
	}
	for some := range slices.Chunk(held.Files(), logsAtOnce) {
		found, err := s.logsAmong(ctx, held, some)
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
	}
	if len(out) == 0 {
		return nil, uncounted(concert.AnalysisNoLogs)
	}
	return out, nil
}

func (s *Service) logsAmong(ctx context.Context, held *vault.Held, items []vault.Item) (logs []vault.Item, err error) {
	files, err := openAll(held, items)
	defer closeAll(files)
	if err != nil {
		return nil, whyUnread(ctx, err)
	}
	for i, f := range files {
		info, err := f.Stat()
		if err != nil {
			return nil, whyUnread(ctx, err)
		}
		if info.Size() != items[i].Size {
			return nil, uncounted(concert.AnalysisAltered)
		}
	}
	are, err := whichAreLogs(ctx, s.Children, files)
	if err != nil {
		return nil, whyUncounted(ctx, err)
	}
	for i, it := range items {
		if are[i] {
			logs = append(logs, it)
		}
	}
	return logs, nil
}

// whyUnread names what stops the reading of a file. Paths stay out of it.
func whyUnread(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(err, vault.ErrAltered), errors.Is(err, fs.ErrNotExist):
		return uncounted(concert.AnalysisAltered)
	}
	return uncounted(concert.AnalysisUnread)
}

func whyUncounted(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(err, sandbox.ErrGone):
		return uncounted(concert.AnalysisBroke)
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return uncounted(concert.AnalysisNoRoom)
	}
	return err
}
