// Package testkit holds what tests share: real things in small, never mocks. It is imported by tests, by e2e and by bench
// only; a test at the module root holds that. Its one invariant: nothing it starts or creates outlives the process that asked,
// whether that process ends well, panics or is killed.
package testkit
