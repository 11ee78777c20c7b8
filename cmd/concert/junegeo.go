package main

import (
	"errors"
	"math"
	"net"
	"os"
	"strings"

	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"

	"concert/internal/exercise"
)

// juneStates are the 133 states that the invented visitors come from. Which address
// is whose is invented, too.
const juneStates = "FR DE GB TR US MA TN DZ BE ES IT NL SE AT RU UA PL SA EG IQ JO LB LY ID MY PK BD IN KZ UZ KG TJ AZ GE AM AL BA XK MK RS ME BG RO GR CY MT HU CZ SK SI HR CH LI LU DK NO FI IS IE PT EE LV LT " +
	"AE KW QA BH OM YE SY IR AF LK NP MV PH TH SG JP KR AU NZ CA MX BR AR CL CO PE VE EC BO PY UY PA CR DO GT ZA NG NE ML MR SN GM GN CI GH BF BJ TG CM TD CF SD SO DJ ET KE UG TZ RW MZ MG MU BY MD MN VN KH CG GA BI"

// juneFew is how many of the states hardly anybody comes from.
const juneFew = 10

// inventCountries writes a country database in which every sixteenth part of a network
// is some state's: most are large states', some are of states that have next to
// nobody.
func inventCountries(path string) (err error) {
	t, err := mmdbwriter.New(mmdbwriter.Options{DatabaseType: "EXERCISE-invented-country", BuildEpoch: exercise.SeizureStart.Unix(), RecordSize: 24, IncludeReservedNetworks: true, Description: map[string]string{"en": "EXERCISE: invented"}})
	if err != nil {
		return err
	}
	states := strings.Fields(juneStates)
	many := len(states) - juneFew
	value := func(i int) mmdbtype.DataType {
		return mmdbtype.Map{"country_code": mmdbtype.String(states[i])}
	}
	for n := range 1 << 16 {
		u := float64(uint32(n+1)*2654435761) / (1 << 32) // Fibonacci hashing: spread and always the same
		i := int(float64(many) * math.Pow(u, 2.2))
		if n%1024 < juneFew {
			i = many + n%1024
			if n/1024%8 != 3 {
				i = 0
			}
		}
		if err := t.Insert(&net.IPNet{IP: net.IPv4(byte(n>>8), byte(n), 0, 0).To4(), Mask: net.CIDRMask(16, 32)}, value(i)); err != nil {
			return err
		}
	}
	for n := range 16 {
		six := make(net.IP, net.IPv6len)
		six[0], six[1] = 0x2a, byte(n)
		if err := t.Insert(&net.IPNet{IP: six, Mask: net.CIDRMask(16, 128)}, value(n)); err != nil {
			return err
		}
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = t.WriteTo(f)
	return errors.Join(err, f.Close())
}
