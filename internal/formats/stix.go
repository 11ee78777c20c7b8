package formats

import (
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// stixContext are the object types that say something about finds and are none
// themselves: they are passed over.
var stixContext = []string{
	"attack-pattern", "bundle", "campaign", "course-of-action", "extension-definition", "grouping", "identity", "incident", "infrastructure",
	"intrusion-set", "language-content", "location", "malware", "malware-analysis", "marking-definition", "note", "opinion", "relationship",
	"report", "sighting", "threat-actor", "tool", "vulnerability",
}

// stixLights are the marking definitions of the traffic light protocol, whose
// ids the standards fix: TLP 1 in STIX 2.1 section 7.2.1.4, TLP 2 in OASIS's
// extension.
var stixLights = map[string]string{
	"marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9": "tlp:white",
	"marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da": "tlp:green",
	"marking-definition--f88d31f6-486f-44da-b317-01333bde0b82": "tlp:amber",
	"marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed": "tlp:red",
	"marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487": "tlp:clear",
	"marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb": "tlp:green",
	"marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421": "tlp:amber",
	"marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003": "tlp:amber+strict",
	"marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1": "tlp:red",
}

// stixObject is what we read of any object.
type stixObject struct {
	Type        word            `json:"type"`
	ID          word            `json:"id"`
	Value       word            `json:"value"` // of url and domain-name
	URL         word            `json:"url"`   // of artifact
	Hashes      map[string]word `json:"hashes"`
	MIME        word            `json:"mime_type"`
	Pattern     word            `json:"pattern"`
	PatternType word            `json:"pattern_type"`
	Revoked     word            `json:"revoked"`
	Refs        words           `json:"object_refs"`
	Markings    words           `json:"object_marking_refs"`
	Objects     jsontext.Value  `json:"objects"` // of observed-data before 2.1
}

// stixFind is a place or a file that waits for an observation that joins it
// with another.
type stixFind struct {
	row   ItemRow
	sum   string // of a file
	used  bool   // its digest went to a place
	clash bool   // observations give the place different digests
}

// stixReader is a file while it is read.
type stixReader struct {
	finds map[string]*stixFind // by id
	order []*stixFind
	seen  [][]string // what observations say was seen together, by ids
	size  int
	notes notes
	yield func(ItemRow) error
	bad   func(RowError) error
}

// ReadSTIX reads items from STIX 2.1 (and 2.0): a bundle, a list of objects, or
// bundles and objects one after the other. The shape is that of [ReadItemCSV],
// with the line where an object begins. Places are url and domain-name objects,
// artifacts with a url, and what indicators' patterns ask for by equality. One
// place and one file with a SHA-256, seen together or asked for together, are
// one item with that digest. Objects wait for their observation, within
// maxPending.
func ReadSTIX(r io.Reader, yield func(ItemRow) error, bad func(RowError) error) error {
	s := &stixReader{finds: map[string]*stixFind{}, yield: yield, bad: bad}
	err := walk(r, bad, jsonShape{
		holds:  map[string]bool{"objects": true},
		object: func(line int, raw []byte, _ bool) error { return s.object(line, raw) },
		closed: func(map[string][]byte) error { return nil },
	})
	if err == nil {
		err = s.flush()
	}
	if err != nil {
		return err
	}
	return s.notes.tell(bad)
}

func (s *stixReader) object(line int, raw []byte) error {
	var o stixObject
	if why := decode(raw, &o); why != "" {
		return s.bad(wrong(line, "%s", why))
	}
	if o.Type == "" {
		return s.bad(wrong(line, "is no STIX object: it has no type"))
	}
	if slices.Contains(stixContext, string(o.Type)) {
		return nil
	}
	if o.Revoked.yes() {
		return s.bad(wrong(line, "was revoked by its source"))
	}
	row := ItemRow{Line: line}
	for _, m := range o.Markings {
		if light := stixLights[string(m)]; light != "" {
			row.Item.Handling = max(row.Item.Handling, handlingOf(light))
		} else {
			s.notes.add(line, "markings that are no traffic light: read them in the file before passing anything on")
		}
	}
	switch o.Type {
	case "indicator":
		return s.indicator(row, &o)
	case "observed-data":
		return s.observed(row, &o)
	}
	f := findOf(row, &o)
	if f == nil {
		return s.bad(wrong(line, "has no place: an object %.40q", string(o.Type)))
	}
	return s.wait(string(o.ID), f)
}

// findOf is the place or the file with a digest that an object is, nil for
// neither.
func findOf(row ItemRow, o *stixObject) *stixFind {
	f := &stixFind{row: row}
	switch o.Type {
	case "url", "domain-name":
		f.row.Item.Location = string(o.Value)
	case "artifact":
		if o.URL == "" {
			return nil
		}
		f.row.Item.Location, f.row.Item.SHA256, f.row.Item.Type = string(o.URL), sumOf(o.Hashes), itemType(string(o.MIME))
	case "file":
		f.sum, f.row.Item.Type = sumOf(o.Hashes), itemType(string(o.MIME))
	default:
		return nil
	}
	return f
}

func sumOf(hashes map[string]word) string {
	for name, v := range hashes {
		if isSumPath("file:hashes." + name) {
			return string(v)
		}
	}
	return ""
}

// wait keeps a find until the observations are known.
func (s *stixReader) wait(id string, f *stixFind) error {
	if s.finds[id] == nil && id != "" {
		s.finds[id] = f
	}
	s.order = append(s.order, f)
	return s.grow(len(id) + len(f.row.Item.Location) + 300)
}

func (s *stixReader) grow(by int) error {
	if s.size += by; s.size <= maxPending {
		return nil
	}
	return s.flush()
}

// flush joins what was seen together, and hands in all that waits.
func (s *stixReader) flush() error {
	for _, ids := range s.seen {
		var among []*stixFind
		for _, id := range ids {
			if f := s.finds[id]; f != nil {
				among = append(among, f)
			}
		}
		join(among)
	}
	for _, f := range s.order {
		var err error
		switch {
		case f.row.Item.Location != "":
			err = handIn(f.row, s.yield, s.bad)
		case !f.used:
			err = s.bad(wrong(f.row.Line, "has no place: a file that no observation joins with one address"))
		}
		if err != nil {
			return err
		}
	}
	s.finds, s.order, s.seen, s.size = map[string]*stixFind{}, nil, nil, 0
	return nil
}

// join gives a place the digest of the file that was seen with it, where it is
// one place and one file: with more, nobody can say which file lay where.
func join(among []*stixFind) {
	var place, file *stixFind
	for _, f := range among {
		switch {
		case f.row.Item.Location != "" && place == nil:
			place = f
		case f.row.Item.Location == "" && f.sum != "" && file == nil:
			file = f
		case f.row.Item.Location != "" || f.sum != "":
			return
		}
	}
	if place == nil || file == nil {
		return
	}
	it := &place.row.Item
	if place.clash = place.clash || it.SHA256 != "" && !strings.EqualFold(it.SHA256, file.sum); place.clash {
		it.SHA256 = ""
		return
	}
	it.SHA256, file.used = file.sum, true
	if it.Type == "" {
		it.Type = file.row.Item.Type
	}
	it.Handling = max(it.Handling, file.row.Item.Handling)
}

// observed takes an observation: references to objects (2.1), or the objects
// themselves (before).
func (s *stixReader) observed(row ItemRow, o *stixObject) error {
	if o.Objects == nil {
		if len(o.Refs) == 0 {
			return s.bad(wrong(row.Line, "has no place: an observation of nothing"))
		}
		ids, size := make([]string, len(o.Refs)), 0
		for i, r := range o.Refs {
			ids[i] = string(r)
			size += len(r) + 16
		}
		s.seen = append(s.seen, ids)
		return s.grow(size)
	}
	var objects map[string]stixObject
	if why := decode(o.Objects, &objects); why != "" {
		return s.bad(wrong(row.Line, "%s", why))
	}
	var among []*stixFind
	for _, key := range slices.Sorted(maps.Keys(objects)) {
		inner := objects[key]
		if f := findOf(row, &inner); f != nil {
			among = append(among, f)
		}
	}
	join(among)
	n := 0
	for _, f := range among {
		if f.row.Item.Location == "" {
			continue
		}
		n++
		if err := handIn(f.row, s.yield, s.bad); err != nil {
			return err
		}
	}
	if n == 0 {
		return s.bad(wrong(row.Line, "has no place: an observation without url or domain-name"))
	}
	return nil
}

func (s *stixReader) indicator(row ItemRow, o *stixObject) error {
	if o.PatternType != "" && o.PatternType != "stix" {
		return s.bad(wrong(row.Line, "has no place: a pattern of the kind %.40q", string(o.PatternType)))
	}
	terms, why := readPattern(string(o.Pattern))
	if why != "" {
		return s.bad(wrong(row.Line, "has a pattern that cannot be read: %s", why))
	}
	done := map[string]bool{}
	for _, t := range terms {
		for _, place := range t.places {
			r := row
			r.Item.Location = place
			if len(t.places) == 1 && len(t.sums) == 1 {
				r.Item.SHA256 = t.sums[0]
			}
			if done[place] {
				continue
			}
			done[place] = true
			if err := handIn(r, s.yield, s.bad); err != nil {
				return err
			}
		}
	}
	if len(done) == 0 {
		return s.bad(wrong(row.Line, "has no place: its pattern asks for no url and no domain-name"))
	}
	return nil
}
