package tlog_test

import (
	"bytes"
	"errors"
	"testing"

	"concert/tlog"
)

func TestCheckCommitted(t *testing.T) {
	t.Parallel()
	salt, text := bytes.Repeat([]byte{7}, tlog.SaltSize), []byte(`{"EXERCISE":true}`)
	commit := tlog.Commit(salt, text)
	head := tlog.Head{Size: 1, Root: tlog.LeafHash(commit)}
	for name, c := range map[string]struct {
		index              int64
		commit, salt, text []byte
		path               [][]byte
		want               error
	}{
		"whole":             {0, commit[:], salt, text, nil, nil},
		"erased":            {0, commit[:], nil, nil, nil, nil},
		"another text":      {0, commit[:], salt, []byte("{}"), nil, tlog.ErrProof},
		"no text":           {0, commit[:], salt, nil, nil, tlog.ErrProof},
		"no salt":           {0, commit[:], nil, text, nil, tlog.ErrMalformed},
		"a longer salt":     {0, commit[:], append(salt[:len(salt):len(salt)], 0), text, nil, tlog.ErrMalformed},
		"a short commit":    {0, commit[:31], salt, text, nil, tlog.ErrMalformed},
		"a hash too many":   {0, commit[:], salt, text, [][]byte{commit[:]}, tlog.ErrProof},
		"a hash too short":  {0, commit[:], salt, text, [][]byte{commit[1:]}, tlog.ErrMalformed},
		"many hashes":       {0, commit[:], salt, text, make([][]byte, 200), tlog.ErrMalformed},
		"outside":           {1, commit[:], salt, text, nil, tlog.ErrMalformed},
		"before":            {-1, commit[:], salt, text, nil, tlog.ErrMalformed},
		"another's, erased": {0, bytes.Repeat([]byte{1}, 32), nil, nil, nil, tlog.ErrProof},
	} {
		if err := tlog.CheckCommitted(head, c.index, c.commit, c.salt, c.text, c.path); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}
