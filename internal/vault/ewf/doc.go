// Package ewf reads disk images in the Expert Witness format, version 1, as
// EnCase, FTK Imager, X-Ways and libewf write them: a file .E01 and its
// followers (.E02 to .E99, .EAA and on). It writes none, and it opens no files:
// its caller hands it the segments in their order.
//
// Three things are told apart, since one may be sound where another is not
// (people were told "failure" of images whose media was whole, libewf issue 203):
// the structure (sections, their checksums, tables), the chunks (each with its
// Adler-32), and the media (the MD5 and SHA-1 that the image stores, against
// those of what was read).
//
// The invariant: no number of a file is believed before it was compared with how
// much of the file there is. Nothing is allocated by a size that an image claims;
// the tables stay in the file and are read again where they are needed, so that
// memory does not grow with the image. The format is Joachim Metz's description
// (libewf, "Expert Witness Compression Format (EWF)", 2006-2024); sections are
// named as there.
package ewf
