package vault

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/zeebo/blake3"
)

// Two libraries, one of them only for its tree's inside: what we put together is what the other says of the whole.
func TestPiecesMakeTheBLAKE3OfTheirFile(t *testing.T) {
	t.Parallel()
	r := rand.NewChaCha8([32]byte{7})
	sizes := []int{0, 1, 1023, 1024, 1025, groupSize - 1, groupSize, groupSize + 1, PieceSize - 1, PieceSize, PieceSize + 1, 2*PieceSize - 1, 2 * PieceSize, 2*PieceSize + groupSize + 7, 3 * PieceSize, 5*PieceSize + 1, 8*PieceSize + 12345}
	for _, n := range sizes {
		b := make([]byte, n)
		_, _ = r.Read(b)
		for _, step := range []int{n + 1, 100_003, groupSize, 4096} {
			var s pieceSums
			for p := b; len(p) > 0; {
				k := min(step, len(p))
				_, _ = s.Write(p[:k])
				p = p[k:]
			}
			sum, pieces := s.Sum()
			if sum != blake3.Sum256(b) {
				t.Fatalf("%d bytes by %d: %x, wanted %x", n, step, sum, blake3.Sum256(b))
			}
			if int64(len(pieces)) != sumSize*pieceCount(int64(n)) {
				t.Fatalf("%d bytes have %d bytes of digests", n, len(pieces))
			}
			for i := range pieceCount(int64(n)) {
				from := i * PieceSize
				if got := pieceSum(i, b[from:min(from+PieceSize, int64(n))]); !bytes.Equal(got, pieces[i*sumSize:(i+1)*sumSize]) {
					t.Fatalf("piece %d of %d bytes alone is %x", i, n, got)
				}
			}
		}
	}
}
