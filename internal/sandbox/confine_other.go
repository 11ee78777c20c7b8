//go:build !linux || !(amd64 || arm64)

package sandbox

// Confine cannot limit this process here, and says so.
func Confine() Report {
	return Report{Landlock: "not on this system", Seccomp: "not on this system"}
}
