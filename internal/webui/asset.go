package webui

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"

	"concert/internal/design"
)

//go:embed assets
var assetFiles embed.FS

var assetTypes = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
}

// assets are the embedded files, each under a name that carries its digest, so
// that a browser may keep it for ever.
type assets struct {
	url    map[string]string // by plain name
	file   map[string][]byte // by served name
	packed map[string][]byte // the same as gzip
}

func readAssets() (assets, error) {
	a := assets{url: map[string]string{}, file: map[string][]byte{}, packed: map[string][]byte{}}
	err := fs.WalkDir(assetFiles, "assets", func(p string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || assetTypes[path.Ext(p)] == "" {
			return err
		}
		body, err := assetFiles.ReadFile(p)
		if err != nil {
			return err
		}
		return a.add(path.Base(p), body)
	})
	if err != nil {
		return a, fmt.Errorf("embedded assets: %w", err)
	}
	sheet, err := design.Stylesheet()
	if err != nil {
		return a, fmt.Errorf("style sheet: %w", err)
	}
	if err := a.add("app.css", sheet); err != nil {
		return a, err
	}
	return a, design.CheckCatalogues()
}

func (a assets) add(name string, body []byte) error {
	sum := sha256.Sum256(body)
	ext := path.Ext(name)
	served := strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:6]) + ext
	a.url[name], a.file[served] = "/assets/"+served, body
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := z.Write(body); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	a.packed[served] = b.Bytes()
	return nil
}

func (a assets) serve(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	body, ok := a.file[name]
	if !ok {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", assetTypes[path.Ext(name)])
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Vary", "Accept-Encoding")
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		body = a.packed[name]
	}
	_, _ = w.Write(body) // a client that went away hears nothing
}
