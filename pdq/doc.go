// Package pdq computes PDQ, the perceptual hash of pictures that platforms and
// hash lists exchange: 256 bits that stay nearly the same when a picture is
// encoded anew, scaled, brightened or lightly marked. It knows nothing of files;
// pictures come in as an [image.Image] or row by row as brightness.
//
// The invariant: the same pixels give the same bits as the reference
// implementation, on every processor, in whatever way they were handed in. Every
// float32 operation is the reference's own, in its order, and none is fused; the
// vector code does the same operations for several rows or columns side by side.
//
// The source is the reference implementation in C++ of
// https://github.com/facebook/ThreatExchange (pdq/cpp, BSD) and its paper "The
// TMK+PDQF Video-Hashing Algorithm and the PDQ Image-Hashing Algorithm" (2019).
// Pictures are hashed at their full size, as the Python bindings do it that most
// exchanges use. The reference's command-line tool scales them to 512 by 512
// points first and gives other values, usually 2 to 12 bits away.
//
// Two pictures are alike where their hashes differ in at most [Near] bits, and
// a hash of a quality below [QualityLeast] says too little to be compared. A
// picture that was turned or mirrored is found by asking for all eight
// [Digest.Orientations]: they cost no second transform. No smallest of the eight
// can stand for all, since a few bits that differ choose another one.
package pdq
