-- Exhibits by manifest and head of their custody; the locked tables of their
-- pseudonyms; requests to open pseudonyms; leads to states. What names somebody
-- lies under a key of its own.

-- +goose Up
CREATE TABLE exhibit (
  id TEXT PRIMARY KEY,
  ref TEXT NOT NULL UNIQUE,
  case_id TEXT NOT NULL REFERENCES case_file (id),
  authority TEXT NOT NULL REFERENCES authority (id),
  handed_to TEXT NOT NULL,
  sealed BLOB,
  manifest TEXT NOT NULL,
  head_n INTEGER NOT NULL,
  head_hash TEXT NOT NULL,
  head_key TEXT NOT NULL,
  added_by TEXT NOT NULL,
  added_at INTEGER NOT NULL,
  exercise INTEGER NOT NULL,
  version INTEGER NOT NULL
) STRICT;
CREATE INDEX exhibit_case ON exhibit (case_id, id);
CREATE INDEX exhibit_handed ON exhibit (handed_to, id) WHERE handed_to <> '';
CREATE UNIQUE INDEX exhibit_manifest ON exhibit (manifest, case_id);

-- The table of an exhibit's pseudonyms, locked for its custodians: nobody here can open it.
CREATE TABLE exhibit_vault (
  exhibit TEXT PRIMARY KEY REFERENCES exhibit (id),
  locked BLOB NOT NULL,
  sum TEXT NOT NULL,
  needed INTEGER NOT NULL,
  custodians INTEGER NOT NULL,
  added_by TEXT NOT NULL,
  added_at INTEGER NOT NULL
) STRICT;

-- No two of the three people are one.
CREATE TABLE reidentification (
  id TEXT PRIMARY KEY,
  ref TEXT NOT NULL UNIQUE,
  case_id TEXT NOT NULL REFERENCES case_file (id),
  authority TEXT NOT NULL REFERENCES authority (id),
  exhibit TEXT NOT NULL REFERENCES exhibit (id),
  judicial TEXT NOT NULL,
  purpose TEXT NOT NULL,
  instrument TEXT NOT NULL,
  until INTEGER NOT NULL,
  selection TEXT NOT NULL,
  status TEXT NOT NULL,
  code TEXT NOT NULL,
  asked_by TEXT NOT NULL,
  asked_at INTEGER NOT NULL,
  confirmed_by TEXT NOT NULL,
  confirmed_at INTEGER NOT NULL,
  authorised_by TEXT NOT NULL,
  authorised_at INTEGER NOT NULL,
  recipient TEXT NOT NULL,
  revealed INTEGER NOT NULL,
  sealed BLOB,
  exercise INTEGER NOT NULL,
  version INTEGER NOT NULL,
  CHECK (confirmed_by = '' OR confirmed_by <> asked_by),
  CHECK (authorised_by = '' OR (authorised_by <> asked_by AND authorised_by <> confirmed_by AND confirmed_by <> '')),
  CHECK (revealed = 0 OR authorised_by <> '')
) STRICT;
CREATE INDEX reidentification_case ON reidentification (case_id, id);
CREATE INDEX reidentification_judicial ON reidentification (judicial, status, id);

CREATE TABLE lead (
  id TEXT PRIMARY KEY,
  ref TEXT NOT NULL UNIQUE,
  case_id TEXT NOT NULL REFERENCES case_file (id),
  authority TEXT NOT NULL REFERENCES authority (id),
  exhibit TEXT NOT NULL REFERENCES exhibit (id),
  state TEXT NOT NULL,
  kind TEXT NOT NULL,
  ground TEXT NOT NULL,
  for_court INTEGER NOT NULL,
  persons INTEGER NOT NULL,
  status TEXT NOT NULL,
  code TEXT NOT NULL,
  package TEXT NOT NULL,
  receipt TEXT NOT NULL,
  asked_by TEXT NOT NULL,
  asked_at INTEGER NOT NULL,
  released_by TEXT NOT NULL,
  released_at INTEGER NOT NULL,
  sealed BLOB,
  exercise INTEGER NOT NULL,
  version INTEGER NOT NULL,
  CHECK (released_by = '' OR released_by <> asked_by)
) STRICT;
CREATE INDEX lead_case ON lead (case_id, id);
CREATE INDEX lead_persons ON lead (exhibit, id) WHERE persons > 0;
