// Package jpegluma reads the brightness of a JPEG file and nothing else: no
// colour is computed or kept, which saves two thirds of the work. It is no
// general decoder. What it does not know (inks, RGB, 12 bits, arithmetic coding,
// lossless, brightness at less than full size, a height that comes later) it
// leaves to another, with [ErrUnsupported].
//
// The invariant: whatever the bytes are, it ends within a time and memory that
// follow from the length of the file and the most points that the caller allows,
// with a whole picture or an error. A file that ends before its picture does is
// an error, as it is to Pillow; a picture of half a file matches nothing.
//
// The values are those of libjpeg's slow integer transform (jidctint.c, "islow"),
// bit for bit, on every processor. Sources: ITU-T T.81 (the format), T.871 (JFIF),
// Adobe Technical Note 5116 (the APP14 marker).
package jpegluma
