package formats

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"concert"
)

// signalTag says what a DEBUG_STRING is, for the kinds of hash that ThreatExchange
// has no type for (python-threatexchange's convention).
const signalTag = "signal_type:"

// teTypes are the types of ThreatExchange, by our kinds.
var teTypes = map[concert.HashKind]string{
	concert.HashPDQ: "HASH_PDQ", concert.HashMD5: "HASH_MD5", concert.HashSHA1: "HASH_SHA1", concert.HashSHA256: "HASH_SHA256", concert.HashTMK: "HASH_TMK", concert.HashPhotoDNA: "HASH_PHOTODNA",
}

// teDebug is the type of what has none.
const teDebug = "DEBUG_STRING"

// teIndicator is the value of an indicator: a text, or an object around it.
type teIndicator struct {
	Indicator word
	Type      word
}

// UnmarshalJSON implements the decoder's interface.
func (t *teIndicator) UnmarshalJSON(raw []byte) error {
	if len(raw) == 0 || raw[0] != '{' {
		return t.Indicator.UnmarshalJSON(raw)
	}
	var o struct {
		Indicator word `json:"indicator"`
		Type      word `json:"type"`
	}
	if why := decode(raw, &o); why != "" {
		return fmt.Errorf("the indicator %s", why)
	}
	t.Indicator, t.Type = o.Indicator, o.Type
	return nil
}

// teTags are tags: texts, or objects with a text, in a list or under data.
type teTags []string

// UnmarshalJSON implements the decoder's interface. What is no tag is passed over.
func (t *teTags) UnmarshalJSON(raw []byte) error {
	if len(raw) > 0 && raw[0] == '{' {
		var o struct {
			Data []struct {
				Text word `json:"text"`
			} `json:"data"`
		}
		if why := decode(raw, &o); why != "" {
			return fmt.Errorf("tags: %s", why)
		}
		for _, d := range o.Data {
			*t = append(*t, string(d.Text))
		}
		return nil
	}
	var list words
	err := list.UnmarshalJSON(raw)
	for _, w := range list {
		*t = append(*t, string(w))
	}
	return err
}

// teReaction is what members think of a descriptor: their ids, parted by commas.
type teReaction struct {
	Key   word `json:"key"`
	Value word `json:"value"`
}

// teObject is a threat update, which holds descriptors, or a descriptor.
type teObject struct {
	ID           word         `json:"id"`
	Indicator    teIndicator  `json:"indicator"`
	RawIndicator word         `json:"raw_indicator"`
	Type         word         `json:"type"`
	ShouldDelete word         `json:"should_delete"`
	Status       word         `json:"status"`
	ShareLevel   word         `json:"share_level"`
	PrivacyType  word         `json:"privacy_type"`
	Severity     word         `json:"severity"`
	Description  word         `json:"description"`
	Tags         teTags       `json:"tags"`
	Reactions    []teReaction `json:"reactions"`
	Owner        struct {
		ID   word `json:"id"`
		Name word `json:"name"`
	} `json:"owner"`
	CreationTime word `json:"creation_time"`
	AddedOn      word `json:"added_on"`
	LastUpdated  word `json:"last_updated"`
	ExpiredOn    word `json:"expired_on"`
	Descriptors  *struct {
		Data []teObject `json:"data"`
	} `json:"descriptors"`
}

// threatExchange reads pages of threat_updates or of descriptors, descriptors by
// their ids, and either of them one by one.
func (b *bankReader) threatExchange(r io.Reader) error {
	return walk(r, b.bad, jsonShape{
		holds: map[string]bool{"data": true}, asks: []string{"paging"}, most: bankLineMost,
		object: func(line int, raw []byte, _ bool) error { return b.threat(line, raw, true) },
		closed: func(asked map[string][]byte) error {
			var p struct {
				Next     word `json:"next"`
				Previous word `json:"previous"`
			}
			if raw := asked["paging"]; raw != nil && decode(raw, &p) == "" {
				b.page.Next, b.page.Previous = string(p.Next), string(p.Previous)
			}
			return nil
		},
	})
}

// threat reads an object; byID says that it may hold descriptors by their ids.
func (b *bankReader) threat(line int, raw []byte, byID bool) error {
	var o teObject
	if why := decode(raw, &o); why != "" {
		return b.bad(wrong(line, "%s", why))
	}
	if o.Type == "" && o.Indicator.Indicator == "" && o.RawIndicator == "" && o.ShouldDelete == "" && byID {
		var of map[string]json.RawMessage
		if json.Unmarshal(raw, &of) == nil {
			for _, id := range slices.Sorted(maps.Keys(of)) {
				if len(of[id]) == 0 || of[id][0] != '{' {
					return b.bad(wrong(line, "is neither a threat update nor a descriptor: it has no indicator and no type"))
				}
				if err := b.threat(line, of[id], false); err != nil {
					return err
				}
			}
			return nil
		}
	}
	e, err := o.entry()
	if err != nil {
		return b.bad(wrong(line, "%s", err))
	}
	return b.part(line, e)
}

