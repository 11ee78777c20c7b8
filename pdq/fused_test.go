package pdq

import (
	"bytes"
	"os"
	"os/exec"
	"regexp"
	"testing"
)

// Processors that can multiply and add in one step round once where the
// reference rounds twice, and Go uses them where it may.
func TestNothingIsFused(t *testing.T) {
	t.Parallel()
	fused := regexp.MustCompile(`\tFN?M(ADD|SUB)[SD]?\t|\tVFN?M(ADD|SUB)|\tFM(ADD|SUB)S?\t`)
	for _, arch := range []string{"arm64", "ppc64le", "s390x"} {
		cmd := exec.Command("go", "build", "-gcflags=-S", "concert/pdq")
		cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH="+arch, "CGO_ENABLED=0")
		text, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", arch, err, text)
		}
		if !bytes.Contains(text, []byte("pdq.transformPlain STEXT")) {
			t.Fatalf("%s: the compiler printed no code", arch)
		}
		for line := range bytes.Lines(text) {
			if fused.Match(line) {
				t.Errorf("%s: %s", arch, line)
			}
		}
	}
}
