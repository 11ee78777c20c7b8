package accesslog

// sessionCaveats go with every report of sessions.
var sessionCaveats = []string{
	"Nobody is named here. A session is of a pseudonym of an address or a user name; an address is not a person, many people may share an account, and addresses change hands.",
	"Facts are the server's own words, and who administered the server could write anything into its logs. No fact is better than its evaluation says; only a person who has corroborated it may give a better one.",
	"Times are the server's own. How far its clock was off is not in the log: record it when the server is seized. Where year or zone were assumed, the fact says so.",
	"Failed attempts of scanners are counted, never sessions. Many failed attempts of an address before its first log-in may mean that a password was guessed: such a session may be a stranger's.",
	"A line with a user's own line end in it looks like two lines of the log; what programs escape is read as they wrote it, and nobody can tell a line that was forged whole.",
}

var sessionDefinitions = map[string]string{
	"lines":                      "lines of all files as they are after unpacking; always parsed + rejected + blank, for each input too",
	"parsed":                     "lines that were read, whether they hold a fact or not",
	"rejected":                   "lines that could not be read; each with file, offset, length and reason in rejects.ndjson. ambiguous: what somebody else wrote into it lets it be read in two ways. year_unknown: its time has no year, and nothing says which",
	"facts":                      "lines that say that somebody logged in, uploaded or administered, by the rules below; accesses of one user and address under one rule within five minutes (by the clock) are one fact, at the first of them. A page view or a download is never one",
	"sessions":                   "facts of one pseudonym in the order of their times, without a gap longer than gap_s: by address where the line names one. A line that names only a user is put to the session of the address whose log-in the same process reported, else to the only session in progress that names the user, else to a session of the user. Addresses are never joined because they used one account",
	"unattributed":               "facts whose line does not say who did it: changes of accounts; the pseudonym is the account's",
	"attempts":                   "by rule: failed: accesses or log-ins that were refused; undecided: such as the log does not tell the outcome of. Neither is a fact",
	"failed_attempts_of_address": "all failed attempts from the session's address in all files, before and after",
	"evaluation":                 "4x4 code: source A, since it is the server's own record, whose authenticity the seizure vouches for; information 2, known to the source and not to the officer, where the line states the fact; 4, neither known nor corroborated, where it is inferred from how an application answers. A machine never gives a better code",
	"line_sha256":                "SHA-256 of the line's bytes without its end (LF or CR LF): length bytes at offset of the file as it is after unpacking",
	"pseudonym":                  "HMAC-SHA-256, cut to 16 bytes, of the address that the line names, else of the user, under a case's key or one that was drawn for this run and kept nowhere (case_key)",
	"key":                        "likewise of the fingerprint of the key that opened the log-in: the same key from another address has the same pseudonym",
	"year_assumed":               "the line has no year: the last line of the log (of its newest file) is taken to be of the year given, or the last line of a file of the year that stands in its name, and from one line to the next the nearer year counts",
	"zone_assumed":               "the line has no zone: the one given is taken, UTC where none is; an hour that the clocks showed twice is taken the first time. Access logs without a zone are read as UTC",
	"time_implausible":           "before 1990, or more than a day after the run",
	"country":                    "of the address, by the database given; unreliable: its network says nothing about a person's country",
}
