-- Approval made honest: which approvals were given alone (their content digest
-- is what copies of the work may rest on) and when the reviewer had opened the
-- item; approvals drawn for a blind second look. What older nodes write has the
-- defaults: not alone, never opened, not drawn.

-- +goose Up
ALTER TABLE approval ADD COLUMN single INTEGER NOT NULL DEFAULT 0;
ALTER TABLE approval ADD COLUMN opened_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE approval ADD COLUMN content BLOB;
CREATE INDEX approval_precedent ON approval (content) WHERE content IS NOT NULL;

-- The first time that a reviewer saw an assessment that waited.
CREATE TABLE opening (
  assessment TEXT NOT NULL REFERENCES assessment (id),
  person TEXT NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (assessment, person)
) STRICT;

CREATE TABLE second_look (
  assessment TEXT PRIMARY KEY REFERENCES assessment (id),
  item TEXT NOT NULL REFERENCES item (id),
  author TEXT NOT NULL,
  action TEXT NOT NULL,
  drawn_at INTEGER NOT NULL,
  looked_by TEXT NOT NULL,
  authority TEXT NOT NULL,
  looked_at INTEGER NOT NULL,
  verdict TEXT NOT NULL,
  type TEXT NOT NULL,
  sealed BLOB
) STRICT;
CREATE INDEX second_look_waiting ON second_look (author, drawn_at) WHERE looked_at = 0;
CREATE INDEX second_look_verdict ON second_look (author, verdict, looked_at);

-- +goose Down
