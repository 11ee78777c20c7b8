package webui

import (
	"net/http"
	"net/url"
	"testing"
)

// A page is read in the language and the zone that the browser asks for or that its reader chose, times always with UTC.
func TestPagesAreReadInTheReadersLanguageAndZone(t *testing.T) {
	t.Parallel()
	h := open(t)
	v := h.as("officer")
	if got := attr(v.get("/items").first(tag("html")), "dir"); got != "ltr" {
		t.Errorf("an English page runs %q", got)
	}
	v.post("/preferences", url.Values{"language": {"ar"}, "zone": {"Mars/Olympus"}, "theme": {""}}).want(t, http.StatusUnprocessableEntity, "Mars/Olympus")
	p := v.post("/preferences", url.Values{"language": {"ar"}, "zone": {"Europe/Brussels"}, "theme": {"dark"}, "next": {"/items"}}).want(t, http.StatusOK)
	root := p.first(tag("html"))
	if attr(root, "lang") != "ar" || attr(root, "dir") != "rtl" || attr(root, "data-theme") != "dark" {
		t.Errorf("the page is not as it was chosen: %v", root.Attr)
	}
	v.post("/preferences", url.Values{"language": {"en"}, "zone": {"Europe/Brussels"}, "theme": {""}, "next": {"/scope"}}).want(t, http.StatusOK)
	v.get("/design").want(t, http.StatusOK, "CET (", "UTC)")
	v.post("/preferences", url.Values{"language": {"en"}, "next": {"//elsewhere.example/"}}).want(t, http.StatusOK)
}
