// Package neartext recognises texts that were written once and posted many times, each time a little altered.
//
// [Normalise] takes away what changes a text for a machine and not for a reader; its result is a key, not a text to show.
// [SketchOf] is what is kept of a text: a key of the normal form, a 64-bit simhash and the hashes of its shingles (three
// words in a row). [Compare] says how two texts are related and shows it: passages in common and passages of one alone,
// as places in the texts as they were given. [Index] finds, among many sketches, those that are worth a comparison.
//
// # Normal form
//
// A sequence of words and links with one space between, the same for:
//
//   - compatibility forms (NFKC), case, full-width and mathematical letters, digits of any script;
//   - zero-width and direction controls, soft hyphens, variation selectors, invalid bytes (which separate);
//   - marks: accents, vowel signs and cantillation of Latin, Greek, Cyrillic, Arabic, Hebrew, Syriac; those of other scripts
//     spell words and stay, four in a row at most; ø, ł, đ, ı, æ, œ, ß are o, l, d, i, ae, oe, ss;
//   - Arabic: no harakat, no tatweel; alef with or without hamza or madda and alef wasla are ا; hamza seats are their letter;
//     ى and ی are ي; ة, ہ, ھ, ە are ه; ک is ك. Words that differ in these alone are taken for one, as hurried writers do;
//   - letters drawn like Latin ones ([DrawnAlike] and all of the table that is neither Cyrillic, Greek nor Armenian), wherever
//     they stand: a Russian text becomes partly Latin, the same way each time;
//   - punctuation, symbols and emoji (they separate; an apostrophe inside a word joins);
//   - links: "hxxps[:]//host[.]example/x", "http://host.example/x/" and "host.example/x" are https://host.example/x.
//
// Scripts that write no spaces (Han, kana, Thai, Lao, Khmer, Burmese) count each character as a word.
//
// # Limits
//
// A text of fewer than [LeastWords] words, or of fewer than [LeastShingles] different shingles, is short: only equality is
// told of it. A translation is another text. The package knows no database; sketches of another [Version] are made anew.
package neartext
