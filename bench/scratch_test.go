package bench

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"concert"
	"concert/internal/store"
	"concert/internal/testkit"
)

func TestScratchFill(t *testing.T) {
	addr := os.Getenv("FILL")
	n, _ := strconv.Atoi(os.Getenv("N"))
	s := testkit.ServiceAt(t, addr)
	h := testkit.Furnish(t, s)
	at := time.Now()
	h.Fill(n)
	t.Log("filled", time.Since(at))
	h.Steady(t)
	t.Log("steady", time.Since(at))
}

func TestScratchMeasure(t *testing.T) {
	s := testkit.ServiceAt(t, os.Getenv("FILL"))
	ctx := context.Background()
	g, err := s.Registers(ctx)
	testkit.Must(t, err)
	var desk concert.AuthorityID
	var small concert.AuthorityID
	for id, a := range g.Authorities {
		if a.Unit == "NORTH" {
			desk = id
		}
		if a.Unit == "EX17" {
			small = id
		}
	}
	var prov concert.ProviderID
	for id, p := range g.Providers {
		if p.Name == "EXERCISE Service 06" {
			prov = id
		}
	}
	var outlet concert.OutletID
	for id, p := range g.Scope.Outlets {
		if p.Name == "EXERCISE Outlet 10" {
			outlet = id
		}
	}
	var action concert.ActionID
	for id := range g.Actions {
		action = id
	}
	var who concert.Person
	testkit.Must(t, s.DB.View(ctx, func(tx *store.Tx) (err error) { who, err = tx.PersonByLogin(ctx, "auditor"); return }))
	scope := testkit.Scope(t, who.Actor())
	_ = small
	for _, c := range []struct {
		name string
		q    concert.ItemSearch
	}{
		{"everything", concert.ItemSearch{}},
		{"desk", concert.ItemSearch{Desk: desk}},
		{"desk open", concert.ItemSearch{Desk: desk, Status: concert.ItemOpen}},
		{"desk closed", concert.ItemSearch{Desk: desk, Status: concert.ItemClosed}},
		{"closed", concert.ItemSearch{Status: concert.ItemClosed}},
		{"closed prov", concert.ItemSearch{Status: concert.ItemClosed, Provider: prov}},
		{"closed outlet", concert.ItemSearch{Status: concert.ItemClosed, Outlet: outlet}},
		{"closed nothing", concert.ItemSearch{Status: concert.ItemClosed, Language: "xx"}},
		{"any nothing", concert.ItemSearch{Language: "xx"}},
		{"desk any nothing", concert.ItemSearch{Desk: desk, Language: "xx"}},
		{"desk closed nothing", concert.ItemSearch{Desk: desk, Status: concert.ItemClosed, Language: "xx"}},
		{"small desk any nothing", concert.ItemSearch{Desk: small, Language: "xx"}},
		{"desk action", concert.ItemSearch{Desk: desk, Action: action, Type: concert.TypeNewsletter}},
		{"desk urgent", concert.ItemSearch{Desk: desk, Priority: 7}},
		{"found", concert.ItemSearch{Desk: desk, Found: true}},
		{"found nothing", concert.ItemSearch{Desk: desk, Found: true, Language: "xx"}},
		{"days", concert.ItemSearch{From: s.Now().AddDate(0, -1, 0), Status: concert.ItemClosed}},
	} {
		for _, order := range []string{"urgent", "newest", "oldest"} {
			var took []time.Duration
			rows, looked := 0, 0
			for range 40 {
				at := time.Now()
				testkit.Must(t, s.DB.View(ctx, func(tx *store.Tx) error {
					got, err := tx.SearchItems(ctx, scope, c.q, concert.Page{Order: order, Limit: 51})
					rows, looked = len(got.Rows), got.Looked
					return err
				}))
				took = append(took, time.Since(at))
			}
			first := took[0]
			slices.Sort(took)
			fmt.Printf("%-24s %-7s rows %3d looked %5d first %8s p50 %8s max %8s\n", c.name, order, rows, looked, first.Round(100*time.Microsecond), took[20].Round(100*time.Microsecond), took[39].Round(100*time.Microsecond))
		}
	}
}
