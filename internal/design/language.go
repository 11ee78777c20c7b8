package design

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/language"
)

// Language is one that the pages can be read in.
type Language struct {
	Code string // BCP 47
	Name string // its own name of itself
	Dir  string // ltr or rtl
}

// Languages lists them; the first is that of the texts' keys.
func Languages() []Language {
	return []Language{{"en", "English", "ltr"}, {"fr", "Français", "ltr"}, {"ar", "العربية", "rtl"}}
}

// LanguageOf is the language of the code, and whether there is one.
func LanguageOf(code string) (Language, bool) {
	all := Languages()
	i := slices.IndexFunc(all, func(l Language) bool { return l.Code == code })
	if i < 0 {
		return all[0], false
	}
	return all[i], true
}

// Negotiated is the language that the browser asks for first of those there
// are (RFC 9110, 12.5.4), English where it asks for none of them.
func Negotiated(r *http.Request) Language {
	all := Languages()
	wanted, _, err := language.ParseAcceptLanguage(r.Header.Get("Accept-Language"))
	if err != nil {
		return all[0]
	}
	for _, tag := range wanted {
		base, _ := tag.Base()
		if l, ok := LanguageOf(base.String()); ok {
			return l
		}
	}
	return all[0]
}

// Themes are the colours a reader may choose; the empty one follows the device.
var themes = [...]string{"", "light", "dark"}

// Themes lists them.
func Themes() []string { return slices.Clone(themes[:]) }

// Reader is how somebody reads: what preferences, browser and door know of it.
type Reader struct {
	Language Language
	Zone     *time.Location // UTC where none was chosen
	Theme    string         // one of Themes
}

type readerKey struct{}

// WithReader is the context of answering this reader.
func WithReader(ctx context.Context, r Reader) context.Context {
	if r.Zone == nil {
		r.Zone = time.UTC
	}
	return context.WithValue(ctx, readerKey{}, r)
}

// ReaderOf is whom the context answers; English in UTC where nobody was named.
func ReaderOf(ctx context.Context) Reader {
	if r, ok := ctx.Value(readerKey{}).(Reader); ok {
		return r
	}
	return Reader{Language: Languages()[0], Zone: time.UTC}
}

// ZoneOf is the IANA time zone of that name, and whether there is one; "" and
// "Local" are none, since the server's own zone is nobody's.
func ZoneOf(name string) (*time.Location, bool) {
	if name == "" || name == "Local" || strings.Contains(name, "..") {
		return time.UTC, false
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return time.UTC, false
	}
	return zone, true
}
