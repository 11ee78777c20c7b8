-- What stops all that leaves the house, and the logs that this one goes on
-- from. Both are kept for ever; at most one hold stands.

-- +goose Up
CREATE TABLE dispatch_hold (
  id TEXT PRIMARY KEY,
  cause TEXT NOT NULL,
  sealed BLOB,
  held_by TEXT NOT NULL,
  held_at INTEGER NOT NULL,
  sealed_grounds BLOB,
  released_by TEXT NOT NULL,
  released_at INTEGER NOT NULL,
  version INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX dispatch_held ON dispatch_hold (released_at) WHERE released_at = 0;

CREATE TABLE log_succession (
  id TEXT PRIMARY KEY,
  origin TEXT NOT NULL,
  log_key TEXT NOT NULL,
  size INTEGER NOT NULL,
  root BLOB NOT NULL,
  checkpoint TEXT NOT NULL,
  successor TEXT NOT NULL,
  successor_key TEXT NOT NULL,
  sealed BLOB,
  person TEXT NOT NULL,
  at INTEGER NOT NULL
) STRICT;

-- +goose Down
