package vault

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"
)

const (
	journalName = "journal.jsonl"
	// A batch of what was copied is made durable once it has so many bytes or files,
	// or is so old: one wait of the disk for all of it.
	batchBytesMost = 256 << 20
	batchFilesMost = 4096
	batchAgeMost   = 2 * time.Second
)

// entry is one line of a seal's journal; one field is set.
type entry struct {
	Begun     *begun     `json:"begun,omitempty"`
	Done      *done      `json:"done,omitempty"`
	Part      *part      `json:"part,omitempty"`
	Container *Container `json:"container,omitempty"`
}

// begun says what is being sealed; a seal goes on only with the same.
type begun struct {
	Format  string   `json:"format"`
	Case    string   `json:"case"`
	By      string   `json:"by"`
	Reason  string   `json:"reason"`
	At      string   `json:"at"`
	Sources []Source `json:"sources"`
}

// seen is what tells that a source's file is the one that was read.
type seen struct {
	Size     int64  `json:"size"`
	Modified int64  `json:"modified"` // nanoseconds
	Inode    uint64 `json:"inode"`
}

// done is a file that is copied, digested and durable.
type done struct {
	Item   Item   `json:"item"`
	Seen   seen   `json:"seen"`
	Pieces []byte `json:"pieces,omitempty"`
	Kind   string `json:"kind,omitempty"` // of the container that it is, by its first bytes
}

// part is how far a long file is durable.
type part struct {
	Path string `json:"path"`
	Seen seen   `json:"seen"`
	At   int64  `json:"at"`
}

// journal remembers what a seal has done. A line is written only after all that
// it speaks of is on the disk.
type journal struct {
	mu    sync.Mutex
	dir   *os.File
	file  *os.File
	wait  bytes.Buffer // lines that are not written yet
	bytes int64
	batch int64 // so many bytes are made durable together
	files int
	since time.Time

	begun      *begun
	done       map[string]*done
	parts      map[string]part
	containers map[string]*Container
}

// openJournal opens the journal of the seal in dir and reads what it has. A torn
// last line is what a crash leaves; it is cut off.
func openJournal(dir string, batch int64) (_ *journal, err error) {
	j := &journal{batch: min(batch, batchBytesMost), done: map[string]*done{}, parts: map[string]part{}, containers: map[string]*Container{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, j.close())
		}
	}()
	if j.dir, err = os.Open(dir); err != nil {
		return nil, err
	}
	if j.file, err = os.OpenFile(filepath.Join(dir, journalName), os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return nil, err
	}
	whole, err := j.read()
	if err != nil {
		return nil, err
	}
	if err := j.file.Truncate(whole); err != nil {
		return nil, err
	}
	_, err = j.file.Seek(whole, io.SeekStart)
	return j, err
}

// read takes the lines in and says how long the whole ones are together.
func (j *journal) read() (whole int64, err error) {
	in := bufio.NewReaderSize(j.file, 1<<20)
	for n := 1; ; n++ {
		line, err := in.ReadBytes('\n')
		if err == io.EOF {
			return whole, nil
		}
		if err != nil {
			return 0, err
		}
		var e entry
		if err := json.Unmarshal(line, &e); err != nil {
			return 0, fmt.Errorf("line %d of the journal %s is broken, which no crash does: remove the directory to begin anew: %w", n, j.file.Name(), err)
		}
		whole += int64(len(line))
		switch {
		case e.Begun != nil:
			j.begun = e.Begun
		case e.Done != nil:
			j.done[e.Done.Item.Path] = e.Done
		case e.Part != nil:
			j.parts[e.Part.Path] = *e.Part
		case e.Container != nil:
			j.containers[e.Container.Path] = e.Container
		}
	}
}

// add remembers an entry about so many bytes that were written since the last
// about the same file, and makes the batch durable once it is large or old.
func (j *journal) add(e entry, written int64) error {
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.wait.Len() == 0 {
		j.since = time.Now()
	}
	j.wait.Write(append(line, '\n'))
	j.bytes += written
	j.files++
	if j.bytes < j.batch && j.files < batchFilesMost && time.Since(j.since) < batchAgeMost {
		return nil
	}
	return j.flush()
}

// sync makes all entries durable.
func (j *journal) sync() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.flush()
}

func (j *journal) flush() error {
	if j.wait.Len() == 0 {
		return nil
	}
	if err := syncAll(j.dir); err != nil {
		return err
	}
	if _, err := j.file.Write(j.wait.Bytes()); err != nil {
		return err
	}
	if err := j.file.Sync(); err != nil {
		return err
	}
	j.wait.Reset()
	j.bytes, j.files = 0, 0
	return nil
}

func (j *journal) close() error {
	var errs []error
	for _, f := range []*os.File{j.file, j.dir} {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	return errors.Join(errs...)
}

// seenOf is what tells a file from another or a later one.
func seenOf(info fs.FileInfo, size int64) seen {
	return seen{size, info.ModTime().UnixNano(), inode(info)}
}
