package accesslog

import (
	"maps"
	"slices"
)

// caveats go with every report.
var caveats = []string{
	"An address is not a person: many people share one, one person has several, and addresses change hands. Visitors are counts, and nobody becomes anything else by having been counted.",
	"A country is where an address was registered when the database was made; use a database of the log's month. Hosting, proxies and anonymisers say nothing about a person's country.",
	"Bots are those that say so. A program that pretends to be a browser is counted among the rest, so the number without bots is an upper bound for people's accesses, too.",
	"Times are the server's own. How far its clock was off is not in the log: record it when the server is seized.",
}

// definitions says of every number what it counts.
func definitions() map[string]string { return maps.Clone(definitionTexts) }

var definitionTexts = map[string]string{
	"files":                  "inputs that were read, wholly or in part; what became of each stands in inputs",
	"lines":                  "lines of all files as they are after unpacking, the last one too where it has no end; always parsed + rejected + blank",
	"parsed":                 "lines that were read as one access each",
	"rejected":               "lines that could not be read as an access; counted by reason in rejected_by_reason; the command also lists each with file, offset, length and reason (rejects.ndjson); their text is not kept",
	"blank":                  "lines of nothing but white space",
	"bytes":                  "sum of the sizes of answers that the log records; a hyphen counts as 0",
	"first":                  "earliest plausible time of an access, UTC",
	"last":                   "latest plausible time of an access, UTC",
	"accesses":               "parsed lines: every request of any kind, whatever the answer; not page views, not people",
	"visitors.ip":            "different client addresses (an IPv4 address and its IPv6-mapped form are one; a host name counts as one client); without_bots: those with at least one access by no known bot",
	"visitors.ip_ua":         "different pairs of client address and User-Agent; without_bots: those whose agent is no known bot's",
	"visitors.ip64":          "as ip, but all IPv6 addresses of one /64 network are one, since one household or device often has a whole /64",
	"bots":                   "accesses whose User-Agent meets the bot rule (bot_rule), and client addresses with at least one of them",
	"countries":              "by the country the database gives for the client's address; unknown: it gives none, or the client is a host name; visitors as visitors.ip",
	"per_day":                "accesses by day in UTC; accesses with implausible times are in no day",
	"hours":                  "accesses by hour of the day in UTC, over all days",
	"status":                 "accesses by HTTP status of the answer",
	"methods":                "accesses by request method; other: none of the known ones; no request: the line holds no HTTP request, as scanners and broken connections leave",
	"top_paths":              "accesses by path without query, the most frequent ones, exact; parts that may identify a person are replaced (see redaction)",
	"top_referrers":          "accesses by Referer without query, the most frequent ones, exact; replaced likewise; accesses without one are in none",
	"user_agents":            "accesses by family of the User-Agent; bots: how many of them meet the bot rule; the agents' own texts are not kept",
	"languages":              "accesses by the first or second part of the path where it is a language code (ISO 639) with more path after it; no word about the visitor's language",
	"campaigns":              "accesses by utm_campaign of the query, the only value of a query that is kept, and only where it looks like nothing personal",
	"auth_users":             "different user names in the log's user field; the names are not kept",
	"propaganda_accesses":    "GET or POST requests answered 2xx whose path resolves (percent-decoded, dots and doubled slashes resolved, a directory by its index file) to a file judged on the list given; visitors as visitors.ip; unresolved_share: share of all such requests whose path is not on the list; null: no list was given. A film that is fetched in pieces (206) counts once a piece",
	"distinct.paths":         "different paths as they are shown, exact",
	"distinct.urls_estimate": "different request targets with their queries, estimated (HyperLogLog, 16,384 registers, standard error 0.8 %)",
	"distinct.referrers":     "different referrers as they are shown, exact",
	"unreliable_networks":    "accesses and clients (as visitors.ip) in networks on the list given or that the database marks as hosting, proxy or anonymiser; their country says nothing of a person",
	"clock":                  "zones: accesses by the zone written; zone_changes: how often it changed from one line to the next of a file; out_of_order: lines more than 60 seconds earlier than the line above; implausible: accesses dated before 1990 or more than a day after the run, counted as accesses but in no day, first or last",
	"geo":                    "the country database: when it was built, its SHA-256, its type",
	"bot_rule":               "version of the list and how many tokens it has: an agent that holds one of them, in any case, is a bot, as is an empty one where the log records agents",
	"suppressed":             "with -release: numbers from 1 to 4 of people or of rare things are left out, and how many cells that are; null: nothing was left out",
	"elapsed_s":              "seconds from start to report",
	"lines_per_s":            "lines divided by elapsed_s",
	"redaction":              redactionRule,
}

// Definitions say of every number of a report what it counts, by its name.
func Definitions() map[string]string { return definitions() }

// Caveats go with every number that is taken from access logs.
func Caveats() []string { return slices.Clone(caveats) }
