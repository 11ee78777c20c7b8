-- Providers' reports of a threat to life (Art. 14(5)), with a copy for each whom one goes
-- to, and what a provider's own desk sends to its hubs. What is written by hand lies under
-- the report's own key. authority is '' for the coordinators' copy. And replies by mail to
-- removal orders, under the order's key.

-- +goose Up
CREATE TABLE life_threat (
  id TEXT PRIMARY KEY,
  ref TEXT NOT NULL UNIQUE,
  provider TEXT NOT NULL REFERENCES provider (id),
  person TEXT NOT NULL,
  kind TEXT NOT NULL,
  states TEXT NOT NULL,
  content TEXT NOT NULL,
  preserved INTEGER NOT NULL,
  seen_at INTEGER NOT NULL,
  received_at INTEGER NOT NULL,
  erase_at INTEGER NOT NULL,
  erased_at INTEGER NOT NULL,
  exercise INTEGER NOT NULL,
  sealed BLOB,
  version INTEGER NOT NULL
) STRICT;
CREATE INDEX life_threat_provider ON life_threat (provider, id);
CREATE INDEX life_threat_erase ON life_threat (erase_at) WHERE erase_at > 0;

CREATE TABLE threat_copy (
  id TEXT PRIMARY KEY,
  threat TEXT NOT NULL REFERENCES life_threat (id),
  authority TEXT NOT NULL,
  state TEXT NOT NULL,
  why TEXT NOT NULL,
  status TEXT NOT NULL,
  taker TEXT NOT NULL,
  received_at INTEGER NOT NULL,
  due_at INTEGER NOT NULL,
  taken_at INTEGER NOT NULL,
  closed_at INTEGER NOT NULL,
  outcome TEXT NOT NULL,
  warned INTEGER NOT NULL,
  next_at INTEGER NOT NULL,
  sealed BLOB,
  version INTEGER NOT NULL,
  UNIQUE (threat, authority)
) STRICT;
CREATE INDEX threat_copy_authority ON threat_copy (authority, threat);
CREATE INDEX threat_copy_waits ON threat_copy (authority, status) WHERE status = 'received';
CREATE INDEX threat_copy_next ON threat_copy (next_at) WHERE next_at > 0;

CREATE TABLE host_threat (
  id TEXT PRIMARY KEY,
  ref TEXT NOT NULL,
  hub TEXT NOT NULL REFERENCES received_hub (id),
  theirs TEXT NOT NULL,
  state TEXT NOT NULL,
  there TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  person TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  next_at INTEGER NOT NULL,
  delivered_at INTEGER NOT NULL,
  erase_at INTEGER NOT NULL,
  exercise INTEGER NOT NULL,
  sealed BLOB,
  version INTEGER NOT NULL,
  UNIQUE (ref, hub)
) STRICT;
CREATE INDEX host_threat_hub ON host_threat (hub, next_at) WHERE next_at > 0;
CREATE INDEX host_threat_erase ON host_threat (erase_at) WHERE erase_at > 0;

CREATE TABLE order_reply (
  id TEXT PRIMARY KEY,
  order_id TEXT NOT NULL REFERENCES removal_order (id),
  contact TEXT NOT NULL REFERENCES contact_point (id),
  digest BLOB NOT NULL UNIQUE,
  sender TEXT NOT NULL,
  outcome TEXT NOT NULL,
  code TEXT NOT NULL,
  field TEXT NOT NULL,
  at INTEGER NOT NULL,
  tag TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  next_at INTEGER NOT NULL,
  sent_at INTEGER NOT NULL,
  evidence TEXT NOT NULL,
  sealed BLOB,
  version INTEGER NOT NULL
) STRICT;
CREATE INDEX order_reply_order ON order_reply (order_id, id);
CREATE INDEX order_reply_contact ON order_reply (contact, next_at) WHERE next_at > 0;
