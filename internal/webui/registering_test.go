package webui

import (
	"net/http"
	"net/url"
	"testing"
)

// A deployment is furnished on the pages alone: who may not add sees no form and is refused, and what was typed wrongly is kept.
func TestRegistersGrowOnPages(t *testing.T) {
	t.Parallel()
	h := open(t)
	ada, officer := h.as("admin"), h.as("officer")

	authority := url.Values{"name": {"EXERCISE Unit West"}, "unit": {"WEST"}, "kind": {"prosecutor"}, "country": {"xyz"}, "contact": {"EXERCISE desk"}}
	p := ada.post("/authorities", authority).want(t, http.StatusUnprocessableEntity, "two capital letters")
	if p.value("unit") != "WEST" {
		t.Error("what was typed is gone")
	}
	authority.Set("country", "xw")
	ada.post("/authorities", authority).want(t, http.StatusOK, "Registered.", "EXERCISE Unit West", "XW")
	if officer.get("/authorities").want(t, http.StatusOK, "EXERCISE Unit West").first(tagWith("input", "id", "f-authority-name")) != nil {
		t.Error("an officer is offered to register authorities")
	}
	officer.post("/authorities", authority).want(t, http.StatusForbidden)

	provider := url.Values{"name": {"EXERCISE Cloud"}, "kind": {"cdn"}, "country": {"XC"}, "platforms": {"cloud.example edge.example"}, "channel": {"webhook"}, "quiet_from": {"22:00"}, "quiet_to": {"7 o'clock"}, "per_hour": {"many"}}
	for _, step := range []struct{ field, value, told string }{{"webhook_url", "", "needs its https address"}, {"webhook_url", "ftp://x.example", "times of day"}, {"quiet_to", "07:00", "items an hour"}, {"per_hour", "40", "is https"}} {
		provider.Set(step.field, step.value)
		if p := ada.post("/providers", provider).want(t, http.StatusUnprocessableEntity, step.told); p.value("name") != "EXERCISE Cloud" {
			t.Error("what was typed is gone")
		}
	}
	provider.Set("webhook_url", "https://cloud.example/hook")
	ada.post("/providers", provider).want(t, http.StatusOK, "Registered.", "EXERCISE Cloud", "content delivery network", "cloud.example, edge.example")
	ada.get("/providers").want(t, http.StatusOK, "quiet 22:00 to 07:00, UTC", "40 an hour")
	officer.post("/providers", provider).want(t, http.StatusForbidden)

	outlet := url.Values{"name": {""}, "aliases": {"EXERCISE News, the\nEXERCISE Voice"}, "sites": {"voice.example"}}
	officer.post("/outlets", outlet).want(t, http.StatusUnprocessableEntity, "needs a name")
	outlet.Set("name", "EXERCISE Voice of the West")
	officer.post("/outlets", outlet).want(t, http.StatusOK, "Registered.", "EXERCISE News, the", "voice.example", "cannot be referred")
	h.as("auditor").post("/outlets", outlet).want(t, http.StatusForbidden)
}
