-- What stops all that leaves the house, and the logs that this one goes on
-- from. Both are kept for ever; at most one hold stands.

-- +goose Up
CREATE TABLE dispatch_hold (
  id TEXT COLLATE "C" PRIMARY KEY,
  cause TEXT COLLATE "C" NOT NULL,
  sealed BYTEA,
  held_by TEXT COLLATE "C" NOT NULL,
  held_at BIGINT NOT NULL,
  sealed_grounds BYTEA,
  released_by TEXT COLLATE "C" NOT NULL,
  released_at BIGINT NOT NULL,
  version BIGINT NOT NULL
);
CREATE UNIQUE INDEX dispatch_held ON dispatch_hold (released_at) WHERE released_at = 0;

CREATE TABLE log_succession (
  id TEXT COLLATE "C" PRIMARY KEY,
  origin TEXT COLLATE "C" NOT NULL,
  log_key TEXT COLLATE "C" NOT NULL,
  size BIGINT NOT NULL,
  root BYTEA NOT NULL,
  checkpoint TEXT COLLATE "C" NOT NULL,
  successor TEXT COLLATE "C" NOT NULL,
  successor_key TEXT COLLATE "C" NOT NULL,
  sealed BYTEA,
  person TEXT COLLATE "C" NOT NULL,
  at BIGINT NOT NULL
);

-- +goose Down
