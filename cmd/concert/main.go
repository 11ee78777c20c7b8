// Command concert is the whole system in one binary: the server, the operator's
// commands, the exercise and the offline verifier. This package wires; it
// decides nothing.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
)

// Exit codes. They are part of the commands' interface.
const (
	exitFailed       = 1
	exitUsage        = 2
	exitSelfAttested = 3 // verified, but no outside witness has cosigned
)

// cli is every command; its tags are the help text.
type cli struct {
	Init      initCmd      `cmd:"" help:"Make a data directory: keys, database, the first two administrators by one-time links."`
	Serve     serveCmd     `cmd:"" help:"Serve the pages and the API. Any number of these may share one PostgreSQL."`
	Exercise  exerciseCmd  `cmd:"" help:"Rehearse a joint action with invented content: twelve authorities, nine providers, real HTTP on loopback."`
	User      userCmd      `cmd:"" help:"Add, list, confirm or disable people."`
	Authority authorityCmd `cmd:"" help:"Add or list authorities."`
	Provider  providerCmd  `cmd:"" help:"Add or list providers."`
	Outlet    outletCmd    `cmd:"" help:"Add or list outlets."`
	Import    importCmd    `cmd:"" help:"Hand in items from a file, through the API."`
	Export    exportCmd    `cmd:"" help:"Write every event, the log's tiles and its signed head to a file that anyone can verify and recount."`
	Verify    verifyCmd    `cmd:"" help:"Verify a data directory, a running node or an exported file. Exit 3: verified, but no outside witness has cosigned."`
	Locate    locateCmd    `cmd:"" help:"Say what place a location is and whether the guard lets it be referred."`
	Config    configCmd    `cmd:"" help:"Print the effective configuration."`
	Version   versionCmd   `cmd:"" help:"Print the version."`

	Capture      captureCmd      `cmd:"" help:"Add a capture of an item, list its captures, or fetch one, through the API."`
	Doctor       doctorCmd       `cmd:"" help:"Say what protects this machine when it opens captures."`
	SandboxChild sandboxChildCmd `cmd:"" hidden:"" help:"A child that opens captures for a node, which starts it itself."`
	ExerciseNode exerciseNodeCmd `cmd:"" hidden:"" help:"One serving node of an exercise, which starts it itself."`
	Backup       backupCmd       `cmd:"" help:"Back up the whole database, beside whatever serves it; the keys of what is sealed go to a file of their own."`
	Restore      restoreCmd      `cmd:"" help:"Restore a backup into an empty database, SQLite or PostgreSQL, and leave dispatch held."`
	Release      releaseCmd      `cmd:"" help:"Release dispatch, which a restore or an administrator holds."`
	Log          logCmd          `cmd:"" help:"What an operator does to the log itself."`
	Witness      witnessCmd      `cmd:"" help:"Be a witness of other people's logs: check that nothing is taken back, and cosign. Needs no server and no database."`
	Contact      contactCmd      `cmd:"" help:"Add, list, restore or retire contact points of providers."`
	Mail         mailCmd         `cmd:"" help:"What an operator does for mail."`
	Hash         hashCmd         `cmd:"" help:"Hash files: SHA-256, MD5, SHA-1, and PDQ of pictures, one JSON object a line."`
	Match        matchCmd        `cmd:"" help:"Find files among known hashes: one JSON object a match. Or make a server's index of them anew."`
	Bank         bankCmd         `cmd:"" help:"List, open, fill and export banks of known content, through the API."`
	Order        orderCmd        `cmd:"" help:"Verify removal orders, and say whose you trust; needs no server and no data directory."`
	Report       reportCmd       `cmd:"" help:"Write yearly transparency reports, and recount what was published."`
	Audit        auditCmd        `cmd:"" help:"Write an auditor's report, and make one anew from an exported log."`
	Hub          hubCmd          `cmd:"" help:"At a provider's own desk: add, list or end the hubs that send it orders and referrals."`
	Evidence     evidenceCmd     `cmd:"" help:"Seal what was seized, verify it, copy it to work on, hand it over; needs no server."`
	Language     languageCmd     `cmd:"" help:"Say in what language, script and direction each line of a file is."`
	Accesslog    accesslogCmd    `cmd:"" help:"Count access logs of a seized server; needs no server and no data directory."`
	Lead         leadCmd         `cmd:"" help:"Make, open, verify and receipt what one country receives of a seized server's logs; needs no server."`
}

// env is what commands write to and read from.
type env struct {
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
	config []byte // the effective configuration, for the config command
}

// exitError ends the program with a code after its message was printed.
type exitError struct {
	code int
	err  error
}

// Error implements error.
func (e *exitError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is the program without its process: tests call it too.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	var c cli
	e := &env{stdin: stdin, stdout: stdout, stderr: stderr}
	exited := -1
	k, err := kong.New(&c, kong.Name("concert"), kong.Description("Acting in concert against terrorist content online."),
		kong.Writers(stdout, stderr), kong.Exit(func(code int) { exited = code }),
		kong.DefaultEnvars("CONCERT"), kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Configuration(kong.JSON, configFile(args)...))
	if err != nil {
		fmt.Fprintln(stderr, "concert:", err)
		return exitFailed
	}
	kctx, err := k.Parse(longFlags(args))
	if exited >= 0 {
		return exited
	}
	if err != nil {
		fmt.Fprintf(stderr, "concert: %v\nTry: concert --help\n", err)
		return exitUsage
	}
	e.config = effective(kctx)
	kctx.BindTo(ctx, (*context.Context)(nil))
	if err := kctx.Run(e); err != nil {
		var x *exitError
		if errors.As(err, &x) {
			if x.err != nil {
				fmt.Fprintln(stderr, "concert:", x.err)
			}
			return x.code
		}
		if errors.Is(err, context.Canceled) {
			return 0
		}
		fmt.Fprintln(stderr, "concert:", err)
		return exitFailed
	}
	return 0
}

// longFlags lets -flag stand for --flag, as Go's own tools write it. There are
// no clusters of one-letter flags. What follows "--" is left as it is, and what a
// child gets, whose arguments are another program's.
func longFlags(args []string) []string {
	out := make([]string, len(args))
	for i, a := range args {
		if a == "--" || i == 0 && a == childCommand {
			copy(out[i:], args[i:])
			break
		}
		if len(a) > 2 && a[0] == '-' && a[1] != '-' && !strings.ContainsRune("0123456789.", rune(a[1])) {
			a = "-" + a
		}
		out[i] = a
	}
	return out
}
