-- Providers' reports of a threat to life (Art. 14(5)), with a copy for each whom one goes
-- to, and what a provider's own desk sends to its hubs. What is written by hand lies under
-- the report's own key. authority is '' for the coordinators' copy. And replies by mail to
-- removal orders, under the order's key.

-- +goose Up
CREATE TABLE life_threat (
  id TEXT COLLATE "C" PRIMARY KEY,
  ref TEXT COLLATE "C" NOT NULL UNIQUE,
  provider TEXT COLLATE "C" NOT NULL REFERENCES provider (id),
  person TEXT COLLATE "C" NOT NULL,
  kind TEXT COLLATE "C" NOT NULL,
  states TEXT COLLATE "C" NOT NULL,
  content TEXT COLLATE "C" NOT NULL,
  preserved BIGINT NOT NULL,
  seen_at BIGINT NOT NULL,
  received_at BIGINT NOT NULL,
  erase_at BIGINT NOT NULL,
  erased_at BIGINT NOT NULL,
  exercise BIGINT NOT NULL,
  sealed BYTEA,
  version BIGINT NOT NULL
);
CREATE INDEX life_threat_provider ON life_threat (provider, id);
CREATE INDEX life_threat_erase ON life_threat (erase_at) WHERE erase_at > 0;

CREATE TABLE threat_copy (
  id TEXT COLLATE "C" PRIMARY KEY,
  threat TEXT COLLATE "C" NOT NULL REFERENCES life_threat (id),
  authority TEXT COLLATE "C" NOT NULL,
  state TEXT COLLATE "C" NOT NULL,
  why TEXT COLLATE "C" NOT NULL,
  status TEXT COLLATE "C" NOT NULL,
  taker TEXT COLLATE "C" NOT NULL,
  received_at BIGINT NOT NULL,
  due_at BIGINT NOT NULL,
  taken_at BIGINT NOT NULL,
  closed_at BIGINT NOT NULL,
  outcome TEXT COLLATE "C" NOT NULL,
  warned BIGINT NOT NULL,
  next_at BIGINT NOT NULL,
  sealed BYTEA,
  version BIGINT NOT NULL,
  UNIQUE (threat, authority)
);
CREATE INDEX threat_copy_authority ON threat_copy (authority, threat);
CREATE INDEX threat_copy_waits ON threat_copy (authority, status) WHERE status = 'received';
CREATE INDEX threat_copy_next ON threat_copy (next_at) WHERE next_at > 0;

CREATE TABLE host_threat (
  id TEXT COLLATE "C" PRIMARY KEY,
  ref TEXT COLLATE "C" NOT NULL,
  hub TEXT COLLATE "C" NOT NULL REFERENCES received_hub (id),
  theirs TEXT COLLATE "C" NOT NULL,
  state TEXT COLLATE "C" NOT NULL,
  there TEXT COLLATE "C" NOT NULL,
  attempts BIGINT NOT NULL,
  person TEXT COLLATE "C" NOT NULL,
  created_at BIGINT NOT NULL,
  next_at BIGINT NOT NULL,
  delivered_at BIGINT NOT NULL,
  erase_at BIGINT NOT NULL,
  exercise BIGINT NOT NULL,
  sealed BYTEA,
  version BIGINT NOT NULL,
  UNIQUE (ref, hub)
);
CREATE INDEX host_threat_hub ON host_threat (hub, next_at) WHERE next_at > 0;
CREATE INDEX host_threat_erase ON host_threat (erase_at) WHERE erase_at > 0;

CREATE TABLE order_reply (
  id TEXT COLLATE "C" PRIMARY KEY,
  order_id TEXT COLLATE "C" NOT NULL REFERENCES removal_order (id),
  contact TEXT COLLATE "C" NOT NULL REFERENCES contact_point (id),
  digest BYTEA NOT NULL UNIQUE,
  sender TEXT COLLATE "C" NOT NULL,
  outcome TEXT COLLATE "C" NOT NULL,
  code TEXT COLLATE "C" NOT NULL,
  field TEXT COLLATE "C" NOT NULL,
  at BIGINT NOT NULL,
  tag TEXT COLLATE "C" NOT NULL,
  attempts BIGINT NOT NULL,
  next_at BIGINT NOT NULL,
  sent_at BIGINT NOT NULL,
  evidence TEXT COLLATE "C" NOT NULL,
  sealed BYTEA,
  version BIGINT NOT NULL
);
CREATE INDEX order_reply_order ON order_reply (order_id, id);
CREATE INDEX order_reply_contact ON order_reply (contact, next_at) WHERE next_at > 0;
