-- What takes two administrators: a person waits until a second one confirms it,
-- and its ways in lie here in two halves, a link and a code, apart from the
-- credentials that an older node knows. A person of an older node waits for
-- nobody.

-- +goose Up
ALTER TABLE person ADD COLUMN waits INTEGER NOT NULL DEFAULT 0;
CREATE TABLE proposal (
  ref TEXT PRIMARY KEY,
  person TEXT NOT NULL REFERENCES person (id),
  kind TEXT NOT NULL CHECK (kind IN ('person', 'roles', 'link')),
  roles TEXT NOT NULL,
  authority TEXT NOT NULL,
  link BLOB,
  code BLOB,
  tries INTEGER NOT NULL,
  proposed_by TEXT NOT NULL,
  proposed_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  confirmed_by TEXT NOT NULL,
  confirmed_at INTEGER NOT NULL,
  closed_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX proposal_link ON proposal (link) WHERE link IS NOT NULL;
CREATE UNIQUE INDEX proposal_open ON proposal (person) WHERE confirmed_at = 0 AND closed_at = 0;
CREATE INDEX proposal_person ON proposal (person);

-- +goose Down
