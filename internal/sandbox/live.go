package sandbox

import "io"

// Live is the whole life of a child of a Pool: words are the arguments after the
// pool's command. It becomes another program, works on files, or does one task after
// another, and limits itself before it reads its first byte.
func Live(r io.Reader, w io.Writer, words []string, tasks map[string]Task, files map[string]FileTask) error {
	if len(words) > 1 {
		switch words[0] {
		case WordBecome:
			return Become(words[1], words[2:])
		case WordBecomeLong:
			return BecomeLong(words[1], words[2:])
		case WordFiles:
			return ServeFiles(r, w, words[1:], files)
		}
	}
	return Serve(r, w, Confine().With(tasks))
}

// Flush hands on what a FileTask has written so far, where somebody waits for it.
func Flush(out io.Writer) error {
	if f, ok := out.(interface{ Flush() error }); ok {
		return f.Flush()
	}
	return nil
}
