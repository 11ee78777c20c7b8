-- What takes two administrators: a person waits until a second one confirms it,
-- and its ways in lie here in two halves, a link and a code, apart from the
-- credentials that an older node knows. A person of an older node waits for
-- nobody.

-- +goose Up
ALTER TABLE person ADD COLUMN waits BIGINT NOT NULL DEFAULT 0;
CREATE TABLE proposal (
  ref TEXT COLLATE "C" PRIMARY KEY,
  person TEXT COLLATE "C" NOT NULL REFERENCES person (id),
  kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('person', 'roles', 'link')),
  roles TEXT COLLATE "C" NOT NULL,
  authority TEXT COLLATE "C" NOT NULL,
  link BYTEA,
  code BYTEA,
  tries BIGINT NOT NULL,
  proposed_by TEXT COLLATE "C" NOT NULL,
  proposed_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  confirmed_by TEXT COLLATE "C" NOT NULL,
  confirmed_at BIGINT NOT NULL,
  closed_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX proposal_link ON proposal (link) WHERE link IS NOT NULL;
CREATE UNIQUE INDEX proposal_open ON proposal (person) WHERE confirmed_at = 0 AND closed_at = 0;
CREATE INDEX proposal_person ON proposal (person);

-- +goose Down
