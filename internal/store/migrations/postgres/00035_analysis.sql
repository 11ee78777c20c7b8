-- Analyses of exhibits' access logs. Why one was asked for, and of which files, lies
-- under its own key; so does its report, in a table of its own, which lists never read.

-- +goose Up
CREATE TABLE analysis (
  id TEXT COLLATE "C" PRIMARY KEY,
  exhibit TEXT COLLATE "C" NOT NULL REFERENCES exhibit (id),
  n BIGINT NOT NULL,
  case_id TEXT COLLATE "C" NOT NULL REFERENCES case_file (id),
  authority TEXT COLLATE "C" NOT NULL REFERENCES authority (id),
  status TEXT COLLATE "C" NOT NULL,
  code TEXT COLLATE "C" NOT NULL,
  report TEXT COLLATE "C" NOT NULL,
  work BIGINT NOT NULL,
  files BIGINT NOT NULL,
  read_bytes BIGINT NOT NULL,
  all_bytes BIGINT NOT NULL,
  looks BIGINT NOT NULL,
  tries BIGINT NOT NULL,
  asked_by TEXT COLLATE "C" NOT NULL,
  asked_at BIGINT NOT NULL,
  ended_at BIGINT NOT NULL,
  sealed BYTEA,
  exercise BIGINT NOT NULL,
  version BIGINT NOT NULL
);
CREATE UNIQUE INDEX analysis_number ON analysis (exhibit, n);
CREATE INDEX analysis_case ON analysis (case_id, id);
-- One at a time.
CREATE UNIQUE INDEX analysis_open ON analysis (exhibit) WHERE status IN ('asked', 'running');

CREATE TABLE analysis_report (
  analysis TEXT COLLATE "C" PRIMARY KEY REFERENCES analysis (id),
  sealed BYTEA NOT NULL
);
