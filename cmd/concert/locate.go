package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"concert/internal/match"
)

// sorted are a register's entries by the name.
func sorted[K comparable, V any](m map[K]V, name func(V) string) []V {
	return slices.SortedFunc(maps.Values(m), func(a, b V) int { return strings.Compare(name(a), name(b)) })
}

type locateCmd struct {
	JSON   bool     `help:"One object a line." name:"json"`
	Inputs []string `arg:"" name:"location" help:"Locations, or - to read one a line from standard input."`
}

// located is one answer of locate.
type located struct {
	Input             string `json:"input"`
	Kind              string `json:"kind"`
	Canonical         string `json:"canonical"`
	Platform          string `json:"platform"`
	ObjectID          string `json:"object_id"`
	RegistrableDomain string `json:"registrable_domain"`
	Verdict           string `json:"verdict"`
	Reason            string `json:"reason"`
	Error             string `json:"error"`
}

// maxLocateLine bounds a line of standard input; a longer one is an error of
// its own.
const maxLocateLine = 1 << 20

// Run says of each location what it is.
func (c *locateCmd) Run(e *env) error {
	rules := match.DefaultRules()
	bad := 0
	out := bufio.NewWriter(e.stdout)
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	one := func(input string) error {
		l := locateOne(rules, input)
		if l.Error != "" {
			bad++
		}
		if c.JSON {
			return enc.Encode(l)
		}
		if l.Error != "" {
			_, err := fmt.Fprintf(out, "%s\n  error: %s\n", l.Input, l.Error)
			return err
		}
		_, err := fmt.Fprintf(out, "%s\n  %s  %s\n  %s: %s\n", l.Input, l.Kind, l.Canonical, l.Verdict, l.Reason)
		return err
	}
	for _, in := range c.Inputs {
		if in != "-" {
			if err := one(in); err != nil {
				return err
			}
			continue
		}
		sc := bufio.NewScanner(e.stdin)
		sc.Buffer(make([]byte, 0, 1<<16), maxLocateLine)
		for sc.Scan() {
			if line := strings.TrimRight(sc.Text(), "\r"); line != "" {
				if err := one(line); err != nil {
					return err
				}
			}
		}
		if err := sc.Err(); err != nil {
			return errors.Join(out.Flush(), fmt.Errorf("standard input: %w", err))
		}
	}
	if err := out.Flush(); err != nil {
		return err
	}
	if bad > 0 && !c.JSON {
		return &exitError{code: exitFailed, err: fmt.Errorf("%d of the locations cannot be read", bad)}
	}
	return nil
}

func locateOne(rules *match.Rules, input string) located {
	l, err := match.Locate(input)
	if err != nil {
		if len(input) > 300 {
			input = input[:300] + "…"
		}
		return located{Input: input, Error: err.Error()}
	}
	g := rules.Check(l)
	return located{Input: input, Kind: string(l.Kind), Canonical: l.Canonical, Platform: l.Platform, ObjectID: l.ObjectID, RegistrableDomain: l.RegistrableDomain, Verdict: string(g.Verdict), Reason: g.Reason}
}
