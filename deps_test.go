package concert_test

import (
	"os"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"
)

// allowedModules gives the reason for every module that the house requires itself and for every tool.
var allowedModules = map[string]string{
	"filippo.io/age":                                           "vault: encryption of exhibits and of the shares of their keys",
	"github.com/ClickHouse/clickhouse-go/v2":                   "lake: ClickHouse's own protocol, for rows on servers when one machine is outgrown",
	"github.com/a-h/templ":                                     "pages: typed HTML templates, escaped by context",
	"github.com/alecthomas/kong":                               "command line: flags, environment and one file from one struct",
	"github.com/boombuler/barcode":                             "identity and formats: QR codes, drawn as a path of our own SVG and on removal orders",
	"github.com/chromedp/cdproto":                              "tests: what the browser is told beyond a person's hands (a virtual authenticator, a cookie)",
	"github.com/chromedp/chromedp":                             "tests: the real browser on the real binary",
	"github.com/danielgtaylor/huma/v2":                         "API: OpenAPI 3.1 and RFC 9457 problems from the Go types, so that the specification cannot drift",
	"github.com/go-json-experiment/json":                       "events: canonical JSON (RFC 8785) and strict decoding",
	"github.com/go-webauthn/webauthn":                          "identity: passkeys (WebAuthn level 3): attestation, COSE keys, signatures",
	"github.com/google/go-cmp":                                 "tests: differences of values, readable",
	"github.com/google/uuid":                                   "store: UUIDv7 identifiers; formats: ids of STIX and MISP made of names",
	"github.com/jackc/pgx/v5":                                  "store: PostgreSQL under database/sql",
	"github.com/johannesboyne/gofakes3":                        "tests: a server that speaks S3, to keep locked exhibits on",
	"github.com/klauspost/compress":                            "accesslog and vault: gzip, zlib of disk images and Zstandard, faster than the standard library's and with limits",
	"github.com/minio/minio-go/v7":                             "vault: S3 requests, their signatures and keys, on servers of any maker",
	"github.com/maxmind/mmdbwriter":                            "exercise: the invented country database of the plan june-2017",
	"github.com/nlnwa/whatwg-url":                              "match: web locations as browsers read them, before any rule of ours",
	"github.com/oschwald/maxminddb-golang/v2":                  "accesslog: country databases in MaxMind's format",
	"github.com/parquet-go/parquet-go":                         "lake: rows of access logs as Parquet files, which other engines read as well",
	"github.com/pressly/goose/v3":                              "store: numbered migrations, a folder a dialect",
	"github.com/riverqueue/river":                              "store: the kept job queue, with transactional insert",
	"github.com/riverqueue/river/riverdriver":                  "store: River's driver types",
	"github.com/riverqueue/river/rivertype":                    "the states of a job, to keep one of a kind",
	"github.com/riverqueue/river/riverdriver/riverdatabasesql": "store: River on PostgreSQL through database/sql",
	"github.com/riverqueue/river/riverdriver/riversqlite":      "store: River on SQLite",
	"github.com/rogpeppe/go-internal":                          "tests: testscript, scenarios that read like the operator's manual",
	"github.com/santhosh-tekuri/jsonschema/v6":                 "tests: XARF's own schemas as judge of what our reader takes for a report; ours of removal orders as judge of what we write",
	"github.com/standard-webhooks/standard-webhooks/libraries": "tests: the standard's own library as counterpart of our webhook signatures",
	"github.com/ulikunitz/xz":                                  "accesslog: rotated logs compressed with xz; vault: archives of that kind, in children only",
	"golang.org/x/crypto":                                      "identity: argon2id",
	"golang.org/x/image":                                       "formats: pictures that captures come in, and their previews, in children only; which letters our font has",
	"golang.org/x/mod":                                         "tlog: tree arithmetic and signed notes; this test reads go.mod with it",
	"golang.org/x/net":                                         "match and lookup: public suffixes, IDNA, HTML as browsers parse it",
	"golang.org/x/sync":                                        "groups of goroutines that end with the first error",
	"golang.org/x/sys":                                         "pdq and hamming: which vector instructions the processor has",
	"golang.org/x/text":                                        "languages by BCP 47, Unicode normal forms, old encodings",
	"golang.org/x/tools":                                       "tests: reads the house's packages",
	"modernc.org/sqlite":                                       "store: SQLite in pure Go, so that the binary stays static",
	"pgregory.net/rapid":                                       "tests: properties over random walks, with shrinking",
	"codeberg.org/go-pdf/fpdf":                                 "formats: notices to providers and the forms of removal orders as PDF with embedded fonts",
	"github.com/ebitengine/purego":                             "tests: ClickHouse's engine out of its shared library, without cgo",
	"github.com/emersion/go-message":                           "dispatch: mail that comes in, taken apart",
	"github.com/emersion/go-msgauth":                           "dispatch: DKIM, ours on what leaves and others' on what comes in",
	"github.com/emersion/go-sasl":                              "tests: the relay's side of a log-in; go-smtp speaks its types",
	"github.com/emersion/go-smtp":                              "dispatch and apiserver: SMTP to the relay with delivery reports asked for, SMTP and LMTP for what comes back",
	"github.com/wneessen/go-mail":                              "dispatch: mail messages composed with attachments",
	"github.com/bodgit/sevenzip":                               "vault: 7z archives read, in children only",
	"github.com/digitorus/timestamp":                           "vault: RFC 3161 tokens asked for and judged",
	"github.com/secure-systems-lab/go-securesystemslib":        "vault: DSSE envelopes over seals",
	"github.com/zeebo/blake3":                                  "vault: BLAKE3 of short files and members, the fastest in Go",
	"www.velocidex.com/golang/go-ntfs":                         "vault: NTFS of seized media read, in children only",
	"lukechampine.com/blake3":                                  "vault: BLAKE3's tree from inside, so that a file's pieces have digests that cost nothing",

	"github.com/a-h/templ/cmd/templ":     "tool: generates the pages' Go files",
	"golang.org/x/vuln/cmd/govulncheck":  "tool: known vulnerabilities that our code reaches",
	"honnef.co/go/tools/cmd/staticcheck": "tool: lint",
}

