package webui

import (
	"context"

	"concert/internal/design"
)

// say is a text in the reader's language: see package design.
func say(ctx context.Context, t design.Text, args ...any) string { return design.Say(ctx, t, args...) }

// count is a text that hangs on a number.
func count(ctx context.Context, n int, one design.English, many design.Text, more ...any) string {
	return design.Count(ctx, n, one, many, more...)
}
