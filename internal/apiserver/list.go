package apiserver

import (
	"encoding/base64"
	"net/url"

	"concert"
	"concert/api"
)

// searchFar is how often a search for a page of the API goes on by itself where a
// look ends before the page is full: a program asks on until there is no cursor.
const searchFar = 5

// pageOf is a page of a search as the API gives it: with the cursor of what comes
// after it, which is of the last row, or of where the search stopped.
func pageOf[R, O any](found concert.Listed[R], limit int, of func(R) O, last func(R) string, rest func(keys []string) string) api.Page[O] {
	out := api.Page[O]{Items: make([]O, len(found.Rows))}
	for i, r := range found.Rows {
		out.Items[i] = of(r)
	}
	switch n := len(found.Rows); {
	case found.Rest != nil:
		out.Next = base64.RawURLEncoding.EncodeToString([]byte(rest(found.Rest)))
	case n > 0 && n == limit:
		out.Next = last(found.Rows[n-1])
	}
	return out
}

// idKeys are the keys of a cursor of a list that is sorted by its ids.
func idKeys(cursor string) ([]string, error) {
	_, id, err := parseCursor(cursor)
	if err != nil || id == "" {
		return nil, err
	}
	return []string{id}, nil
}

// idCursor is the inside of a cursor at these keys.
func idCursor(keys []string) string { return "0:" + keys[0] }

// asked is a search for the record of the reading: names and values by turns,
// without those that ask nothing.
func asked(pairs ...string) string {
	v := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			v.Set(pairs[i], pairs[i+1])
		}
	}
	return v.Encode()
}

// flagged is a switch as a filter's value, "" for off.
func flagged(on bool) string {
	if on {
		return "true"
	}
	return ""
}
