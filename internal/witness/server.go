package witness

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"concert/tlog"
)

// Handler is the witness's HTTP side: POST /add-checkpoint, and for people and
// verifiers GET /, /checkpoint, /history and /refused, of the log that the
// parameter log names; it may be left out where there is one.
func (w *Witness) Handler(log *slog.Logger) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /add-checkpoint", func(rw http.ResponseWriter, r *http.Request) { w.addCheckpoint(rw, r, log) })
	mux.HandleFunc("GET /{$}", func(rw http.ResponseWriter, _ *http.Request) { answer(rw, w.about()) })
	mux.HandleFunc("GET /checkpoint", w.ofLog(func(l *watched) string { return l.seen().Checkpoint }))
	mux.HandleFunc("GET /history", w.ofLog(func(l *watched) string {
		l.mu.Lock()
		defer l.mu.Unlock()
		return string(l.history.text())
	}))
	mux.HandleFunc("GET /refused", w.ofLog(func(l *watched) string {
		var b strings.Builder
		for _, r := range l.seen().Refused {
			fmt.Fprintf(&b, "# refused at %s with %d: %s\n%s\n# cosigned before:\n%s\n", r.At.Format(time.RFC3339), r.Status, r.Reason, r.Checkpoint, r.Cosigned)
		}
		return b.String()
	}))
	return mux
}

func answer(rw http.ResponseWriter, text string) {
	rw.Header().Set("Content-Type", "text/plain; charset=utf-8")
	rw.Header().Set("X-Content-Type-Options", "nosniff")
	rw.Header().Set("Cache-Control", "no-cache")
	_, _ = io.WriteString(rw, text) // a client that went away hears nothing
}

func (w *Witness) addCheckpoint(rw http.ResponseWriter, r *http.Request, log *slog.Logger) {
	body, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, tlog.MaxAddCheckpoint))
	if err != nil {
		http.Error(rw, fmt.Sprintf("the body could not be read: at most %d bytes are taken", tlog.MaxAddCheckpoint), http.StatusBadRequest)
		return
	}
	line, err := w.Add(body)
	if err == nil {
		answer(rw, line)
		return
	}
	refused, ok := errors.AsType[*tlog.WitnessRefusal](err)
	if !ok {
		log.Error("a checkpoint could not be cosigned", "err", err)
		http.Error(rw, "the witness cannot write down what it would sign", http.StatusInternalServerError)
		return
	}
	if len(refused.Signed) > 0 {
		log.Warn("REFUSED a checkpoint that does not go on from the one cosigned before", "status", refused.Status, "why", refused.Error())
	}
	if refused.Status == http.StatusConflict {
		rw.Header().Set("Content-Type", tlog.WitnessSizeType)
		rw.WriteHeader(refused.Status)
		_, _ = fmt.Fprintf(rw, "%d\n", refused.Size) // as above
		return
	}
	http.Error(rw, refused.Error(), refused.Status)
}

// ofLog answers with a text about the log that the request names.
func (w *Witness) ofLog(text func(*watched) string) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		l := w.logs[r.URL.Query().Get("log")]
		if !r.URL.Query().Has("log") && len(w.logs) == 1 {
			for _, only := range w.logs {
				l = only
			}
		}
		if l == nil {
			http.Error(rw, "this witness does not watch a log of this name: ask with ?log=NAME for one that the page / lists", http.StatusNotFound)
			return
		}
		t := text(l)
		if t == "" {
			http.Error(rw, "there is none of this log yet", http.StatusNotFound)
			return
		}
		answer(rw, t)
	}
}

// about says who the witness is and what it has seen.
func (w *Witness) about() string {
	var b strings.Builder
	fmt.Fprintf(&b, "A witness of transparency logs (https://c2sp.org/tlog-witness).\n\nname %s\nkey  %s\n", w.Name(), w.Key())
	for _, s := range w.Seen() {
		fmt.Fprintf(&b, "\nlog  %s\n", s.Origin)
		for _, k := range s.Keys {
			fmt.Fprintf(&b, "key  %s\n", k)
		}
		if s.Checkpoint == "" {
			b.WriteString("     nothing cosigned yet\n")
		} else {
			fmt.Fprintf(&b, "size %d\nroot %s\nat   %s\n", s.Head.Size, base64.StdEncoding.EncodeToString(s.Head.Root[:]), s.At.UTC().Format(time.RFC3339))
		}
		for _, r := range s.Refused {
			fmt.Fprintf(&b, "REFUSED at %s with %d: %s\n", r.At.Format(time.RFC3339), r.Status, r.Reason)
		}
	}
	return b.String()
}

// Server is an http.Server for a witness, with its bounds.
func Server(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: 30 * time.Second, IdleTimeout: 120 * time.Second, MaxHeaderBytes: 16 << 10,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug)}
}
