//go:build !linux || !(amd64 || arm64)

package sandbox

import "errors"

// Confine cannot limit this process here, and says so.
func Confine() Report {
	return Report{Landlock: "not on this system", Seccomp: "not on this system"}
}

// ConfineFor cannot, either.
func ConfineFor(seconds, written, files uint64) Report { return Confine() }

// Become cannot limit a program here, and runs none.
func Become(string, []string) error {
	return errors.New("programs cannot be limited on this system, so none is run")
}

// BecomeLong runs none, either.
func BecomeLong(program string, args []string) error { return Become(program, args) }
