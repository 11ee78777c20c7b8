package casework

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"
	"time"

	"concert"
	"concert/internal/accesslog"
	"concert/internal/durable"
	"concert/internal/sandbox"
	"concert/internal/vault"
)

// What children do with an exhibit's files. Whoever wrote these logs may have meant
// them to break what reads them: neither their lines nor what they are packed in is
// looked at by the node itself.
const (
	taskLogs  = "logs"  // tells which files begin as access logs: a byte for each
	taskCount = "count" // counts them: countWords, one a line
)

// FileTasks are what children do for this package with files that are handed to
// them open: to tell access logs from other files, and to count them.
func FileTasks() map[string]sandbox.FileTask {
	return map[string]sandbox.FileTask{taskLogs: logsTask, taskCount: countTask}
}

const (
	// logsAtOnce is how many files one child looks at.
	logsAtOnce = 256
	// logsWall is how long it may take, and logsSeconds of a processor.
	logsWall    = 5 * time.Minute
	logsSeconds = 120

	isLog, isNone, isUnread = '+', '-', '!'

	// progressEach is how often a child says how far it is, at most.
	progressEach = 200 * time.Millisecond
)

func logsTask(_ []byte, files []*os.File, out io.Writer) error {
	for _, f := range files {
		is, err := accesslog.IsLogFile(f)
		word := byte(isNone)
		switch {
		case err != nil:
			word = isUnread
		case is:
			word = isLog
		}
		if _, err := out.Write([]byte{word}); err != nil {
			return err
		}
	}
	return nil
}

// whichAreLogs lets a child look how files begin; the error is the medium's, or the
// child's end.
func whichAreLogs(ctx context.Context, pool *sandbox.Pool, files []*os.File) ([]bool, error) {
	words := make([]byte, len(files))
	err := pool.ReadFiles(ctx, sandbox.OnFiles{Task: taskLogs, Files: files, Seconds: logsSeconds, Wall: logsWall}, func(r io.Reader) error {
		_, err := io.ReadFull(r, words)
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return sandbox.ErrGone
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	is := make([]bool, len(files))
	for i, w := range words {
		if w == isUnread {
			return nil, uncounted(concert.AnalysisUnread)
		}
		is[i] = w == isLog
	}
	return is, nil
}

// countJob is what a child counts: the files that follow the scratch file and, where
// it has one, the country database.
type countJob struct {
	Names   []string  `json:"names"`
	Format  string    `json:"format"`
	Now     time.Time `json:"now"`
	Workers int       `json:"workers"`
	Spill   int64     `json:"spill"`
	Geo     bool      `json:"geo"`
}

// countWord is a line of a child's answer: how far it is, its report, or why there
// is none. The last word of an answer is the report or the reason.
type countWord struct {
	Read   int64             `json:"read,omitempty"`
	Report *accesslog.Report `json:"report,omitempty"`
	Failed string            `json:"failed,omitempty"` // one of concert.AnalysisCodes, or an error's text
}

func countTask(in []byte, files []*os.File, out io.Writer) error {
	var job countJob
	if err := json.Unmarshal(in, &job); err != nil {
		return err
	}
	o := accesslog.Options{Workers: job.Workers, Format: job.Format, Now: job.Now, Spill: job.Spill, Scratch: files[0], Files: files[1:]}
	if job.Geo {
		var err error
		if o.Geo, err = accesslog.ReadGeo(files[1]); err != nil {
			return err
		}
		o.Files = files[2:]
	}
	enc := json.NewEncoder(out)
	var mu sync.Mutex // guards the answer and when it was last added to
	var last time.Time
	o.Progress = func(read, _ int64) {
		mu.Lock()
		defer mu.Unlock()
		if time.Since(last) < progressEach {
			return
		}
		last = time.Now()
		_ = errors.Join(enc.Encode(countWord{Read: read}), sandbox.Flush(out)) // who does not listen misses the report as well, and that is told
	}
	r, err := accesslog.Analyse(context.Background(), job.Names, o)
	word := countWord{Report: r}
	switch {
	case errors.Is(err, accesslog.ErrSpoolFull), errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		word = countWord{Failed: concert.AnalysisNoRoom}
	case err != nil:
		word = countWord{Failed: err.Error()}
	}
	mu.Lock()
	defer mu.Unlock()
	return enc.Encode(word)
}

// countInChild lets a child count files under names, and tells how far it is. The
// report is the child's word, but for how many inputs it has.
func (s *Service) countInChild(ctx context.Context, job countJob, logs []*os.File, progress func(int64)) (*accesslog.Report, error) {
	scratch, err := durable.Nameless("")
	if err != nil {
		return nil, err
	}
	defer scratch.Close()
	files := []*os.File{scratch}
	if s.Geo != nil {
		geo, err := durable.Nameless("")
		if err != nil {
			return nil, err
		}
		defer geo.Close()
		if _, err := s.Geo.WriteTo(geo); err != nil {
			return nil, err
		}
		job.Geo, files = true, append(files, geo)
	}
	in, err := json.Marshal(job)
	if err != nil {
		return nil, err
	}
	var r *accesslog.Report
	err = s.Children.ReadFiles(ctx, sandbox.OnFiles{Task: taskCount, In: in, Files: append(files, logs...), Seconds: int(analysisLimit.Seconds()) * job.Workers, Written: job.Spill, Wall: analysisLimit}, func(from io.Reader) error {
		lines := bufio.NewScanner(from)
		lines.Buffer(nil, analysisReportMost)
		for lines.Scan() {
			var w countWord
			if err := json.Unmarshal(lines.Bytes(), &w); err != nil {
				return sandbox.ErrGone
			}
			switch {
			case w.Failed == concert.AnalysisNoRoom:
				return uncounted(w.Failed)
			case w.Failed != "":
				return fmt.Errorf("count an exhibit's logs: %.200q", w.Failed)
			case w.Report != nil:
				r = w.Report
			default:
				progress(w.Read)
			}
		}
		if errors.Is(lines.Err(), bufio.ErrTooLong) {
			return uncounted(concert.AnalysisLong)
		}
		return lines.Err()
	})
	if err == nil && (r == nil || len(r.Inputs) != len(logs)) {
		err = sandbox.ErrGone
	}
	return r, err
}

// openAll opens files of an exhibit; whoever asked closes them, also after an error.
func openAll(held *vault.Held, items []vault.Item) ([]*os.File, error) {
	var files []*os.File
	for _, it := range items {
		f, err := held.Open(it)
		if err != nil {
			return files, err
		}
		files = append(files, f)
	}
	return files, nil
}

func closeAll(files []*os.File) {
	for _, f := range files {
		f.Close()
	}
}
