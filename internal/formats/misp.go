package formats

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"concert"
)

// maxPending bounds, in bytes of text, what waits for the rest of its event.
const maxPending = 8 << 20

// mispPlaces are the attribute types that name a place.
var mispPlaces = []string{"url", "uri", "link", "domain", "domain|ip", "hostname", "hostname|port", "onion-address"}

// mispReferences are the categories whose links lead to writings about the
// event, not to finds.
var mispReferences = []string{"External analysis", "Internal reference", "Antivirus detection", "Support Tool"}

// mispBeside are the relations of an object's attributes that name another
// place than the object's own.
var mispBeside = []string{"archive", "embedded-link", "embedded-safe-link", "reference", "ref"}

// mispAttribute is what we read of an attribute, and of an object, which holds
// attributes of its own.
type mispAttribute struct {
	Type         word            `json:"type"`
	Category     word            `json:"category"`
	Value        word            `json:"value"`
	Relation     word            `json:"object_relation"`
	Deleted      word            `json:"deleted"`
	Distribution word            `json:"distribution"`
	Tags         []mispTag       `json:"Tag"`
	Name         word            `json:"name"` // of an object
	Attributes   []mispAttribute `json:"Attribute"`

	// What only entries of banks have need of.
	UUID      word `json:"uuid"`
	ID        word `json:"id"`
	Timestamp word `json:"timestamp"`
	ToIDs     word `json:"to_ids"`
}

type mispTag struct {
	Name word `json:"name"`
}

// mispReader is a file while it is read.
type mispReader struct {
	waiting []ItemRow // of the event that is open
	size    int
	early   bool // some of them went in before the event's end
	notes   notes
	yield   func(ItemRow) error
	bad     func(RowError) error
}

// ReadMISP reads items from MISP's JSON: events, alone or in lists, and the
// answers of its search for events and attributes. The shape is that of
// [ReadItemCSV], with the line where an attribute or object begins. An object
// with one place and one SHA-256 is one item with that digest. An event's tags
// stand at its end, so its rows wait for it.
func ReadMISP(r io.Reader, yield func(ItemRow) error, bad func(RowError) error) error {
	m := &mispReader{yield: yield, bad: bad}
	err := walk(r, bad, jsonShape{
		holds:  map[string]bool{"response": false, "Event": false, "Attribute": true, "Object": true},
		asks:   []string{"Tag", "distribution"},
		object: m.object,
		closed: m.closed,
		torn:   m.torn,
	})
	if err != nil {
		return err
	}
	if err := m.torn(); err != nil {
		return err
	}
	return m.notes.tell(bad)
}

// torn hands in what an event held that broke off: what it asked for of its
// readers is not known.
func (m *mispReader) torn() error {
	if len(m.waiting) > 0 {
		m.notes.add(m.waiting[0].Line, "events that break off: their items that stood before are in, and not to be passed on (H2)")
	}
	return m.flush(string(concert.HandlingNotShared))
}

func (m *mispReader) closed(asked map[string][]byte) error {
	var event mispAttribute
	event.Distribution = word(strings.Trim(string(asked["distribution"]), `"`))
	if raw := asked["Tag"]; raw != nil {
		if why := decode(raw, &event.Tags); why != "" && len(m.waiting) > 0 {
			m.notes.add(m.waiting[0].Line, "events whose tags cannot be read: their items are not to be passed on (H2)")
			return m.flush(string(concert.HandlingNotShared))
		}
	}
	return m.flush(event.handling())
}

// handling is the strictest of what tags and distribution ask for: an event of
// one organisation or of a named group is not to be passed on.
func (a *mispAttribute) handling() string {
	var h string
	for _, t := range a.Tags {
		h = max(h, handlingOf(string(t.Name)))
	}
	if a.Distribution == "0" || a.Distribution == "4" {
		h = max(h, string(concert.HandlingNotShared))
	}
	return h
}

func (m *mispReader) flush(handling string) error {
	for _, row := range m.waiting {
		row.Item.Handling = max(row.Item.Handling, handling)
		if err := handIn(row, m.yield, m.bad); err != nil {
			return err
		}
	}
	m.waiting, m.size, m.early = nil, 0, false
	return nil
}

func (m *mispReader) object(line int, raw []byte, inside bool) error {
	var a mispAttribute
	if why := decode(raw, &a); why != "" {
		return m.bad(wrong(line, "%s", why))
	}
	if a.Deleted.yes() {
		return m.bad(wrong(line, "was deleted by its source"))
	}
	places, item, why := a.read()
	if why != "" {
		return m.bad(wrong(line, "%s", why))
	}
	for _, p := range places {
		row := ItemRow{line, item}
		row.Item.Location = p
		if !inside {
			if err := handIn(row, m.yield, m.bad); err != nil {
				return err
			}
			continue
		}
		m.waiting = append(m.waiting, row)
		if m.size += len(p) + 200; m.size > maxPending {
			if !m.early {
				m.notes.add(line, "events so large that their tags were not known in time: the items before are not to be passed on (H2)")
			}
			if err := m.flush(string(concert.HandlingNotShared)); err != nil {
				return err
			}
			m.early = true
		}
	}
	return nil
}

// read gives the places that an attribute or object names, and what else it
// says of the item, or why there is none.
func (a *mispAttribute) read() (places []string, it Item, why string) {
	it.Handling = a.handling()
	if a.Attributes == nil {
		p, why := a.place()
		return []string{p}, it, why
	}
	var sums, hosts []string
	for i := range a.Attributes {
		b := &a.Attributes[i]
		if b.Deleted.yes() {
			continue
		}
		it.Handling = max(it.Handling, b.handling())
		switch {
		case b.Type == "sha256":
			sums = append(sums, string(b.Value))
		case b.Type == "mime-type":
			it.Type = itemType(string(b.Value))
		case slices.Contains(mispBeside, string(b.Relation)):
		default:
			p, why := b.place()
			if why != "" {
				continue
			}
			if b.Type == "url" || b.Type == "uri" || b.Type == "link" {
				places = append(places, p)
			} else {
				hosts = append(hosts, p)
			}
		}
	}
	// Beside an address, domain and host are its parts.
	if len(places) == 0 {
		places = hosts
	}
	switch {
	case len(places) == 0:
		return nil, it, fmt.Sprintf("has no place: an object %.40q", string(a.Name))
	case len(places) == 1 && len(sums) == 1:
		it.SHA256 = sums[0]
	}
	return places, it, ""
}

// place is the place that an attribute names.
func (a *mispAttribute) place() (place, why string) {
	switch {
	case a.Type == "":
		return "", "is no attribute and no object of MISP"
	case !slices.Contains(mispPlaces, string(a.Type)):
		return "", fmt.Sprintf("has no place: an attribute %.40q", string(a.Type))
	case a.Type == "link" && slices.Contains(mispReferences, string(a.Category)):
		return "", fmt.Sprintf("is a link for reference (%s), not a find", string(a.Category))
	}
	place = string(a.Value)
	if strings.Contains(string(a.Type), "|") {
		place, _, _ = strings.Cut(place, "|")
	}
	return place, ""
}