// duckdbModules gives the reason for every module that the module duckdb requires itself.
var duckdbModules = map[string]string{
	"concert":                        "the lake: manifest, answers, their form",
	"github.com/duckdb/duckdb-go/v2": "the engine, with its C library",
	"golang.org/x/sync":              "groups of goroutines that end with the first error",
	"golang.org/x/sys":               "when a file was changed, by the system's word",
}

func TestEveryModuleHasAReason(t *testing.T) {
	t.Parallel()
	modulesHaveReasons(t, "go.mod", allowedModules)
	modulesHaveReasons(t, "duckdb/go.mod", duckdbModules)
}

func modulesHaveReasons(t *testing.T, file string, allowed map[string]string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	mod, err := modfile.Parse(file, text, nil)
	if err != nil {
		t.Fatal(err)
	}
	present, direct := map[string]bool{}, map[string]bool{}
	for _, r := range mod.Require {
		present[r.Mod.Path] = true
		if !r.Indirect {
			direct[r.Mod.Path] = true
		}
	}
	for _, tool := range mod.Tool {
		present[tool.Path], direct[tool.Path] = true, true
	}
	for path := range direct {
		if strings.TrimSpace(allowed[path]) == "" {
			t.Errorf("%s requires %s without a reason: do without it, or give it one line in deps_test.go", file, path)
		}
	}
	for path := range allowed {
		if !present[path] {
			t.Errorf("deps_test.go names %s, which is no longer in %s: remove the line", path, file)
		}
	}
	for _, r := range mod.Replace {
		if r.Old.Path != "concert" {
			t.Errorf("%s replaces %s: pin a version that can be fetched by anyone", file, r.Old.Path)
		}
	}
}
