// Package vpdq reads, writes and compares the hashes of videos that exchanges hold: vPDQ, a list of frames with their PDQ
// hashes, and TMK+PDQF, one file of sums over a whole video. It opens no video.
//
// vPDQ (facebook/ThreatExchange, vpdq) has two forms, which say the same but for the frame's number:
//
//	frame,quality,hash,timestamp      a line each, seconds with three decimals: [ReadLines], [WriteLines]
//	["hash,quality,timestamp", ...]   JSON of python-threatexchange: [ReadJSON], [WriteJSON]
//
// [Compare] gives the two shares that decide a match there, as python-threatexchange counts them (frames below quality 50 left
// out, equal hashes once, distance up to and with 31: its C++ sibling counts below 31, and every frame), and then what vPDQ does
// not know: which stretch of one video is which of the other.
//
// TMK+PDQF (facebook/ThreatExchange, tmk) is good for whole videos and weak on parts: [ReadTMK], [TMK.Compare].
//
// A hash is the 32 bytes of its text, bit 255 first: what package pdq gives as Hash.Bytes. Files come from strangers: sizes are
// bounded before anything is allocated, and no number is read that is not one.
package vpdq
