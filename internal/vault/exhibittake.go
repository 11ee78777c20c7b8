package vault

import (
	"context"
	"crypto/sha256"
	"io"
	"sync"
	"sync/atomic"
)

const (
	blockSize = 256 << 10
	blocks    = 8
)

// taken is what one reading of a file gave.
type taken struct {
	size     int64
	head     []byte // its first bytes, enough to tell its kind
	sha256   [sumSize]byte
	blake3   [sumSize]byte
	pieces   []byte
	readErr  error // what ended the reading early
	writeErr error
}

// headKept is how many first bytes tell the kind of a container: a tar's mark
// stands at 257.
const headKept = 512

// taker reads files, one at a time; a worker has one. Its buffers are kept.
type taker struct {
	plain bool // SHA-256 alone
	buf   []byte
}

// take reads at most size bytes of src, writes them to dst where there is one,
// and digests them, all in the one reading. noted is told of every block's end
// after it was written, and its error ends the reading.
func (t *taker) take(ctx context.Context, src io.Reader, size int64, dst io.Writer, noted func(at int64) error) taken {
	if t.buf == nil {
		t.buf = make([]byte, blocks*blockSize)
	}
	if size > PieceSize {
		return t.takeLong(ctx, src, size, dst, noted)
	}
	var out taken
	sha, b3 := sha256.New(), newBLAKE3()
	out.readErr = t.each(ctx, src, size, func() []byte { return t.buf[:blockSize] }, func(p []byte) error {
		out.note(p)
		if dst != nil {
			if _, out.writeErr = dst.Write(p); out.writeErr != nil {
				return out.writeErr
			}
		}
		sha.Write(p)
		if !t.plain {
			b3.Write(p)
		}
		return noted(out.size)
	})
	sha.Sum(out.sha256[:0])
	b3.Sum(out.blake3[:0])
	return out
}

func (t *taken) note(p []byte) {
	if t.size == 0 {
		t.head = append(t.head, p[:min(len(p), headKept)]...)
	}
	t.size += int64(len(p))
}

// each gives the blocks of a reading to fn.
func (t *taker) each(ctx context.Context, src io.Reader, size int64, buf func() []byte, fn func([]byte) error) error {
	for size > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		p := buf()
		n, err := io.ReadFull(src, p[:min(int64(len(p)), size)])
		size -= int64(n)
		if n > 0 {
			if err := fn(p[:n]); err != nil {
				return err
			}
		}
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return io.ErrUnexpectedEOF
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// block is a buffer that several read; the last gives it back.
type block struct {
	p    []byte
	left atomic.Int32
}

// takeLong does the same for a long file, each digest on a goroutine of its own.
func (t *taker) takeLong(ctx context.Context, src io.Reader, size int64, dst io.Writer, noted func(at int64) error) taken {
	var out taken
	sha, tree := sha256.New(), new(pieceSums)
	feeds := []io.Writer{sha}
	if !t.plain {
		feeds = append(feeds, tree)
	}
	free := make(chan *block, blocks)
	for i := range blocks {
		free <- &block{p: t.buf[i*blockSize : (i+1)*blockSize]}
	}
	var workers sync.WaitGroup
	queues := make([]chan []byte, len(feeds))
	held := make([]chan *block, len(feeds))
	for i, w := range feeds {
		queues[i], held[i] = make(chan []byte, blocks), make(chan *block, blocks)
		workers.Go(func() {
			for p := range queues[i] {
				_, _ = w.Write(p) // a digest takes everything
				if b := <-held[i]; b.left.Add(-1) == 0 {
					free <- b
				}
			}
		})
	}
	var b *block
	out.readErr = t.each(ctx, src, size, func() []byte { b = <-free; return b.p }, func(p []byte) error {
		out.note(p)
		if dst != nil {
			if _, out.writeErr = dst.Write(p); out.writeErr != nil {
				return out.writeErr
			}
		}
		b.left.Store(int32(len(feeds)))
		for i := range feeds {
			held[i] <- b
			queues[i] <- p
		}
		return noted(out.size)
	})
	for i := range queues {
		close(queues[i])
	}
	workers.Wait()
	sha.Sum(out.sha256[:0])
	if t.plain {
		return out
	}
	if out.size <= PieceSize {
		// It was shorter than it said; the tree still has its BLAKE3, and no pieces.
		out.blake3, _ = tree.Sum()
		return out
	}
	out.blake3, out.pieces = tree.Sum()
	return out
}
