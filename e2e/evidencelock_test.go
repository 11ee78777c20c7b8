package e2e

import (
	"os"

	"filippo.io/age"
	"github.com/rogpeppe/go-internal/testscript"
)

// ageKey makes a key as age-keygen does: agekey NAME. There is then NAME.txt, and its public key is in the variable AGE_NAME.
func ageKey(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: agekey NAME")
	}
	k, err := age.GenerateX25519Identity()
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".txt"), []byte("# EXERCISE\n"+k.String()+"\n"), 0o600))
	ts.Setenv("AGE_"+args[0], k.Recipient().String())
}
