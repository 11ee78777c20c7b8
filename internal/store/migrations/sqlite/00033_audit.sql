-- The auditor's workbench: draws, findings, and recommendations with their answers.
-- What is in a draw follows from the log and stands nowhere. What is written by hand
-- lies under the key of the draw, or of the item or order that it is about.

-- +goose Up
CREATE TABLE audit_draw (
  id TEXT PRIMARY KEY,
  ref TEXT NOT NULL UNIQUE,
  auditor TEXT NOT NULL,
  at INTEGER NOT NULL,
  exercise INTEGER NOT NULL
) STRICT;

CREATE TABLE audit_finding (
  draw TEXT NOT NULL REFERENCES audit_draw (id),
  subject TEXT NOT NULL,
  auditor TEXT NOT NULL,
  unit TEXT NOT NULL,
  at INTEGER NOT NULL,
  verdict TEXT NOT NULL,
  type TEXT NOT NULL,
  purpose TEXT NOT NULL,
  why TEXT NOT NULL,
  sealed BLOB,
  PRIMARY KEY (draw, subject, auditor)
) STRICT;
CREATE INDEX audit_finding_subject ON audit_finding (subject);

CREATE TABLE audit_recommendation (
  id TEXT PRIMARY KEY,
  ref TEXT NOT NULL UNIQUE,
  draw TEXT NOT NULL REFERENCES audit_draw (id),
  draw_ref TEXT NOT NULL,
  about TEXT NOT NULL,
  unit TEXT NOT NULL,
  subject TEXT NOT NULL,
  authority TEXT NOT NULL,
  provider TEXT NOT NULL,
  auditor TEXT NOT NULL,
  at INTEGER NOT NULL,
  answer TEXT NOT NULL,
  answered_by TEXT NOT NULL,
  answered_at INTEGER NOT NULL,
  exercise INTEGER NOT NULL,
  sealed BLOB,
  sealed_answer BLOB,
  version INTEGER NOT NULL,
  UNIQUE (draw, subject, auditor)
) STRICT;
CREATE INDEX audit_recommendation_authority ON audit_recommendation (authority, id);
CREATE INDEX audit_recommendation_subject ON audit_recommendation (subject);
