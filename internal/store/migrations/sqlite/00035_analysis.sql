-- Analyses of exhibits' access logs. Why one was asked for, and of which files, lies
-- under its own key; so does its report, in a table of its own, which lists never read.

-- +goose Up
CREATE TABLE analysis (
  id TEXT PRIMARY KEY,
  exhibit TEXT NOT NULL REFERENCES exhibit (id),
  n INTEGER NOT NULL,
  case_id TEXT NOT NULL REFERENCES case_file (id),
  authority TEXT NOT NULL REFERENCES authority (id),
  status TEXT NOT NULL,
  code TEXT NOT NULL,
  report TEXT NOT NULL,
  work INTEGER NOT NULL,
  files INTEGER NOT NULL,
  read_bytes INTEGER NOT NULL,
  all_bytes INTEGER NOT NULL,
  looks INTEGER NOT NULL,
  tries INTEGER NOT NULL,
  asked_by TEXT NOT NULL,
  asked_at INTEGER NOT NULL,
  ended_at INTEGER NOT NULL,
  sealed BLOB,
  exercise INTEGER NOT NULL,
  version INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX analysis_number ON analysis (exhibit, n);
CREATE INDEX analysis_case ON analysis (case_id, id);
-- One at a time.
CREATE UNIQUE INDEX analysis_open ON analysis (exhibit) WHERE status IN ('asked', 'running');

CREATE TABLE analysis_report (
  analysis TEXT PRIMARY KEY REFERENCES analysis (id),
  sealed BLOB NOT NULL
) STRICT;
