package webui

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"concert"
	"concert/internal/casework"
	"concert/tlog"
)

const heldWords = "Nothing leaves the house"

// The big red button: an administrator holds and releases dispatch, and everyone sees on every page how things stand.
func TestDispatchIsHeldAndReleasedOnThePage(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.join(t.Context(), "chief", "", "", concert.RoleAdministrator)
	chief, officer := h.as("chief"), h.as("officer")
	if p := officer.get("/items"); strings.Contains(p.body, heldWords) {
		t.Error("a banner where nothing is held")
	}
	if p := officer.get("/dispatch"); strings.Contains(p.body, "<form method=\"post\" action=\"/dispatch") {
		t.Error("an officer is shown the form")
	}
	officer.post("/dispatch/hold", url.Values{"reason": {"EXERCISE not an administrator"}}).want(t, http.StatusForbidden)
	chief.get("/dispatch").want(t, http.StatusOK, "goes out", "Hold dispatch")
	chief.post("/dispatch/hold", url.Values{"reason": {"short"}}).want(t, http.StatusUnprocessableEntity, "at least ten characters")
	chief.post("/dispatch/hold", url.Values{"reason": {"EXERCISE something is badly wrong"}}).want(t, http.StatusOK, "Dispatch is held.", "EXERCISE something is badly wrong", "Release dispatch")
	for _, v := range []*visitor{chief, officer, h.as("answerer"), h.visitor()} {
		if p := v.get("/scope"); !strings.Contains(p.body, "DISPATCH IS HELD") || !strings.Contains(p.body, heldWords) {
			t.Error("a page without the banner")
		}
	}
	officer.get("/dispatch").want(t, http.StatusOK, "an administrator stopped it")
	if p := officer.get("/dispatch"); strings.Contains(p.text(), "badly wrong") {
		t.Error("an officer reads the reason")
	}
	// Work goes on.
	officer.get("/submit")
	officer.post("/submit", url.Values{"locations": {"https://video.example/watch?v=ex1"}, "evaluation": {"A1"}}).want(t, http.StatusOK, "taken")
	chief.get("/dispatch")
	chief.post("/dispatch/release", url.Values{"reason": {"EXERCISE it was a false alarm"}}).want(t, http.StatusOK, "Dispatch is released.", "EXERCISE it was a false alarm")
	chief.post("/dispatch/release", url.Values{"reason": {"EXERCISE it was a false alarm"}}).want(t, http.StatusConflict, "not held")
	if p := officer.get("/items"); strings.Contains(p.body, heldWords) {
		t.Error("the banner stays")
	}
}

func TestLogPageSaysThatTheLogStandsStill(t *testing.T) {
	t.Parallel()
	h := open(t)
	must(t, h.svc.PublishLog(t.Context()))
	// Somebody was shown a longer log than the database has.
	c, err := tlog.SignCheckpoint(tlog.Checkpoint{Origin: h.svc.Origin, Head: tlog.Head{Size: 100_000}}, h.svc.LogSigner)
	must(t, err)
	path := filepath.Join(t.TempDir(), casework.CheckpointFile)
	must(t, os.WriteFile(path, c, 0o600))
	h.svc.Kept, err = casework.OpenKeptCheckpoint(path, h.svc.Origin, h.svc.LogKey)
	must(t, err)
	h.visitor().get("/log").want(t, http.StatusOK, "The log stands still", "a checkpoint over 100000 was published")
}
