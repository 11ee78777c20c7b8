package apiserver

import (
	"context"
	"net/http"
	"strings"

	"concert"
	"concert/internal/httpkit"
	"concert/tlog"
)

// route is a path outside the described API.
type route struct {
	pattern string
	handler http.HandlerFunc
}

// logRoutes serve the transparency log in the public tlog-tiles layout
// (https://c2sp.org/tlog-tiles) under /log/, so that others' verifiers and
// witnesses work.
func (s *Server) logRoutes() []route {
	return []route{{"GET /log/checkpoint", s.checkpoint}, {"GET /log/cosigned", s.cosigned}, {"GET /log/tile/", s.tiles}}
}

func (s *Server) checkpoint(w http.ResponseWriter, r *http.Request) {
	s.signedHead(w, r, s.svc.LogCheckpoint)
}

// cosigned is the newest checkpoint that a witness has cosigned.
func (s *Server) cosigned(w http.ResponseWriter, r *http.Request) {
	s.signedHead(w, r, s.svc.LogCosigned)
}

func (s *Server) signedHead(w http.ResponseWriter, r *http.Request, read func(context.Context) (string, error)) {
	text, err := read(r.Context())
	if err != nil {
		httpkit.WriteProblem(w, r, s.log, err)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	_, _ = w.Write([]byte(text)) // a client that went away hears nothing
}

func (s *Server) tiles(w http.ResponseWriter, r *http.Request) {
	data, err := s.tile(r)
	if err != nil {
		httpkit.WriteProblem(w, r, s.log, err)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	_, _ = w.Write(data) // as above
}

func (s *Server) tile(r *http.Request) ([]byte, error) {
	path := strings.TrimPrefix(r.URL.Path, "/log/")
	if strings.HasPrefix(path, "tile/entries/") {
		index, width, err := tlog.ParseEntriesPath(path)
		if err != nil {
			return nil, concert.Refuse(concert.NotFound, "log.path", "", "%s", err)
		}
		return s.svc.LogEntries(r.Context(), index, width)
	}
	t, err := tlog.ParseTilePath(path)
	if err != nil {
		return nil, concert.Refuse(concert.NotFound, "log.path", "", "%s", err)
	}
	return s.svc.LogTile(r.Context(), t)
}
