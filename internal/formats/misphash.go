package formats

import (
	"bufio"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"concert"
)

const (
	// mispFalse is MISP's tag for what turned out to be harmless.
	mispFalse = `false-positive:confirmed="true"`
	// mispDisputed says what MISP has no word for.
	mispDisputed = `concert:opinion="disputed"`
)

// mispText are the types that carry what MISP has no type for; the relation says
// what it is. There is none for PDQ (MISP's describeTypes).
var mispText = []string{"text", "other", "hex"}

// mispTypes are MISP's types for our kinds of hash; the others are text.
var mispTypes = map[concert.HashKind]string{concert.HashMD5: "md5", concert.HashSHA1: "sha1", concert.HashSHA256: "sha256", concert.HashSHA512: "sha512", concert.HashTLSH: "tlsh"}

// mispBank is a file while it is read.
type mispBank struct {
	*bankReader
	waiting []SharedEntry // of the event that is open
	size    int
}

// misp reads the hashes of attributes and objects. An event's tags and owner stand
// at its end, so its entries wait for it, within maxPending.
func (b *bankReader) misp(r io.Reader) error {
	m := &mispBank{bankReader: b}
	err := walk(r, b.bad, jsonShape{
		holds: map[string]bool{"response": false, "Event": false, "Attribute": true, "Object": true},
		asks:  []string{"Tag", "distribution", "Orgc"}, most: bankLineMost,
		object: m.object, closed: m.closed, torn: m.torn,
	})
	if err == nil {
		err = m.torn()
	}
	return err
}

// torn hands in what an event held that broke off: what it asked for of its
// readers is not known.
func (m *mispBank) torn() error { return m.release(concert.HandlingNotShared, "") }

func (m *mispBank) closed(asked map[string][]byte) error {
	event := mispAttribute{Distribution: word(strings.Trim(string(asked["distribution"]), `"`))}
	var maker struct {
		Name word `json:"name"`
	}
	if raw := asked["Orgc"]; raw != nil {
		_ = decode(raw, &maker) // without it nobody is named
	}
	if raw := asked["Tag"]; raw != nil && decode(raw, &event.Tags) != "" {
		return m.release(concert.HandlingNotShared, string(maker.Name))
	}
	return m.release(concert.Handling(event.handling()), string(maker.Name))
}

func (m *mispBank) release(h concert.Handling, owner string) error {
	waiting := m.waiting
	m.waiting, m.size = nil, 0
	for _, e := range waiting {
		e.Handling, e.Provenance.Owner = max(e.Handling, h), owner
		if err := m.hand(e); err != nil {
			return err
		}
	}
	return nil
}

func (m *mispBank) object(line int, raw []byte, inside bool) error {
	var a mispAttribute
	if why := decode(raw, &a); why != "" {
		return m.bad(wrong(line, "%s", why))
	}
	e, err := a.entry()
	if err == nil {
		e, err = soundEntry(e)
	}
	if err != nil {
		return m.bad(wrong(line, "%s", err))
	}
	if !inside {
		return m.hand(e)
	}
	m.waiting = append(m.waiting, e)
	m.size += 500
	for _, h := range e.Hashes {
		m.size += 100 + 48*len(h.Frames)
	}
	if m.size > maxPending {
		return m.release(concert.HandlingNotShared, "")
	}
	return nil
}

// entry is an attribute, or an object with its attributes, as an entry.
func (a *mispAttribute) entry() (SharedEntry, error) {
	var e SharedEntry
	if a.Type == "" && a.Name == "" && a.Attributes == nil {
		return e, fmt.Errorf("is no attribute and no object of MISP")
	}
	e.SourceID, e.Gone, e.Handling = string(a.UUID), a.Deleted.yes(), concert.Handling(a.handling())
	if e.SourceID == "" {
		e.SourceID = string(a.ID)
	}
	if err := whens(timed{a.Timestamp, &e.UpdatedAt}); err != nil {
		return e, err
	}
	all := a.Attributes
	if all == nil {
		all = []mispAttribute{*a}
	}
	tags, dropped, sought := a.Tags, 0, a.Attributes == nil
	for i := range all {
		one := &all[i]
		h, name := one.hash()
		if one.Type == "filename" || h.Kind != "" && e.Name == "" {
			e.Name = name
		}
		if h.Kind == "" {
			continue
		}
		if one.Deleted.yes() && !e.Gone {
			dropped++
			continue
		}
		e.Hashes = append(e.Hashes, h)
		e.Handling = max(e.Handling, concert.Handling(one.handling()))
		sought = sought || one.ToIDs == "" || one.ToIDs.yes()
		if a.Attributes != nil {
			tags = append(tags, one.Tags...)
		}
	}
	e.Gone = e.Gone || len(e.Hashes) == 0 && dropped > 0
	if len(e.Hashes) == 0 && !e.Gone {
		what := fmt.Sprintf("an attribute %.40q", string(a.Type))
		if a.Attributes != nil {
			what = fmt.Sprintf("an object %.40q", string(a.Name))
		}
		return e, fmt.Errorf("has no hash: %s", what)
	}
	opinion := concert.OpinionPositive
	if !e.Gone && !sought || a.ToIDs != "" && !a.ToIDs.yes() {
		opinion = concert.OpinionSeed // it is there to be read, not to be looked for
	}
	for _, t := range tags {
		switch {
		case t.Name == mispFalse:
			opinion = concert.OpinionNegative
		case t.Name == mispDisputed:
			opinion = concert.OpinionDisputed
		case handlingOf(string(t.Name)) == "":
			e.Labels = append(e.Labels, string(t.Name))
		}
	}
	e.said(opinion)
	return e, nil
}