// all are the descriptors: those inside, or the object itself.
func (o *teObject) all() []teObject {
	if o.Descriptors != nil {
		return o.Descriptors.Data
	}
	return []teObject{*o}
}

func (o *teObject) entry() (SharedEntry, error) {
	var e SharedEntry
	e.SourceID = string(o.ID)
	e.Provenance.Source = "ThreatExchange"
	if err := whens(timed{cmp.Or(o.CreationTime, o.AddedOn), &e.AddedAt}, timed{o.LastUpdated, &e.UpdatedAt}); err != nil {
		return e, err
	}
	if !e.UpdatedAt.IsZero() {
		e.Checkpoint = strconv.FormatInt(e.UpdatedAt.Unix(), 10)
	}
	tags := slices.Clone(o.Tags)
	var given []concert.Opinion
	for _, d := range o.all() {
		given = append(given, d.opinions()...)
		if d.ShareLevel != "" {
			e.Handling = stricter(e.Handling, "tlp:"+string(d.ShareLevel))
		}
		if d.PrivacyType != "" && d.PrivacyType != "VISIBLE" {
			e.Handling = max(e.Handling, concert.HandlingNotShared)
		}
		if d.Severity != "" {
			tags = append(tags, severityLabel+string(d.Severity))
		}
		tags = append(tags, d.Tags...)
		e.Name = cmp.Or(e.Name, string(d.Description))
		e.Provenance.Owner = cmp.Or(e.Provenance.Owner, string(d.Owner.Name), string(d.Owner.ID))
		var until time.Time
		if err := whens(timed{d.ExpiredOn, &until}); err != nil {
			return e, err
		}
		if !until.IsZero() && (e.ExpiresAt.IsZero() || until.After(e.ExpiresAt)) {
			e.ExpiresAt = until // the last who still holds it for known
		}
	}
	e.opined(given...)
	// An update that nobody's descriptor stands behind is one whose deletion was
	// not told (facebook/ThreatExchange, issue 834).
	e.Gone = o.ShouldDelete.yes() || o.ShouldDelete != "" && len(given) == 0 && o.Status == ""
	kind, value := cmp.Or(o.Type, o.Indicator.Type), string(cmp.Or(o.RawIndicator, o.Indicator.Indicator))
	signal, labels := labelled(tags, signalTag)
	e.Labels = tags
	known := hashKind(strings.TrimPrefix(string(kind), "HASH_"))
	if kind == teDebug && signal != "" {
		known, e.Labels = hashKind(signal), labels
	}
	if known == "" && !e.Gone {
		return e, fmt.Errorf("has no hash of a kind known here: a %.40q", string(kind))
	}
	e.Hashes = []concert.KnownHash{{Kind: known, Value: value, Quality: -1}}
	return e, nil
}

// opinions are the owner's and those that members' reactions say, each member
// once, as python-threatexchange counts them. Without a status there is none.
func (o *teObject) opinions() []concert.Opinion {
	if o.Status == "" {
		return nil
	}
	own := concert.OpinionSeed
	switch o.Status {
	case "MALICIOUS":
		own = concert.OpinionPositive
	case "NON_MALICIOUS":
		own = concert.OpinionNegative
	}
	others := map[string]concert.Opinion{}
	for _, r := range o.Reactions {
		for id := range strings.SplitSeq(string(r.Value), ",") {
			id = strings.TrimSpace(id)
			switch {
			case id == "" || id == string(o.Owner.ID):
			case r.Key == "HELPFUL":
				others[id] = concert.OpinionPositive
			case r.Key == "DISAGREE_WITH_TAGS" && others[id] == "":
				others[id] = concert.OpinionNegative
			}
		}
	}
	out := []concert.Opinion{own}
	for _, id := range slices.Sorted(maps.Keys(others)) {
		out = append(out, others[id])
	}
	return out
}

// teDescriptor is a descriptor as it is written.
type teDescriptor struct {
	ID          string  `json:"id"`
	Owner       teOwner `json:"owner"`
	Status      string  `json:"status"`
	Description string  `json:"description"`
	ShareLevel  string  `json:"share_level"`
	PrivacyType string  `json:"privacy_type"`
	Severity    string  `json:"severity,omitempty"`
	Tags        teList  `json:"tags"`
	AddedOn     string  `json:"added_on,omitempty"`
	LastUpdated string  `json:"last_updated,omitempty"`
	ExpiredOn   string  `json:"expired_on,omitempty"`
}

type teOwner struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

