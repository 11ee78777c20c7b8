-- Exhibits by manifest and head of their custody; the locked tables of their
-- pseudonyms; requests to open pseudonyms; leads to states. What names somebody
-- lies under a key of its own.

-- +goose Up
CREATE TABLE exhibit (
  id TEXT COLLATE "C" PRIMARY KEY,
  ref TEXT COLLATE "C" NOT NULL UNIQUE,
  case_id TEXT COLLATE "C" NOT NULL REFERENCES case_file (id),
  authority TEXT COLLATE "C" NOT NULL REFERENCES authority (id),
  handed_to TEXT COLLATE "C" NOT NULL,
  sealed BYTEA,
  manifest TEXT COLLATE "C" NOT NULL,
  head_n BIGINT NOT NULL,
  head_hash TEXT COLLATE "C" NOT NULL,
  head_key TEXT COLLATE "C" NOT NULL,
  added_by TEXT COLLATE "C" NOT NULL,
  added_at BIGINT NOT NULL,
  exercise BIGINT NOT NULL,
  version BIGINT NOT NULL
);
CREATE INDEX exhibit_case ON exhibit (case_id, id);
CREATE INDEX exhibit_handed ON exhibit (handed_to, id) WHERE handed_to <> '';
CREATE UNIQUE INDEX exhibit_manifest ON exhibit (manifest, case_id);

-- The table of an exhibit's pseudonyms, locked for its custodians: nobody here can open it.
CREATE TABLE exhibit_vault (
  exhibit TEXT COLLATE "C" PRIMARY KEY REFERENCES exhibit (id),
  locked BYTEA NOT NULL,
  sum TEXT COLLATE "C" NOT NULL,
  needed BIGINT NOT NULL,
  custodians BIGINT NOT NULL,
  added_by TEXT COLLATE "C" NOT NULL,
  added_at BIGINT NOT NULL
);

-- No two of the three people are one.
CREATE TABLE reidentification (
  id TEXT COLLATE "C" PRIMARY KEY,
  ref TEXT COLLATE "C" NOT NULL UNIQUE,
  case_id TEXT COLLATE "C" NOT NULL REFERENCES case_file (id),
  authority TEXT COLLATE "C" NOT NULL REFERENCES authority (id),
  exhibit TEXT COLLATE "C" NOT NULL REFERENCES exhibit (id),
  judicial TEXT COLLATE "C" NOT NULL,
  purpose TEXT COLLATE "C" NOT NULL,
  instrument TEXT COLLATE "C" NOT NULL,
  until BIGINT NOT NULL,
  selection TEXT COLLATE "C" NOT NULL,
  status TEXT COLLATE "C" NOT NULL,
  code TEXT COLLATE "C" NOT NULL,
  asked_by TEXT COLLATE "C" NOT NULL,
  asked_at BIGINT NOT NULL,
  confirmed_by TEXT COLLATE "C" NOT NULL,
  confirmed_at BIGINT NOT NULL,
  authorised_by TEXT COLLATE "C" NOT NULL,
  authorised_at BIGINT NOT NULL,
  recipient TEXT COLLATE "C" NOT NULL,
  revealed BIGINT NOT NULL,
  sealed BYTEA,
  exercise BIGINT NOT NULL,
  version BIGINT NOT NULL,
  CHECK (confirmed_by = '' OR confirmed_by <> asked_by),
  CHECK (authorised_by = '' OR (authorised_by <> asked_by AND authorised_by <> confirmed_by AND confirmed_by <> '')),
  CHECK (revealed = 0 OR authorised_by <> '')
);
CREATE INDEX reidentification_case ON reidentification (case_id, id);
CREATE INDEX reidentification_judicial ON reidentification (judicial, status, id);

CREATE TABLE lead (
  id TEXT COLLATE "C" PRIMARY KEY,
  ref TEXT COLLATE "C" NOT NULL UNIQUE,
  case_id TEXT COLLATE "C" NOT NULL REFERENCES case_file (id),
  authority TEXT COLLATE "C" NOT NULL REFERENCES authority (id),
  exhibit TEXT COLLATE "C" NOT NULL REFERENCES exhibit (id),
  state TEXT COLLATE "C" NOT NULL,
  kind TEXT COLLATE "C" NOT NULL,
  ground TEXT COLLATE "C" NOT NULL,
  for_court BIGINT NOT NULL,
  persons BIGINT NOT NULL,
  status TEXT COLLATE "C" NOT NULL,
  code TEXT COLLATE "C" NOT NULL,
  package TEXT COLLATE "C" NOT NULL,
  receipt TEXT COLLATE "C" NOT NULL,
  asked_by TEXT COLLATE "C" NOT NULL,
  asked_at BIGINT NOT NULL,
  released_by TEXT COLLATE "C" NOT NULL,
  released_at BIGINT NOT NULL,
  sealed BYTEA,
  exercise BIGINT NOT NULL,
  version BIGINT NOT NULL,
  CHECK (released_by = '' OR released_by <> asked_by)
);
CREATE INDEX lead_case ON lead (case_id, id);
CREATE INDEX lead_persons ON lead (exhibit, id) WHERE persons > 0;