// hash is the hash that an attribute is, of the kind "" where it is none, and the
// name of its file.
func (a *mispAttribute) hash() (h concert.KnownHash, name string) {
	kind, value := string(a.Type), string(a.Value)
	if kind == "filename" {
		return h, value
	}
	if _, digest, ok := strings.Cut(kind, "filename|"); ok {
		kind = digest
		if i := strings.LastIndexByte(value, '|'); i >= 0 {
			name, value = value[:i], value[i+1:]
		}
	}
	if slices.Contains(mispText, kind) {
		kind = string(a.Relation)
	}
	return concert.KnownHash{Kind: hashKind(kind), Value: value, Quality: -1}, name
}

// mispOut is an attribute or an object as it is written.
type mispOut struct {
	UUID         string    `json:"uuid"`
	Type         string    `json:"type,omitempty"`
	Name         string    `json:"name,omitempty"`
	Category     string    `json:"category,omitempty"`
	Meta         string    `json:"meta-category,omitempty"`
	Relation     string    `json:"object_relation,omitempty"`
	Value        string    `json:"value,omitempty"`
	ToIDs        *bool     `json:"to_ids,omitempty"`
	Distribution string    `json:"distribution"`
	Timestamp    string    `json:"timestamp"`
	Deleted      bool      `json:"deleted"`
	Tags         []mispTag `json:"Tag,omitempty"`
	Attributes   []mispOut `json:"Attribute,omitempty"`
}

// mispOrg is who made an event.
type mispOrg struct {
	Name string `json:"name"`
	UUID string `json:"uuid"`
}

// misp writes an event with an object "file" for each entry.
func (out *bankWriter) misp(w io.Writer, entries iter.Seq2[SharedEntry, error]) error {
	b, list := out.bank, jsonList{w: bufio.NewWriter(w)}
	list.text(`{"Event":{"uuid":"` + out.uuid("event") + `","Object":[`)
	at, owner := b.CreatedAt, string(b.Authority)
	for e, err := range entries {
		if err != nil {
			return err
		}
		if e.UpdatedAt.After(at) {
			at = e.UpdatedAt
		}
		owner = e.Provenance.Owner
		o, err := out.mispObject(&e)
		if err != nil {
			return err
		}
		list.add(o)
	}
	info := b.Name + ": " + b.Purpose
	if b.Exercise {
		info = "EXERCISE " + info
	}
	light := lightOf(b.Handling)
	list.text("]")
	for _, p := range []struct {
		name  string
		value any
	}{
		{"info", cut(shown(info), 250)}, {"date", at.UTC().Format(time.DateOnly)}, {"timestamp", mispTime(at)}, {"published", false}, {"analysis", "2"}, {"threat_level_id", "4"},
		{"distribution", light.distribution}, {"Orgc", mispOrg{shown(owner), out.uuid("owner/" + owner)}}, {"Tag", []mispTag{{word(light.tlp)}}},
	} {
		list.text(`,"` + p.name + `":`)
		list.value(p.value)
	}
	list.text("}}\n")
	return list.end()
}

func mispTime(t time.Time) string { return strconv.FormatInt(max(t.Unix(), 0), 10) }

func (out *bankWriter) mispObject(e *SharedEntry) (mispOut, error) {
	light := lightOf(e.Handling)
	opinion := e.Stands()
	sought := opinion == concert.OpinionPositive
	tags := []mispTag{{word(light.tlp)}}
	for _, l := range e.Labels {
		tags = append(tags, mispTag{word(l)})
	}
	switch opinion {
	case concert.OpinionNegative:
		tags = append(tags, mispTag{mispFalse})
	case concert.OpinionDisputed:
		tags = append(tags, mispTag{mispDisputed})
	}
	o := mispOut{UUID: out.uuid(e.id()), Name: "file", Meta: "file", Distribution: light.distribution, Timestamp: mispTime(e.UpdatedAt), Deleted: e.Gone}
	for i, h := range e.Hashes {
		value, err := hashValue(h)
		if err != nil {
			return o, fmt.Errorf("entry %s: %w", e.id(), err)
		}
		kind := mispTypes[h.Kind]
		if kind == "" {
			kind = "text"
		}
		o.Attributes = append(o.Attributes, mispOut{
			UUID: out.uuid(fmt.Sprintf("%s/%d", e.id(), i)), Type: kind, Category: "Other", Relation: string(h.Kind), Value: value, ToIDs: &sought, Distribution: light.distribution, Timestamp: o.Timestamp, Deleted: e.Gone, Tags: tags,
		})
		if kind != "text" {
			o.Attributes[i].Category = "Payload delivery"
		}
	}
	if e.Name != "" {
		no := false
		o.Attributes = append(o.Attributes, mispOut{UUID: out.uuid(e.id() + "/name"), Type: "filename", Category: "Payload delivery", Relation: "filename", Value: e.Name, ToIDs: &no, Distribution: light.distribution, Timestamp: o.Timestamp, Deleted: e.Gone})
	}
	return o, nil
}
