//go:build ignore

// Generate writes profiles.txt out of the models of github.com/pemistahl/lingua-go v1.4.0 (Apache-2.0), which were counted over news and web text of
// the Leipzig corpora. Its 124 MB are too many for a binary; of each language we keep its letters and its commonest three-letter sequences.
//
//	go run generate.go $(go env GOMODCACHE)/github.com/pemistahl/lingua-go@v1.4.0/language-models > profiles.txt
package main

import (
	"archive/zip"
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"log"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// kept are the languages whose script leaves a choice.
const kept = "af ar az be bg bs ca cs cy da de en es et eu fa fi fr ga hr hu id is it kk lt lv mk mn ms nb nl nn pl pt ro ru sk sl so sq sr sv sw tl tr uk ur vi yo zu"

const (
	most      = 1500 // sequences a language
	letterMin = 4e-5 // a rarer letter is foreign to the language
)

// transliteration gives Serbian's Latin letters.
var transliteration = strings.NewReplacer("а", "a", "б", "b", "в", "v", "г", "g", "д", "d", "ђ", "đ", "е", "e", "ж", "ž", "з", "z", "и", "i", "ј", "j", "к", "k", "л", "l", "љ", "lj", "м", "m",
	"н", "n", "њ", "nj", "о", "o", "п", "p", "р", "r", "с", "s", "т", "t", "ћ", "ć", "у", "u", "ф", "f", "х", "h", "ц", "c", "ч", "č", "џ", "dž", "ш", "š")

func main() {
	log.SetFlags(0)
	if len(os.Args) != 2 {
		log.Fatal("usage: go run generate.go FOLDER > profiles.txt, where FOLDER is lingua-go's language-models")
	}
	out := bufio.NewWriter(os.Stdout)
	fmt.Fprintln(out, "; Letters and commonest three-letter sequences of languages, by level: the number is -4 ln p. Made by generate.go out of the models of")
	fmt.Fprintln(out, "; github.com/pemistahl/lingua-go v1.4.0, Apache-2.0, Copyright 2021-present Peter M. Stahl. Serbian's Latin is transliterated.")
	for lang := range strings.FieldsSeq(kept) {
		folder := filepath.Join(os.Args[1], lang)
		one, two, three := read(folder, "unigrams"), read(folder, "bigrams"), read(folder, "trigrams")
		joint := map[string]float64{}
		for g, p := range three {
			r := []rune(g)
			joint[g] = p * two[string(r[:2])] * one[string(r[:1])]
		}
		write(out, lang, one, joint)
		if lang == "sr" {
			latinOne, latin := map[string]float64{}, map[string]float64{}
			for g, p := range one {
				for _, r := range transliteration.Replace(g) {
					latinOne[string(r)] += p
				}
			}
			for g, p := range joint {
				if l := []rune(transliteration.Replace(g)); len(l) >= 3 {
					latin[string(l[:3])] += p
				}
			}
			write(out, "sr-Latn", latinOne, latin)
		}
	}
	if err := out.Flush(); err != nil {
		log.Fatal(err)
	}
}

func write(out io.Writer, lang string, one, joint map[string]float64) {
	var letters []string
	for _, l := range slices.Sorted(maps.Keys(one)) {
		if one[l] >= letterMin {
			letters = append(letters, l)
		}
	}
	grams := slices.SortedFunc(maps.Keys(joint), func(a, b string) int {
		if joint[a] != joint[b] {
			return int(math.Copysign(1, joint[b]-joint[a]))
		}
		return strings.Compare(a, b)
	})
	grams = grams[:min(most, len(grams))]
	levels := map[int][]string{}
	for _, g := range grams {
		l := int(math.Round(-4 * math.Log(joint[g])))
		levels[l] = append(levels[l], g)
	}
	fmt.Fprintf(out, "= %s %s\n", lang, strings.Join(letters, ""))
	for _, l := range slices.Sorted(maps.Keys(levels)) {
		slices.Sort(levels[l])
		fmt.Fprintf(out, "%d %s\n", l, strings.Join(levels[l], ""))
	}
}

// read gives the probability of each sequence, given its beginning: lingua's protobuf is {1: language, 2: length, 3: total, 4: {1: double, 2: sequences}}.
func read(folder, name string) map[string]float64 {
	z, err := zip.OpenReader(filepath.Join(folder, name+".pb.bin.zip"))
	if err != nil {
		log.Fatal(err)
	}
	defer z.Close()
	f, err := z.File[0].Open()
	if err != nil {
		log.Fatal(err)
	}
	b, err := io.ReadAll(f)
	if err != nil {
		log.Fatal(err)
	}
	out := map[string]float64{}
	for len(b) > 0 {
		key, n := binary.Uvarint(b)
		v, m := binary.Uvarint(b[n:])
		b = b[n+m:]
		if key != 4<<3|2 {
			continue
		}
		set := b[:v]
		b = b[v:]
		p := math.Float64frombits(binary.LittleEndian.Uint64(set[1:]))
		for set = set[9:]; len(set) > 0; {
			v, m := binary.Uvarint(set[1:])
			out[string(set[1+m:1+m+int(v)])] = p
			set = set[1+m+int(v):]
		}
	}
	return out
}
