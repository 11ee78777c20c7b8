package formats

import (
	"cmp"
	"strings"

	"concert"
)

// bankLight is how one handling code is told in the words of others, which know
// other steps: each time the nearest that allows no more (docs/banks.md). The way
// back is [handlingOf], so H1, for which others have no word, comes back as H2.
type bankLight struct {
	tlp          string // of MISP's tags
	marking      string // of STIX, TLP 2
	shareLevel   string // of ThreatExchange, which knows neither CLEAR nor STRICT
	distribution string // of MISP: this community, or the own organisation
}

// bankLights is the table.
var bankLights = map[concert.Handling]bankLight{
	concert.HandlingOpen:        {"tlp:green", "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb", "GREEN", "1"},
	concert.HandlingNotJudicial: {"tlp:amber", "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421", "AMBER", "0"},
	concert.HandlingNotShared:   {"tlp:amber+strict", "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003", "AMBER", "0"},
	concert.HandlingRestricted:  {"tlp:red", "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1", "RED", "0"},
}

// lightOf tells a code; one that is not known is told as the strictest.
func lightOf(h concert.Handling) bankLight {
	if l, ok := bankLights[h]; ok {
		return l
	}
	return bankLights[concert.HandlingRestricted]
}

// stricter is the more restricted of a code and a light, "" for neither.
func stricter(h concert.Handling, tag string) concert.Handling {
	return max(h, concert.Handling(handlingOf(tag)))
}

// Labels that carry what only one form has a field for.
const (
	severityLabel = "severity:" // of ThreatExchange
	ideologyLabel = "ideology:" // of Tech Against Terrorism
	fileLabel     = "file:"     // likewise: the ending of the file's name
)

// labelled is what stands behind a prefix in the first label that has it, and the
// labels that have not.
func labelled(labels []string, prefix string) (value string, rest []string) {
	for _, l := range labels {
		if v, ok := strings.CutPrefix(l, prefix); ok {
			value = cmp.Or(value, v)
		} else {
			rest = append(rest, l)
		}
	}
	return value, rest
}
