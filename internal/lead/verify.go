package lead

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"concert/internal/vault"
)

// Finding is one thing that is not as it was signed.
type Finding struct {
	Kind string // as vault's: missing, new, altered, tag; and rule
	Path string
	Note string
}

// FoundRule is the kind of a finding about what no package may say.
const FoundRule = "rule"

// Verdict is what a package is worth.
type Verdict struct {
	Lead      Lead // to be shown only where no finding is about it
	Digest    string
	Findings  []Finding
	Signature string // vault.MarkNone, MarkBroken, MarkHolds or MarkTrusted
	Key       string // the signer's by the package's own word
}

// Whole reports whether everything is as it was signed, by whomever.
func (v Verdict) Whole() bool {
	return len(v.Findings) == 0 && (v.Signature == vault.MarkHolds || v.Signature == vault.MarkTrusted)
}

// Valid reports whether it is whole and signed by a key that the verifier named.
func (v Verdict) Valid() bool { return v.Whole() && v.Signature == vault.MarkTrusted }

func (v *Verdict) find(kind, path, note string, args ...any) {
	v.Findings = append(v.Findings, Finding{kind, path, fmt.Sprintf(note, args...)})
}

// Verify judges a package. trust are public keys as vault.Key.Public gives them;
// strange what lies beside its files (ReadDir).
func (b Bag) Verify(trust []string, strange []string) Verdict {
	v := Verdict{Digest: b.Digest()}
	for _, name := range required {
		if _, ok := b[name]; !ok {
			v.find(vault.FoundMissing, name, "a file that every package has")
		}
	}
	for _, name := range strange {
		v.find(vault.FoundNew, vault.EncodeName(name, false), "no package has it")
	}
	st := b.checkSeal(&v, trust)
	// What was changed is not judged by what it says.
	if slices.ContainsFunc(v.Findings, func(f Finding) bool { return f.Path == fileReport }) {
		return v.sorted()
	}
	l, err := b.Lead()
	if err != nil {
		kind := vault.FoundAltered
		if refused := (*Error)(nil); errors.As(err, &refused) {
			kind = FoundRule
		}
		v.find(kind, fileReport, "%v", err)
	} else {
		v.Lead = l
		if want := l.predicate(); st != nil {
			if want.Key = st.Predicate.Key; want != st.Predicate {
				v.find(vault.FoundTag, fileSeal, "what was signed is about another package than the report")
			}
		}
		if proof, err := canonical(l.Exhibit); err != nil || b[fileProof] != nil && string(proof) != string(b[fileProof]) {
			v.find(vault.FoundAltered, fileProof, "it does not say what the report says of the exhibit")
		}
		v.Findings = append(v.Findings, b.custodyFindings(l)...)
	}
	return v.sorted()
}

// sorted is the verdict with each file's findings together, once of a kind.
func (v Verdict) sorted() Verdict {
	slices.SortStableFunc(v.Findings, func(a, c Finding) int { return strings.Compare(a.Path, c.Path) })
	v.Findings = slices.CompactFunc(v.Findings, func(a, c Finding) bool { return a.Kind == c.Kind && a.Path == c.Path })
	return v
}

// checkSeal judges the signature, then the lists that were signed, then the files by
// the lists. A list that was changed says nothing of its files.
func (b Bag) checkSeal(v *Verdict, trust []string) *statement {
	v.Signature = vault.MarkNone
	if _, ok := b[fileSeal]; !ok {
		return nil
	}
	v.Signature = vault.MarkBroken
	env, err := vault.ReadEnvelope(b[fileSeal], sealType)
	if err != nil {
		v.find(vault.FoundTag, fileSeal, "it is no signature of a package: %v", err)
		return nil
	}
	var st statement
	if err := decodeCanonical(env.Payload, &st); err != nil || st.Type != statementType || st.PredicateType != predicateType {
		v.find(vault.FoundTag, fileSeal, "it holds no statement about a package")
		return nil
	}
	if !env.SignedBy(st.Predicate.Key) {
		v.find(vault.FoundTag, fileSeal, "the signature does not hold over this text, with this key")
		return nil
	}
	v.Signature, v.Key = vault.MarkHolds, st.Predicate.Key
	if slices.Contains(trust, v.Key) {
		v.Signature = vault.MarkTrusted
	} else if len(trust) > 0 {
		v.find(vault.FoundTag, fileSeal, "it was signed with the key %s, which is none of those that were named", v.Key)
	}
	signed := map[string]string{}
	for _, s := range st.Subject {
		signed[s.Name] = s.Digest.SHA256
	}
	for _, name := range append(tagged[:], fileTags) {
		if text, ok := b[name]; ok && signed[name] != sum(text) {
			v.find(vault.FoundTag, name, "it is not the file that was signed")
		}
	}
	if signed[fileSums] == sum(b[fileSums]) {
		b.checkFiles(v)
	}
	return &st
}

// checkFiles compares the files under data with their list.
func (b Bag) checkFiles(v *Verdict) {
	listed := map[string]string{}
	for line := range strings.Lines(string(b[fileSums])) {
		digest, name, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "  ")
		if !ok || !isDigest(digest) || listed[name] != "" {
			v.find(vault.FoundTag, fileSums, "a line of it is none of a list of digests")
			continue
		}
		listed[name] = digest
	}
	for _, name := range slices.Sorted(maps.Keys(b)) {
		switch digest, ok := listed[name]; {
		case ok && digest != sum(b[name]):
			v.find(vault.FoundAltered, name, "it is not the file that was signed")
		case !ok && strings.HasPrefix(name, "data/"):
			v.find(vault.FoundNew, name, "nobody signed it")
		}
	}
	for name := range listed {
		if _, ok := b[name]; !ok {
			v.find(vault.FoundMissing, vault.EncodeName(name, false), "it was signed and is not there")
		}
	}
}

// custodyFindings judges the exhibit's custody log, where it is there, by the head
// that the report names.
func (b Bag) custodyFindings(l Lead) (out []Finding) {
	log, ok := b[fileCustody]
	if !ok {
		return nil
	}
	head, err := vault.ParseHead(l.Exhibit.CustodyHead)
	if err != nil {
		return nil // Lead.Check says so
	}
	for _, f := range vault.CheckCustody(log, b[fileCustodyHead], l.Exhibit.ManifestSHA256, &head).Faults {
		out = append(out, Finding{f.Kind, fileCustody, f.Note})
	}
	return out
}
