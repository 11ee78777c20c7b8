package sandbox

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// hostileFiles are what an input might make a reader of open files do.
var hostileFiles = map[string]FileTask{
	"copy": func(in []byte, files []*os.File, out io.Writer) error {
		_, _ = out.Write(in)
		for _, f := range files {
			if _, err := io.Copy(out, io.NewSectionReader(f, 0, 1<<20)); err != nil {
				return err
			}
		}
		return nil
	},
	"reach": func(in []byte, files []*os.File, out io.Writer) error {
		if _, err := os.ReadFile(string(in)); err == nil {
			_, _ = io.WriteString(out, "another file was opened")
		}
		if _, err := files[0].WriteAt([]byte("x"), 0); err == nil {
			_, _ = io.WriteString(out, "its file was written")
		}
		return nil
	},
	"fill": func(in []byte, files []*os.File, out io.Writer) error {
		if _, err := files[0].WriteAt(make([]byte, len(in)), 0); err != nil {
			return err
		}
		_, err := io.WriteString(out, "filled")
		return err
	},
	"spin": func([]byte, []*os.File, io.Writer) error {
		for n := 0; ; n++ {
			_ = n
		}
	},
	"panic": func([]byte, []*os.File, io.Writer) error { panic("hostile") },
	"fail":  func([]byte, []*os.File, io.Writer) error { return errors.New("no") },
	"flood": func(_ []byte, _ []*os.File, out io.Writer) error {
		for {
			if _, err := out.Write(make([]byte, 1<<20)); err != nil {
				return err
			}
		}
	},
}

func TestAChildReadsTheFilesThatItWasHandedAndNoOther(t *testing.T) {
	t.Parallel()
	p := newPool(t)
	path := filepath.Join(t.TempDir(), "EXERCISE")
	var files []*os.File
	for _, name := range []string{"a", "b"} {
		if err := os.WriteFile(path+name, []byte("EXERCISE "+name+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := os.Open(path + name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		files = append(files, f)
	}
	ask := func(task, in string, wall time.Duration) (string, error) {
		var got bytes.Buffer
		err := p.ReadFiles(t.Context(), OnFiles{Task: task, In: []byte(in), Files: files, Seconds: 5, Wall: wall}, func(r io.Reader) error {
			_, err := io.Copy(&got, r)
			return err
		})
		return got.String(), err
	}
	if out, err := ask("copy", "in ", time.Minute); err != nil || out != "in EXERCISE a\nEXERCISE b\n" {
		t.Errorf("%q, %v", out, err)
	}
	if out, err := ask("reach", path+"b", time.Minute); err != nil || out != "" {
		t.Errorf("%s, %v", out, err)
	}
	for _, task := range []string{"panic", "fail", "unheard"} {
		if _, err := ask(task, "", time.Minute); !errors.Is(err, ErrGone) {
			t.Errorf("%s: %v", task, err)
		}
	}
	if _, err := ask("spin", "", 300*time.Millisecond); !errors.Is(err, ErrGone) {
		t.Errorf("too long: %v", err)
	}
	enough := errors.New("enough")
	err := p.ReadFiles(t.Context(), OnFiles{Task: "flood", Seconds: 60, Wall: time.Minute}, func(r io.Reader) error {
		_, err := io.CopyN(io.Discard, r, 4<<20)
		return errors.Join(err, enough)
	})
	if !errors.Is(err, enough) || strings.Contains(err.Error(), "EOF") {
		t.Errorf("what is not read on: %v", err)
	}
}

// What a child may lay down in a file that it was handed for that is bounded.
func TestAChildWritesNoMoreThanItMay(t *testing.T) {
	t.Parallel()
	p := newPool(t)
	f, err := os.Create(filepath.Join(t.TempDir(), "EXERCISE"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, c := range []struct {
		written, size int64
		want          string
		err           error
	}{{0, 10, "", ErrGone}, {100, 100, "filled", nil}, {100, 101, "", ErrGone}} {
		var got bytes.Buffer
		err := p.ReadFiles(t.Context(), OnFiles{Task: "fill", In: make([]byte, c.size), Files: []*os.File{f}, Seconds: 5, Written: c.written, Wall: time.Minute}, func(r io.Reader) error {
			_, err := io.Copy(&got, r)
			return err
		})
		if got.String() != c.want || !errors.Is(err, c.err) {
			t.Errorf("%d bytes of %d: %q, %v", c.size, c.written, got.String(), err)
		}
	}
}

// More files than a child could open itself may be handed to it.
func TestAChildIsHandedManyFiles(t *testing.T) {
	t.Parallel()
	const many = 1000
	files := make([]*os.File, many)
	path := filepath.Join(t.TempDir(), "EXERCISE")
	if err := os.WriteFile(path, []byte("."), 0o600); err != nil {
		t.Fatal(err)
	}
	for i := range files {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		files[i] = f
	}
	var got bytes.Buffer
	err := newPool(t).ReadFiles(t.Context(), OnFiles{Task: "copy", Files: files, Seconds: 5, Wall: time.Minute}, func(r io.Reader) error {
		_, err := io.Copy(&got, r)
		return err
	})
	if err != nil || got.Len() != many {
		t.Errorf("%d bytes of %d files, %v", got.Len(), many, err)
	}
}
