package vault

import (
	"context"
	"encoding/hex"
	"io/fs"
	"path/filepath"
	"runtime"

	"golang.org/x/sync/errgroup"
)

// Digest is what one file is.
type Digest struct {
	Path   string // as it was found
	Size   int64
	SHA256 string
	BLAKE3 string // empty where it was not asked for
	Err    error  // why it was not read to its end
}

// DigestTree digests every file under the paths, in the order of their names, and
// gives each to fn, one at a time. With plain it digests SHA-256 alone. Sources are
// read as a seal reads them, and nothing is kept.
func DigestTree(ctx context.Context, paths []string, plain bool, fn func(Digest) error) error {
	type job struct {
		path string
		out  chan Digest
	}
	workers := runtime.GOMAXPROCS(0)
	g, ctx := errgroup.WithContext(ctx)
	todo, inOrder := make(chan job), make(chan job, 256*workers)
	g.Go(func() error {
		defer close(todo)
		defer close(inOrder)
		for _, root := range paths {
			err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
				j := job{p, make(chan Digest, 1)}
				switch {
				case err != nil:
					j.out <- Digest{Path: p, Err: err}
				case !d.Type().IsRegular():
					return nil
				}
				for _, to := range []chan job{inOrder, todo} {
					if err != nil && to == todo {
						continue
					}
					select {
					case to <- j:
					case <-ctx.Done():
						return ctx.Err()
					}
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	for range workers {
		g.Go(func() error {
			t := taker{plain: plain}
			for j := range todo {
				j.out <- t.digest(ctx, j.path)
			}
			return nil
		})
	}
	g.Go(func() error {
		for j := range inOrder {
			select {
			case d := <-j.out:
				if err := fn(d); err != nil {
					return err
				}
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	return g.Wait()
}

func (t *taker) digest(ctx context.Context, path string) Digest {
	f, err := openSource(path)
	if err != nil {
		return Digest{Path: path, Err: err}
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return Digest{Path: path, Err: err}
	}
	got := t.take(ctx, f, info.Size(), nil, func(int64) error { return nil })
	d := Digest{Path: path, Size: got.size, SHA256: hex.EncodeToString(got.sha256[:]), Err: got.readErr}
	if !t.plain {
		d.BLAKE3 = hex.EncodeToString(got.blake3[:])
	}
	return d
}
