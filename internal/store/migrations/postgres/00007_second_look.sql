-- Approval made honest: which approvals were given alone (their content digest
-- is what copies of the work may rest on) and when the reviewer had opened the
-- item; approvals drawn for a blind second look. What older nodes write has the
-- defaults: not alone, never opened, not drawn.

-- +goose Up
ALTER TABLE approval ADD COLUMN single BIGINT NOT NULL DEFAULT 0;
ALTER TABLE approval ADD COLUMN opened_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE approval ADD COLUMN content BYTEA;
CREATE INDEX approval_precedent ON approval (content) WHERE content IS NOT NULL;

-- The first time that a reviewer saw an assessment that waited.
CREATE TABLE opening (
  assessment TEXT COLLATE "C" NOT NULL REFERENCES assessment (id),
  person TEXT COLLATE "C" NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (assessment, person)
);

CREATE TABLE second_look (
  assessment TEXT COLLATE "C" PRIMARY KEY REFERENCES assessment (id),
  item TEXT COLLATE "C" NOT NULL REFERENCES item (id),
  author TEXT COLLATE "C" NOT NULL,
  action TEXT COLLATE "C" NOT NULL,
  drawn_at BIGINT NOT NULL,
  looked_by TEXT COLLATE "C" NOT NULL,
  authority TEXT COLLATE "C" NOT NULL,
  looked_at BIGINT NOT NULL,
  verdict TEXT COLLATE "C" NOT NULL,
  type TEXT COLLATE "C" NOT NULL,
  sealed BYTEA
);
CREATE INDEX second_look_waiting ON second_look (author, drawn_at) WHERE looked_at = 0;
CREATE INDEX second_look_verdict ON second_look (author, verdict, looked_at);

-- +goose Down
