// Package witness is somebody outside who watches transparency logs: it cosigns
// a checkpoint once it has checked that the log goes on from the one it cosigned
// before, over the public protocol https://c2sp.org/tlog-witness. It holds the
// witness's memory on the disk, its HTTP side, and the client that a log asks
// with. It sees sizes, roots and signatures, never an event.
//
// The invariant: of one log it never cosigns two checkpoints of which one is not
// the beginning of the other. So what it cosigned is on the disk before anybody
// sees the cosignature, and two processes never share its directory.
package witness
