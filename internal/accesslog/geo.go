package accesslog

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/oschwald/maxminddb-golang/v2"
)

// countries is how many codes there are: two letters, and 0 for unknown.
const countries = 26*26 + 1

// Geo says in which country an address is registered, by a database in
// MaxMind's format. It is used from many goroutines.
type Geo struct {
	db     *maxminddb.Reader
	data   []byte
	sha256 string
}

// maxGeo bounds the database, which is read whole: 512 MiB.
const maxGeo = 512 << 20

// OpenGeo reads a country database whole, so that its digest is of what answers.
func OpenGeo(path string) (*Geo, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("country database: %w", err)
	}
	if !st.Mode().IsRegular() || st.Size() > maxGeo {
		return nil, fmt.Errorf("country database %s: it must be a file of at most %d MiB", path, maxGeo>>20)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("country database: %w", err)
	}
	defer f.Close()
	g, err := ReadGeo(f)
	if err != nil {
		return nil, fmt.Errorf("country database %s: no database in MaxMind's format (.mmdb); concert accesslog geo -o FILE fetches one: %w", path, err)
	}
	return g, nil
}

// ReadGeo is OpenGeo of a file that is open.
func ReadGeo(f *os.File) (*Geo, error) {
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	data := make([]byte, min(st.Size(), maxGeo))
	if _, err := f.ReadAt(data, 0); err != nil && err != io.EOF {
		return nil, err
	}
	db, err := maxminddb.OpenBytes(data)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(data)
	return &Geo{db, data, hex.EncodeToString(sum[:])}, nil
}

// WriteTo writes the database as it was read.
func (g *Geo) WriteTo(w io.Writer) (int64, error) {
	n, err := w.Write(g.data)
	return int64(n), err
}

// HasASN reports whether the database knows autonomous systems, by its type.
func (g *Geo) HasASN() bool {
	return strings.Contains(strings.ToLower(g.db.Metadata.DatabaseType), "asn")
}

// info is what the report says of the database.
func (g *Geo) info() *GeoInfo {
	m := g.db.Metadata
	return &GeoInfo{Build: time.Unix(int64(m.BuildEpoch), 0).UTC().Format(time.RFC3339), SHA256: g.sha256, Type: m.DatabaseType}
}

// place is what a database says of an address.
type place struct {
	country    uint16
	unreliable bool
	asn        uint32
}

// placesMost bounds what is remembered of a database's places.
const placesMost = 1 << 16

// place looks an address up. What a database does not say is unknown. Networks
// share what is said of them, so each place is decoded once and then known.
func (g *Geo) place(a netip.Addr, known map[uintptr]place) place {
	r := g.db.Lookup(a)
	if !r.Found() {
		return place{}
	}
	p, ok := known[r.Offset()]
	if ok {
		return p
	}
	p = decodePlace(r)
	if len(known) >= placesMost {
		clear(known)
	}
	known[r.Offset()] = p
	return p
}

// Country is the country that the database says of an address, two letters; "" for
// none.
func (g *Geo) Country(a netip.Addr) string {
	r := g.db.Lookup(a)
	if !r.Found() {
		return ""
	}
	if id := decodePlace(r).country; id != 0 {
		return CountryCode(id)
	}
	return ""
}

func decodePlace(r maxminddb.Result) (p place) {
	for _, path := range [][]any{{"country_code"}, {"country", "iso_code"}, {"registered_country", "iso_code"}, {"country"}} {
		var code string
		if err := r.DecodePath(&code, path...); err == nil && code != "" {
			if p.country = countryID(code); p.country != 0 {
				break
			}
		}
	}
	for _, path := range [][]any{{"is_anonymous"}, {"is_hosting_provider"}, {"is_anonymous_proxy"}, {"traits", "is_anonymous_proxy"}, {"traits", "is_anonymous"}, {"traits", "is_hosting_provider"}} {
		var yes bool
		if err := r.DecodePath(&yes, path...); err == nil && yes {
			p.unreliable = true
			break
		}
	}
	for _, path := range [][]any{{"autonomous_system_number"}, {"traits", "autonomous_system_number"}} {
		if err := r.DecodePath(&p.asn, path...); err == nil && p.asn != 0 {
			break
		}
	}
	return p
}

