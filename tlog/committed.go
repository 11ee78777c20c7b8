package tlog

import "fmt"

// CheckCommitted verifies what a document says of one event: canonical with its
// salt is what commit commits to, and commit stands at index in the log at head.
// path is the audit path as the document carries it. Without canonical and salt
// the event is erased, and only its commitment is looked at.
//
// Errors: [ErrMalformed] for a value of the wrong length or an index outside the
// tree, [ErrProof] where one does not lead to the other.
func CheckCommitted(head Head, index int64, commit, salt, canonical []byte, path [][]byte) error {
	if len(commit) != HashSize {
		return fmt.Errorf("the commitment has %d bytes instead of %d: %w", len(commit), HashSize, ErrMalformed)
	}
	erased := len(canonical) == 0 && len(salt) == 0
	if !erased && len(salt) != SaltSize {
		return fmt.Errorf("the salt has %d bytes instead of %d: %w", len(salt), SaltSize, ErrMalformed)
	}
	if !erased && Commit(salt, canonical) != Hash(commit) {
		return fmt.Errorf("the event is not what its commitment commits to, it was changed after it was recorded: %w", ErrProof)
	}
	proof, err := Hashes("inclusion", path)
	if err != nil {
		return err
	}
	return CheckInclusion(proof, head.Size, head.Root, index, LeafHash(Hash(commit)))
}

// Hashes reads the hashes of a proof as a document carries it; of names the proof
// in the error, which is [ErrMalformed].
func Hashes(of string, raw [][]byte) ([]Hash, error) {
	if len(raw) > maxProofLen {
		return nil, fmt.Errorf("the %s proof has %d hashes, more than %d: %w", of, len(raw), maxProofLen, ErrMalformed)
	}
	out := make([]Hash, len(raw))
	for i, h := range raw {
		if len(h) != HashSize {
			return nil, fmt.Errorf("hash %d of the %s proof has %d bytes instead of %d: %w", i, of, len(h), HashSize, ErrMalformed)
		}
		out[i] = Hash(h)
	}
	return out, nil
}
