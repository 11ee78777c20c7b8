package tlog_test

import (
	"fmt"
	"log"

	"concert/tlog"

	"golang.org/x/mod/sumdb/note"
)

// An outsider verifies that one event stands in the log. From the log's
// operator they have had its public key and origin for long; now they are
// given the event, its salt and its index, and fetch the checkpoint and the
// tiles, from anywhere.
func Example() {
	vkey, event, salt, index, fetch := exerciseLog()

	verifier, err := tlog.NewVerifier(vkey)
	if err != nil {
		log.Fatal(err)
	}
	signed, err := fetch("checkpoint")
	if err != nil {
		log.Fatal(err)
	}
	checkpoint, _, err := tlog.OpenCheckpoint(signed, "concert.example.org/exercise", note.VerifierList(verifier))
	if err != nil {
		log.Fatal(err)
	}
	proof, err := tlog.InclusionProof(checkpoint.Size, index, func(t tlog.TileID) ([]byte, error) {
		return fetch(t.Path())
	})
	if err != nil {
		log.Fatal(err)
	}
	leaf := tlog.LeafHash(tlog.Commit(salt, event))
	if err := tlog.CheckInclusion(proof, checkpoint.Size, checkpoint.Root, index, leaf); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("event %d of %d is in the log\n", index, checkpoint.Size)

	leaf = tlog.LeafHash(tlog.Commit(salt, []byte(`{"kind":"referral.sent","mark":"EXERCISE","items":2}`)))
	fmt.Println("another event:", tlog.CheckInclusion(proof, checkpoint.Size, checkpoint.Root, index, leaf) == nil)
	// Output:
	// event 400 of 1000 is in the log
	// another event: false
}

// exerciseLog makes an invented log of 1,000 events and plays its server.
func exerciseLog() (vkey string, event, salt []byte, index int64, fetch func(path string) ([]byte, error)) {
	event, salt, index = []byte(`{"kind":"referral.sent","mark":"EXERCISE","items":1}`), make([]byte, tlog.SaltSize), 400
	leaves := leafHashes(0, 1000)
	leaves[index] = tlog.LeafHash(tlog.Commit(salt, event))
	head, tiles, err := tlog.Grow(tlog.Empty(), leaves, nil)
	if err != nil {
		log.Fatal(err)
	}
	skey, vkey, err := tlog.GenerateKey("concert.example.org/exercise")
	if err != nil {
		log.Fatal(err)
	}
	signer, err := tlog.NewSigner(skey)
	if err != nil {
		log.Fatal(err)
	}
	signed, err := tlog.SignCheckpoint(tlog.Checkpoint{Origin: signer.Name(), Head: head}, signer)
	if err != nil {
		log.Fatal(err)
	}
	served := map[string][]byte{"checkpoint": signed}
	for _, t := range tiles {
		served[t.Path()] = t.Data
	}
	return vkey, event, salt, index, func(path string) ([]byte, error) {
		data, ok := served[path]
		if !ok {
			return nil, fmt.Errorf("404 %s", path)
		}
		return data, nil
	}
}
