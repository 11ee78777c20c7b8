package accesslog

// Reason says why a line was rejected. The texts are part of the report.
type Reason uint8

// The reasons, in the order of a parser's way through a line.
const (
	Accepted      Reason = iota
	Comment              // a W3C directive or another line that the format has for itself; counted as rejected, since it is no access
	NulBytes             // holds NUL bytes, as files do that a crash or a full disk left
	TooLong              // longer than the limit; it was never held whole
	BadAddress           // where the client stands is neither an address nor a host name
	BadTime              // no time of the format, or none that exists
	BadRequest           // the request is not where the format has it, or its quotes do not close
	BadStatus            // no status of three digits
	BadSize              // no number of bytes, and no hyphen
	BadField             // another field is missing or does not end
	BadJSON              // not one JSON object
	Extra                // something stands after the last field
	UnknownFormat        // the file's format is unknown, so nothing in it could be read
	NoFields             // a W3C line before any #Fields directive
	NoYear               // a time without a year, and nothing says which
	Ambiguous            // what somebody else wrote into it lets it be read in two ways
	reasons
)

// String is the reason's name in a report.
func (r Reason) String() string {
	names := [reasons]string{"accepted", "directive", "nul_bytes", "too_long", "address", "time", "request", "status", "size", "field", "json", "extra_text", "format_unknown", "no_fields_directive", "year_unknown", "ambiguous"}
	if r >= reasons {
		return "unknown"
	}
	return names[r]
}

// record is one access as its parser read it. The slices point into the line or
// into the parser's own memory and are good until the next line.
type record struct {
	addr     []byte // address or host name of the client
	user     []byte // who was logged in; nil or "-" for nobody
	method   []byte
	target   []byte // path and query, or the whole of what was asked for
	referrer []byte // nil where the format has none
	agent    []byte // nil where the format has none
	sec      int64  // seconds since 1970, UTC
	zone     int32  // seconds east of UTC as written; zoneless where nothing was written
	status   int32
	bytes    int64

	offset int64  // of the line
	length int    // of the line
	line   []byte // itself, without its end
	// What is found out before the tables are asked, so that memory answers for many lines at once.
	client     address
	named      bool   // the client is a host name
	clientHash uint64 // of client
	path       []byte // target without query
	query      []byte // nil for none
	pathHash   uint64
	from       []byte // referrer without query; nil for none
	fromHash   uint64
}

// loggedIn reports whether the line says who was logged in.
func (r *record) loggedIn() bool {
	return len(r.user) > 0 && !(len(r.user) == 1 && r.user[0] == '-') && string(r.user) != `""`
}

// zoneless marks a time without a zone, which is read as UTC.
const zoneless = int32(1 << 30)

// parser reads one line, without its end, into the record.
type parser func(line []byte, r *record) Reason

func digit(b byte) bool { return b-'0' <= 9 }
