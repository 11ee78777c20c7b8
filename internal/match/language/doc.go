// Package language says in what language a text is, in what script and in what direction it is read, and how sure that is.
//
// [Detect] needs no server, no network and no file. It decides in three steps: the script that most letters belong to (most scripts have one language of
// their own here); within a script of several languages, how well each one's commonest words and three-letter sequences fit, and what letters it does not
// have; and whether the best fits so much better than the next that a person may rest on it. Else the language is [Unknown]: few letters, digits, addresses,
// names alone and mixed scripts name no language.
//
// What it rests on are two texts in this folder: profiles.txt (letters and sequences out of the models of lingua-go, Apache-2.0, by generate.go) and
// words.txt (written for Concert). It knows no item and no case, and a guess decides nothing: it offers a language to the person who reads.
package language
