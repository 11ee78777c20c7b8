package e2e

import (
	"github.com/rogpeppe/go-internal/testscript"

	"concert/internal/testkit/s3server"
)

// s3InScript starts a server that speaks S3 and puts its address and keys into the environment, as an operator would; s3 BUCKET sets
// that variable to its bucket.
func s3InScript(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: s3 VARIABLE")
	}
	s, stop, err := s3server.Start()
	ts.Check(err)
	ts.Defer(stop)
	ts.Setenv(args[0], s3server.Bucket)
	ts.Setenv("CONCERT_S3_ENDPOINT", s.URL)
	ts.Setenv("CONCERT_S3_ACCESS_KEY", s3server.AccessKey)
	ts.Setenv("CONCERT_S3_SECRET_KEY", s3server.SecretKey)
}
