// Package sandbox does dangerous work in children that may die: the program
// itself, started again with nothing but two pipes. It knows nothing of the
// work; a task is a name, bytes in and bytes out.
//
// The invariant: whatever an input does, the parent gets the task's answer, its
// refusal, or word that the child is gone, within the time and size that it set.
// A child has limits on processor time, memory and files before it reads its
// first byte, and, where the kernel has them, no file system (Landlock) and no
// network, no files and no other programs (seccomp); Confine says which are in
// force. A child that broke a limit is killed, and the next input gets a new one.
package sandbox
