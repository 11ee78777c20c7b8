-- A provider's own desk: the hubs that it is asked by, what it received of them, its
-- answers on their way, its clocks, what it keeps (Art. 6) and what is complained of
-- (Art. 10). What others wrote is sealed under the key of what was received.

-- +goose Up
CREATE TABLE received_hub (
  id TEXT PRIMARY KEY,
  ref TEXT NOT NULL UNIQUE,
  url TEXT NOT NULL,
  origin TEXT NOT NULL,
  root TEXT NOT NULL,
  trust BLOB NOT NULL,
  addressee TEXT NOT NULL,
  webhook_key TEXT NOT NULL,
  keys BLOB NOT NULL,
  sealed_key BLOB NOT NULL,
  inbox TEXT NOT NULL,
  seen_at INTEGER NOT NULL,
  problem TEXT NOT NULL,
  added_at INTEGER NOT NULL,
  ended_at INTEGER NOT NULL,
  version INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX received_hub_root ON received_hub (root) WHERE ended_at = 0;

CREATE TABLE received (
  id TEXT PRIMARY KEY,
  ref TEXT NOT NULL UNIQUE,
  hub TEXT NOT NULL REFERENCES received_hub (id),
  kind TEXT NOT NULL,
  theirs TEXT NOT NULL,
  their_version INTEGER NOT NULL,
  status TEXT NOT NULL,
  verdict TEXT NOT NULL,
  items INTEGER NOT NULL,
  done INTEGER NOT NULL,
  received_at INTEGER NOT NULL,
  answered_at INTEGER NOT NULL,
  ended_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  exercise INTEGER NOT NULL,
  sealed BLOB,
  original BLOB,
  version INTEGER NOT NULL,
  UNIQUE (hub, kind, theirs),
  CHECK (kind <> 'order' OR verdict = 'valid' OR status IN ('unproven', 'ended'))
) STRICT;
CREATE INDEX received_at ON received (received_at, id);
CREATE INDEX received_status ON received (status, received_at);

CREATE TABLE received_item (
  received TEXT NOT NULL REFERENCES received (id),
  pos INTEGER NOT NULL,
  ref TEXT NOT NULL,
  code TEXT NOT NULL,
  at INTEGER NOT NULL,
  sealed BLOB,
  PRIMARY KEY (received, pos)
) STRICT;

CREATE TABLE received_post (
  id TEXT PRIMARY KEY,
  received TEXT NOT NULL REFERENCES received (id),
  way TEXT NOT NULL,
  state TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  person TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  next_at INTEGER NOT NULL,
  delivered_at INTEGER NOT NULL,
  sealed BLOB,
  version INTEGER NOT NULL
) STRICT;
CREATE INDEX received_post_received ON received_post (received, id);
CREATE INDEX received_post_next ON received_post (next_at) WHERE next_at > 0;

CREATE TABLE received_deadline (
  id TEXT PRIMARY KEY,
  subject TEXT NOT NULL,
  term TEXT NOT NULL,
  state TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  evidence TEXT NOT NULL,
  due_at INTEGER NOT NULL,
  paused_at INTEGER NOT NULL,
  why TEXT NOT NULL,
  met_at INTEGER NOT NULL,
  warned INTEGER NOT NULL,
  least INTEGER NOT NULL,
  win INTEGER NOT NULL,
  extension TEXT NOT NULL,
  next_at INTEGER NOT NULL,
  version INTEGER NOT NULL,
  UNIQUE (subject, term)
) STRICT;
CREATE INDEX received_deadline_next ON received_deadline (next_at) WHERE next_at > 0;

CREATE TABLE kept_content (
  id TEXT PRIMARY KEY,
  ref TEXT NOT NULL UNIQUE,
  received TEXT NOT NULL REFERENCES received (id),
  item TEXT NOT NULL,
  since INTEGER NOT NULL,
  erased_at INTEGER NOT NULL,
  version INTEGER NOT NULL,
  UNIQUE (received, item)
) STRICT;

CREATE TABLE dispute (
  id TEXT PRIMARY KEY,
  ref TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  received TEXT NOT NULL REFERENCES received (id),
  item TEXT NOT NULL,
  outcome TEXT NOT NULL,
  received_at INTEGER NOT NULL,
  decided_at INTEGER NOT NULL,
  sealed BLOB,
  version INTEGER NOT NULL
) STRICT;
CREATE INDEX dispute_at ON dispute (received_at, id);
