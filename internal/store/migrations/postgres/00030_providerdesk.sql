-- A provider's own desk: the hubs that it is asked by, what it received of them, its
-- answers on their way, its clocks, what it keeps (Art. 6) and what is complained of
-- (Art. 10). What others wrote is sealed under the key of what was received.

-- +goose Up
CREATE TABLE received_hub (
  id TEXT COLLATE "C" PRIMARY KEY,
  ref TEXT COLLATE "C" NOT NULL UNIQUE,
  url TEXT COLLATE "C" NOT NULL,
  origin TEXT COLLATE "C" NOT NULL,
  root TEXT COLLATE "C" NOT NULL,
  trust BYTEA NOT NULL,
  addressee TEXT COLLATE "C" NOT NULL,
  webhook_key TEXT COLLATE "C" NOT NULL,
  keys BYTEA NOT NULL,
  sealed_key BYTEA NOT NULL,
  inbox TEXT COLLATE "C" NOT NULL,
  seen_at BIGINT NOT NULL,
  problem TEXT COLLATE "C" NOT NULL,
  added_at BIGINT NOT NULL,
  ended_at BIGINT NOT NULL,
  version BIGINT NOT NULL
);
CREATE UNIQUE INDEX received_hub_root ON received_hub (root) WHERE ended_at = 0;

CREATE TABLE received (
  id TEXT COLLATE "C" PRIMARY KEY,
  ref TEXT COLLATE "C" NOT NULL UNIQUE,
  hub TEXT COLLATE "C" NOT NULL REFERENCES received_hub (id),
  kind TEXT COLLATE "C" NOT NULL,
  theirs TEXT COLLATE "C" NOT NULL,
  their_version BIGINT NOT NULL,
  status TEXT COLLATE "C" NOT NULL,
  verdict TEXT COLLATE "C" NOT NULL,
  items BIGINT NOT NULL,
  done BIGINT NOT NULL,
  received_at BIGINT NOT NULL,
  answered_at BIGINT NOT NULL,
  ended_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  exercise BIGINT NOT NULL,
  sealed BYTEA,
  original BYTEA,
  version BIGINT NOT NULL,
  UNIQUE (hub, kind, theirs),
  CHECK (kind <> 'order' OR verdict = 'valid' OR status IN ('unproven', 'ended'))
);
CREATE INDEX received_at ON received (received_at, id);
CREATE INDEX received_status ON received (status, received_at);

CREATE TABLE received_item (
  received TEXT COLLATE "C" NOT NULL REFERENCES received (id),
  pos BIGINT NOT NULL,
  ref TEXT COLLATE "C" NOT NULL,
  code TEXT COLLATE "C" NOT NULL,
  at BIGINT NOT NULL,
  sealed BYTEA,
  PRIMARY KEY (received, pos)
);

CREATE TABLE received_post (
  id TEXT COLLATE "C" PRIMARY KEY,
  received TEXT COLLATE "C" NOT NULL REFERENCES received (id),
  way TEXT COLLATE "C" NOT NULL,
  state TEXT COLLATE "C" NOT NULL,
  attempts BIGINT NOT NULL,
  person TEXT COLLATE "C" NOT NULL,
  created_at BIGINT NOT NULL,
  next_at BIGINT NOT NULL,
  delivered_at BIGINT NOT NULL,
  sealed BYTEA,
  version BIGINT NOT NULL
);
CREATE INDEX received_post_received ON received_post (received, id);
CREATE INDEX received_post_next ON received_post (next_at) WHERE next_at > 0;

CREATE TABLE received_deadline (
  id TEXT COLLATE "C" PRIMARY KEY,
  subject TEXT COLLATE "C" NOT NULL,
  term TEXT COLLATE "C" NOT NULL,
  state TEXT COLLATE "C" NOT NULL,
  started_at BIGINT NOT NULL,
  evidence TEXT COLLATE "C" NOT NULL,
  due_at BIGINT NOT NULL,
  paused_at BIGINT NOT NULL,
  why TEXT COLLATE "C" NOT NULL,
  met_at BIGINT NOT NULL,
  warned BIGINT NOT NULL,
  least BIGINT NOT NULL,
  win BIGINT NOT NULL,
  extension TEXT COLLATE "C" NOT NULL,
  next_at BIGINT NOT NULL,
  version BIGINT NOT NULL,
  UNIQUE (subject, term)
);
CREATE INDEX received_deadline_next ON received_deadline (next_at) WHERE next_at > 0;

CREATE TABLE kept_content (
  id TEXT COLLATE "C" PRIMARY KEY,
  ref TEXT COLLATE "C" NOT NULL UNIQUE,
  received TEXT COLLATE "C" NOT NULL REFERENCES received (id),
  item TEXT COLLATE "C" NOT NULL,
  since BIGINT NOT NULL,
  erased_at BIGINT NOT NULL,
  version BIGINT NOT NULL,
  UNIQUE (received, item)
);

CREATE TABLE dispute (
  id TEXT COLLATE "C" PRIMARY KEY,
  ref TEXT COLLATE "C" NOT NULL UNIQUE,
  kind TEXT COLLATE "C" NOT NULL,
  received TEXT COLLATE "C" NOT NULL REFERENCES received (id),
  item TEXT COLLATE "C" NOT NULL,
  outcome TEXT COLLATE "C" NOT NULL,
  received_at BIGINT NOT NULL,
  decided_at BIGINT NOT NULL,
  sealed BYTEA,
  version BIGINT NOT NULL
);
CREATE INDEX dispute_at ON dispute (received_at, id);
