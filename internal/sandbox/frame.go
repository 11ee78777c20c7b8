package sandbox

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Frames: a request is a task's name and its input, an answer a status and what
// came of it, each as a 32-bit length, big endian, and so many bytes.
const (
	// InputMost bounds an input in bytes, replyMost an answer.
	InputMost = 256 << 20
	replyMost = 16 << 20
	nameMost  = 64

	statusDone    = 0
	statusRefused = 1
)

func writeFrame(w io.Writer, b []byte) error {
	var size [4]byte
	binary.BigEndian.PutUint32(size[:], uint32(len(b)))
	if _, err := w.Write(size[:]); err != nil {
		return err
	}
	_, err := w.Write(b)
	return err
}

func readFrame(r io.Reader, most int) ([]byte, error) {
	var size [4]byte
	if _, err := io.ReadFull(r, size[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(size[:])
	if int64(n) > int64(most) {
		return nil, fmt.Errorf("a frame of %d bytes, more than %d", n, most)
	}
	b := make([]byte, n)
	_, err := io.ReadFull(r, b)
	return b, err
}

// Task works on one input. Its error is told to who asked, as text.
type Task func(in []byte) ([]byte, error)

// Serve is a child's life: one task after the other, until its input ends.
// Confine comes before it.
func Serve(r io.Reader, w io.Writer, tasks map[string]Task) error {
	in := bufio.NewReader(r)
	for {
		name, err := readFrame(in, nameMost)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		input, err := readFrame(in, InputMost)
		if err != nil {
			return err
		}
		status, out := byte(statusDone), []byte(nil)
		if task, ok := tasks[string(name)]; !ok {
			err = fmt.Errorf("there is no task %q", name)
		} else {
			out, err = task(input)
		}
		if err == nil && len(out) > replyMost {
			err = errors.New("the answer is too long")
		}
		if err != nil {
			text := err.Error()
			status, out = statusRefused, []byte(text[:min(len(text), 1000)])
		}
		if _, err := w.Write([]byte{status}); err != nil {
			return err
		}
		if err := writeFrame(w, out); err != nil {
			return err
		}
	}
}