type teList struct {
	Data []teTag `json:"data"`
}

type teTag struct {
	Text string `json:"text"`
}

// teUpdate is a threat update as it is written.
type teUpdate struct {
	ID           string  `json:"id"`
	Indicator    string  `json:"indicator"`
	Type         string  `json:"type"`
	CreationTime int64   `json:"creation_time,omitempty"`
	LastUpdated  int64   `json:"last_updated"`
	ShouldDelete bool    `json:"should_delete"`
	Status       string  `json:"status"`
	Tags         teList  `json:"tags"`
	Descriptors  *teDesc `json:"descriptors,omitempty"`
}

type teDesc struct {
	Data []teDescriptor `json:"data"`
}

// teStatuses are the opinions in ThreatExchange's words.
var teStatuses = map[concert.Opinion]string{concert.OpinionPositive: "MALICIOUS", concert.OpinionNegative: "NON_MALICIOUS", concert.OpinionSeed: "SUSPICIOUS", concert.OpinionDisputed: "UNKNOWN"}

// threatExchange writes a page of threat_updates, an update a hash.
func (out *bankWriter) threatExchange(w io.Writer, entries iter.Seq2[SharedEntry, error]) error {
	list := jsonList{w: bufio.NewWriter(w)}
	list.text(`{"data":[`)
	for e, err := range entries {
		if err != nil {
			return err
		}
		out.page.Checkpoint = strconv.FormatInt(e.UpdatedAt.Unix(), 10)
		hashes := e.Hashes
		if len(hashes) == 0 {
			hashes = []concert.KnownHash{{Kind: concert.HashMD5}} // of a tombstone that kept none
		}
		for _, h := range hashes {
			value, err := hashValue(h)
			if err != nil {
				return fmt.Errorf("entry %s: %w", e.id(), err)
			}
			list.add(e.update(h.Kind, value))
		}
	}
	list.text(`],"paging":`)
	paging := map[string]string{}
	for name, address := range map[string]string{"next": out.page.Next, "previous": out.page.Previous} {
		if address != "" {
			paging[name] = address
		}
	}
	list.value(paging)
	list.text("}\n")
	return list.end()
}

func (e *SharedEntry) update(kind concert.HashKind, value string) teUpdate {
	severity, labels := labelled(e.Labels, severityLabel)
	tags := teList{Data: []teTag{}}
	for _, l := range labels {
		tags.Data = append(tags.Data, teTag{l})
	}
	name := teTypes[kind]
	if name == "" {
		name = teDebug
		tags.Data = append(tags.Data, teTag{signalTag + string(kind)})
	}
	u := teUpdate{ID: e.number(), Indicator: value, Type: name, LastUpdated: e.UpdatedAt.Unix(), ShouldDelete: e.Gone, Status: teStatuses[e.Stands()], Tags: tags}
	if !e.AddedAt.IsZero() {
		u.CreationTime = e.AddedAt.Unix()
	}
	if e.Gone {
		return u
	}
	u.Descriptors = &teDesc{}
	given := e.Given // who gave which is not told
	if len(given) == 0 {
		given = e.opinions()
	}
	for i, o := range given {
		u.Descriptors.Data = append(u.Descriptors.Data, teDescriptor{
			ID: e.number(), Owner: teOwner{ID: numberOf(e.Provenance.Owner, i), Name: e.Provenance.Owner}, Status: teStatuses[o], Description: e.Name,
			ShareLevel: lightOf(e.Handling).shareLevel, PrivacyType: "HAS_PRIVACY_GROUP", Severity: severity, Tags: tags,
			AddedOn: stamp(e.AddedAt), LastUpdated: stamp(e.UpdatedAt), ExpiredOn: stamp(e.ExpiresAt),
		})
	}
	return u
}

// numberOf is a number that stands for a name, since ids of members are numbers
// there.
func numberOf(name string, i int) string {
	h := fnv.New64a()
	fmt.Fprintf(h, "%s/%d", name, i)
	return strconv.FormatUint(h.Sum64()>>1, 10)
}

// jsonList writes a document around a long list, an element at a time. The first
// error stays.
type jsonList struct {
	w    *bufio.Writer
	many bool
	err  error
}

func (l *jsonList) text(s string) {
	if l.err == nil {
		_, l.err = l.w.WriteString(s)
	}
}

func (l *jsonList) value(v any) {
	raw, err := json.Marshal(v)
	if l.err == nil {
		l.err = err
	}
	l.text(string(raw))
}

// add writes the next element, on a line of its own.
func (l *jsonList) add(v any) {
	if l.many {
		l.text(",")
	}
	l.many = true
	l.text("\n")
	l.value(v)
}

func (l *jsonList) end() error {
	if l.err != nil {
		return l.err
	}
	return l.w.Flush()
}
