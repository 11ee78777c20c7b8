package exercise

import (
	"fmt"
	"strconv"
	"strings"
)

// tokenMark begins the token of digits by which a place names its item number.
const tokenMark = "ex"

// tokenDigits is the least number of digits in a token.
const tokenDigits = 7

func token(n uint32) string { return fmt.Sprintf("%s%0*d", tokenMark, tokenDigits, n) }

// number finds the item number in a place, whatever its spelling.
func number(place string) (n uint32, ok bool) {
	for i := 0; i+len(tokenMark)+tokenDigits <= len(place); i++ {
		if place[i]|0x20 != tokenMark[0] || place[i+1]|0x20 != tokenMark[1] {
			continue
		}
		end := i + len(tokenMark)
		for end < len(place) && '0' <= place[end] && place[end] <= '9' {
			end++
		}
		digits := place[i+len(tokenMark) : end]
		if len(digits) < tokenDigits || len(digits) > tokenDigits && digits[0] == '0' {
			continue
		}
		v, err := strconv.ParseUint(digits, 10, 32)
		return uint32(v), err == nil
	}
	return 0, false
}

// kind is "web" or the word before the colon of the place's text form.
func (s *script) kind(n uint32) string {
	if f := s.fate(n); f == toGuard || s.inLibrary(n) || s.pageOnly(n) {
		return "web"
	}
	at := s.part(n, drawForm)
	for _, f := range providers[s.provider(n)].forms {
		if at -= f.share; at < 0 {
			return f.kind
		}
	}
	return "web"
}

// pageOnly reports whether the item's outcome can only be told by a look.
func (s *script) pageOnly(n uint32) bool { return s.fate(n).referred() && s.outcome(n).onPages() }

// place is where the item is, as its first finder writes it.
func (s *script) place(n uint32) string {
	t, k := token(n), s.pick(n, drawForm, 400)
	if s.fate(n) == toGuard {
		switch s.pick(n, drawForm, 3) {
		case 0:
			return "http://mirror-" + t + ".example/"
		case 1:
			return "http://" + providers[atClips].host + "/search?q=" + t
		}
		return "http://" + providers[atSites].host + "/search/" + t
	}
	if s.inLibrary(n) {
		return "http://" + libraryHost + "/deposit/" + t + ".html"
	}
	p := providers[s.provider(n)]
	switch s.kind(n) {
	case "channel":
		return "channel:" + p.platforms[0] + "/exercise_" + t
	case "account":
		return "account:" + p.platforms[0] + "/" + t
	case "bot":
		return "bot:" + p.platforms[0] + "/exercise_" + t + "_bot"
	case "app":
		return "app:store-eg/org.exercise." + t
	case "extension":
		return "extension:addons-eg/exercise-" + t
	case "newsletter":
		return "newsletter:" + t + ".lists.brief-eg.example/exercise-" + t + "@brief-eg.example"
	case "stream":
		return "stream:http://" + p.host + "/live/" + t + ".m3u8"
	}
	return "http://" + p.host + s.path(n, t, k)
}

// path is the shape of a single item's page at each provider.
func (s *script) path(n uint32, t string, k int) string {
	switch providers[s.provider(n)].key {
	case "kanal":
		return fmt.Sprintf("/m/exercise%d/%s", k, t)
	case "clips":
		return fmt.Sprintf("/u/exercise%d/p/%s", k, t)
	case "files":
		return "/f/" + t + "/video.mp4"
	case "paste":
		return "/p/" + t
	case "photos":
		return fmt.Sprintf("/album/%d/photo/%s", k+1, t)
	case "sites":
		return fmt.Sprintf("/site%d/post-%s.html", k, t)
	case "store":
		return "/item/" + t
	case "brief":
		return "/letter/" + t
	}
	return "/watch?v=" + t
}

// respelled is the same place as another unit wrote it down.
func (s *script) respelled(n uint32) string {
	place := s.place(n)
	rest, web := strings.CutPrefix(place, "http://")
	if !web {
		return place
	}
	host, path, _ := strings.Cut(rest, "/")
	switch s.pick(n, drawSpelling, 5) {
	case 0:
		return "hxxp://" + strings.ReplaceAll(host, ".", "[.]") + "/" + path
	case 1:
		return "HTTP://" + strings.ToUpper(host) + ":80/" + path
	case 2:
		mark := "?"
		if strings.Contains(path, "?") {
			mark = "&"
		}
		return place + mark + "utm_source=exercise"
	}
	return place
}

// itemType is the declared type of thing.
func (s *script) itemType(n uint32) string {
	switch k := s.kind(n); k {
	case "channel", "account", "bot", "app", "extension", "newsletter":
		return k
	case "stream":
		return "audio"
	}
	if s.fate(n) == toGuard && strings.HasSuffix(s.place(n), ".example/") {
		return "website"
	}
	switch at := s.pick(n, drawText, 20); {
	case at < 9:
		return "video"
	case at < 13:
		return "image"
	case at < 16:
		return "text"
	case at < 18:
		return "audio"
	}
	return "document"
}
