package concert

// Handling is a handling code: what may be done with a piece of information
// beyond the work it was handed in for (Europol's H codes, used by SIENA; G23).
type Handling string

// The codes.
const (
	HandlingOpen        Handling = "H0" // only to prevent and combat crime
	HandlingNotJudicial Handling = "H1" // not in judicial proceedings without its giver's permission
	HandlingNotShared   Handling = "H2" // not to be passed on without its giver's permission
	HandlingRestricted  Handling = "H3" // other restrictions, said in words
)

// Handlings lists the codes from the most open to the most restricted.
var Handlings = []Handling{HandlingOpen, HandlingNotJudicial, HandlingNotShared, HandlingRestricted}
