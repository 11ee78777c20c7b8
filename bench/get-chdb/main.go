// Command get-chdb fetches ClickHouse's engine as a shared library (chDB, Apache-2.0,
// 178 MB packed, 566 MB), pinned by digest, for the tests that compare its answers
// with ours. Usage: get-chdb FILE. It ends with 3 where the registry that
// npm_config_registry names, or the public one, does not give it.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"

	"concert/internal/durable"
	"concert/internal/pinned"
)

const (
	member          = "package/libchdb.so"
	most            = 800 << 20
	exitUnreachable = 3
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx)
	stop()
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, "get-chdb:", err)
	if errors.Is(err, pinned.ErrUnreachable) {
		os.Exit(exitUnreachable)
	}
	os.Exit(1)
}

func run(ctx context.Context) error {
	if len(os.Args) != 2 {
		return errors.New("usage: get-chdb FILE")
	}
	a := pinned.Archive{
		Package: "@chdb/lib-linux-x64-gnu", Version: "26.7.3-stable.1", Most: 256 << 20,
		Integrity: "sha512-XP97mMqnc5tZpKQywR8N7cLTsHNiTmHr30pC5mzo3jWmukjKn2IBa60c2B/gWUNcuFjOMjWoorQICCqBVj5wpw==",
	}
	archive, err := a.Fetch(ctx, os.Getenv("npm_config_registry"))
	if err != nil {
		return err
	}
	f, err := durable.NewPending(os.Args[1], 0o600)
	if err != nil {
		return err
	}
	if err := pinned.Extract(archive, member, most, f); err != nil {
		return errors.Join(err, f.Drop())
	}
	return f.Replace()
}
