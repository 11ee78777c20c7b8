package webui

import (
	"testing"

	"concert"
)

func TestTmpNotes(t *testing.T) {
	h := open(t)
	h.competent()
	must(t, h.svc.JoinAction(t.Context(), h.people["coordinator"].Actor(), h.action.Ref, h.units[len(h.units)-2].Ref, concert.PartSupport))
	v := h.as("es-officer")
	t.Log(v.get("/actions/" + h.action.Ref + "/notes").status, h.as("south").get("/actions/"+h.action.Ref+"/notes").status)
}
