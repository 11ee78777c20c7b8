package testkit

import (
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"
)

// Countries is an invented country database, in a file: of 198.51.100.0/24 an eighth
// each is one of eight states'.
func Countries(t testing.TB) string {
	t.Helper()
	tree, err := mmdbwriter.New(mmdbwriter.Options{DatabaseType: "EXERCISE-invented-country", BuildEpoch: time.Date(2017, 6, 1, 0, 0, 0, 0, time.UTC).Unix(), RecordSize: 24, IncludeReservedNetworks: true})
	Must(t, err)
	for i, state := range []string{"FR", "DE", "US", "MA", "EG", "AU", "BR", "IN"} {
		of := &net.IPNet{IP: net.IPv4(198, 51, 100, byte(i*32)).To4(), Mask: net.CIDRMask(27, 32)}
		Must(t, tree.Insert(of, mmdbtype.Map{"country_code": mmdbtype.String(state)}))
	}
	path := filepath.Join(t.TempDir(), "country.mmdb")
	f, err := os.Create(path)
	Must(t, err)
	_, err = tree.WriteTo(f)
	Must(t, err)
	Must(t, f.Close())
	return path
}
