package formats

import (
	_ "embed"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"concert"
)

// UserNotice is what a provider may tell its user whose content was referred or ordered
// removed (Art. 11(1)): a text that the provider sends in its own name, and may change.
// It names the authority, says of a referral that it is voluntary, and leads to the page
// on which the user sees why and can complain.
type UserNotice struct {
	Kind     concert.AboutKind
	Provider string
	Author   string // the authority or unit
	Country  string
	Ref      string // of the order or referral
	Item     string // its reference
	Date     time.Time
	Link     string
	Until    time.Time // until when the link works
	Exercise bool
}

type userNoticeText struct {
	Name      string `json:"name"`
	Direction string `json:"direction"`
	Exercise  string `json:"exercise"`
	Referral  string `json:"referral"`
	Order     string `json:"order"`
}

//go:embed usernotice/texts.json
var userNoticeFile []byte

var userNotices = sync.OnceValues(func() (map[string]userNoticeText, error) {
	var all map[string]userNoticeText
	if err := json.Unmarshal(userNoticeFile, &all, json.RejectUnknownMembers(true)); err != nil {
		return nil, fmt.Errorf("usernotice/texts.json: %w", err)
	}
	return all, nil
})

// UserNoticeLanguages are those in which there is a text, sorted.
func UserNoticeLanguages() []string {
	all, err := userNotices()
	if err != nil {
		return nil
	}
	return slices.Sorted(maps.Keys(all))
}

// Text is the notice in the language (BCP 47), or in English where there is none in it;
// of an exercise it says so first.
func (n UserNotice) Text(lang string) (string, error) {
	all, err := userNotices()
	if err != nil {
		return "", err
	}
	t, ok := all[concert.LanguageBase(lang)]
	if !ok {
		t = all["en"]
	}
	form := t.Referral
	if n.Kind == concert.AboutOrder {
		form = t.Order
	}
	// What is filled in stands there as it is, also where it holds braces.
	text := strings.NewReplacer("{item}", n.Item, "{provider}", n.Provider, "{author}", n.Author, "{country}", n.Country, "{ref}", n.Ref,
		"{date}", n.Date.UTC().Format(time.DateOnly), "{until}", n.Until.UTC().Format(time.DateOnly), "{link}", n.Link).Replace(form)
	if n.Exercise {
		text = t.Exercise + "\n" + text
	}
	return text, nil
}
