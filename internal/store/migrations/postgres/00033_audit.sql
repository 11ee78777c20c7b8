-- The auditor's workbench: draws, findings, and recommendations with their answers.
-- What is in a draw follows from the log and stands nowhere. What is written by hand
-- lies under the key of the draw, or of the item or order that it is about.

-- +goose Up
CREATE TABLE audit_draw (
  id TEXT COLLATE "C" PRIMARY KEY,
  ref TEXT COLLATE "C" NOT NULL UNIQUE,
  auditor TEXT COLLATE "C" NOT NULL,
  at BIGINT NOT NULL,
  exercise BIGINT NOT NULL
);

CREATE TABLE audit_finding (
  draw TEXT COLLATE "C" NOT NULL REFERENCES audit_draw (id),
  subject TEXT COLLATE "C" NOT NULL,
  auditor TEXT COLLATE "C" NOT NULL,
  unit TEXT COLLATE "C" NOT NULL,
  at BIGINT NOT NULL,
  verdict TEXT COLLATE "C" NOT NULL,
  type TEXT COLLATE "C" NOT NULL,
  purpose TEXT COLLATE "C" NOT NULL,
  why TEXT COLLATE "C" NOT NULL,
  sealed BYTEA,
  PRIMARY KEY (draw, subject, auditor)
);
CREATE INDEX audit_finding_subject ON audit_finding (subject);

CREATE TABLE audit_recommendation (
  id TEXT COLLATE "C" PRIMARY KEY,
  ref TEXT COLLATE "C" NOT NULL UNIQUE,
  draw TEXT COLLATE "C" NOT NULL REFERENCES audit_draw (id),
  draw_ref TEXT COLLATE "C" NOT NULL,
  about TEXT COLLATE "C" NOT NULL,
  unit TEXT COLLATE "C" NOT NULL,
  subject TEXT COLLATE "C" NOT NULL,
  authority TEXT COLLATE "C" NOT NULL,
  provider TEXT COLLATE "C" NOT NULL,
  auditor TEXT COLLATE "C" NOT NULL,
  at BIGINT NOT NULL,
  answer TEXT COLLATE "C" NOT NULL,
  answered_by TEXT COLLATE "C" NOT NULL,
  answered_at BIGINT NOT NULL,
  exercise BIGINT NOT NULL,
  sealed BYTEA,
  sealed_answer BYTEA,
  version BIGINT NOT NULL,
  UNIQUE (draw, subject, auditor)
);
CREATE INDEX audit_recommendation_authority ON audit_recommendation (authority, id);
CREATE INDEX audit_recommendation_subject ON audit_recommendation (subject);