// countryID packs a code of two capital letters; 0 for anything else.
func countryID(code string) uint16 {
	if len(code) != 2 {
		return 0
	}
	a, b := code[0]|0x20, code[1]|0x20
	if a < 'a' || a > 'z' || b < 'a' || b > 'z' {
		return 0
	}
	return uint16(a-'a')*26 + uint16(b-'a') + 1
}

// CountryCode is the country that Coded has as a number: two letters, or "unknown".
func CountryCode(id uint16) string {
	if id == 0 {
		return "unknown"
	}
	return string([]byte{'A' + byte((id-1)/26), 'A' + byte((id-1)%26)})
}

// Networks are networks whose addresses say nothing about a person's country:
// hosting, proxies, exits of anonymisers.
type Networks struct {
	ranges []netRange
	asns   map[uint32]bool
}

type netRange struct{ from, to netip.Addr }

// ParseNetworks reads a list: a network (192.0.2.0/24), an address or a number
// of an autonomous system (AS64496) a line, what follows it left out, # begins a
// comment. An error names the line by its number.
func ParseNetworks(list []byte) (*Networks, error) {
	n := &Networks{asns: map[uint32]bool{}}
	no := 0
	for line := range strings.Lines(string(list)) {
		no++
		line, _, _ = strings.Cut(line, "#")
		fields := strings.FieldsFunc(line, func(r rune) bool { return r == ' ' || r == '\t' || r == ',' || r == ';' || r == '\r' || r == '\n' })
		if len(fields) == 0 {
			continue
		}
		word := fields[0]
		if asn, ok := strings.CutPrefix(strings.ToUpper(word), "AS"); ok {
			v, err := strconv.ParseUint(asn, 10, 32)
			if err != nil {
				return nil, fmt.Errorf("line %d is no number of an autonomous system; write AS64496", no)
			}
			n.asns[uint32(v)] = true
			continue
		}
		p, err := netip.ParsePrefix(word)
		if err != nil {
			a, err := netip.ParseAddr(word)
			if err != nil {
				return nil, fmt.Errorf("line %d is no network; write 192.0.2.0/24, an address, or AS64496", no)
			}
			p = netip.PrefixFrom(a, a.BitLen())
		}
		p = p.Masked()
		n.ranges = append(n.ranges, netRange{netip.AddrFrom16(p.Addr().As16()), lastOf(p)})
	}
	slices.SortFunc(n.ranges, func(a, b netRange) int { return a.from.Compare(b.from) })
	// Ranges that overlap become one, so that one look finds the only one that can hold an address.
	merged := n.ranges[:0]
	for _, r := range n.ranges {
		if k := len(merged); k > 0 && r.from.Compare(merged[k-1].to) <= 0 {
			if r.to.Compare(merged[k-1].to) > 0 {
				merged[k-1].to = r.to
			}
			continue
		}
		merged = append(merged, r)
	}
	n.ranges = merged
	return n, nil
}

// lastOf is a network's last address, mapped into IPv6.
func lastOf(p netip.Prefix) netip.Addr {
	b := p.Addr().As16()
	bits := p.Bits()
	if p.Addr().Is4() {
		bits += 96
	}
	for i := bits; i < 128; i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	return netip.AddrFrom16(b)
}

// NeedsASN reports whether the list names autonomous systems, which only a
// database can find.
func (n *Networks) NeedsASN() bool { return n != nil && len(n.asns) > 0 }

func (n *Networks) has(a netip.Addr, asn uint32) bool {
	if n == nil {
		return false
	}
	if asn != 0 && n.asns[asn] {
		return true
	}
	a = netip.AddrFrom16(a.As16())
	i, _ := slices.BinarySearchFunc(n.ranges, a, func(r netRange, a netip.Addr) int {
		if r.from.Compare(a) <= 0 {
			return -1
		}
		return 1
	})
	return i > 0 && a.Compare(n.ranges[i-1].to) <= 0
}
