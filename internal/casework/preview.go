package casework

import (
	"bytes"
	"context"
	"errors"
	"io"

	"concert"
	"concert/internal/formats"
	"concert/internal/sandbox"
)

const (
	// previewMost is the most bytes of a capture that is opened for a preview.
	previewMost = 128 << 20
	// TaskRender is the name of the children's task (formats.RenderTask).
	TaskRender = "render"
)

// SandboxTasks are what the children of a deployment do.
func SandboxTasks() map[string]sandbox.Task {
	return map[string]sandbox.Task{TaskRender: formats.RenderTask, formats.TaskHash: formats.HashTask, formats.TaskMoov: formats.MoovTask}
}

// PreviewCapture makes a safe rendition of a capture for people of its own
// authority, once the reading is recorded. The bytes are opened in a child only.
func (s *Service) PreviewCapture(ctx context.Context, scope concert.Scope, ref string) (CaptureView, formats.Rendition, error) {
	v, r, err := s.openCapture(ctx, scope, ref, concert.ReadPreview)
	if err != nil {
		return v, formats.Rendition{}, err
	}
	defer r.Close()
	none := func(reason string) (CaptureView, formats.Rendition, error) {
		return v, formats.Rendition{Media: v.MediaType, Note: reason}, nil
	}
	if s.Children == nil {
		return none("this node opens no captures: it has no sandbox")
	}
	if v.Size > previewMost {
		return none("it is too large to be opened here")
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		return v, formats.Rendition{}, err
	}
	media := v.MediaType
	if formats.IsFilm(media) {
		if plain, err = formats.NewPlayer(s.Children).First(ctx, bytes.NewReader(plain), int64(len(plain))); err != nil {
			var refused *sandbox.Refused
			if errors.Is(err, formats.ErrNoFFmpeg) || errors.Is(err, sandbox.ErrGone) || errors.As(err, &refused) {
				return none(err.Error())
			}
			return v, formats.Rendition{}, err
		}
		media = "image/png"
	}
	out, err := s.Children.Do(ctx, TaskRender, append([]byte(media+"\n"), plain...))
	var refused *sandbox.Refused
	switch {
	case errors.As(err, &refused):
		return none(refused.Reason)
	case errors.Is(err, sandbox.ErrGone):
		return none(err.Error())
	case err != nil:
		return v, formats.Rendition{}, err
	}
	p, err := formats.ReadRendition(out)
	if err != nil {
		return none(err.Error())
	}
	p.Media = v.MediaType
	return v, p, nil
}
