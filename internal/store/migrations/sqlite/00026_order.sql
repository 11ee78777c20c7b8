-- Removal orders: what is written by hand and what is signed under the order's key,
-- each place under its item's; offices of authorities; what providers were told before
-- their first order; legal clocks.

-- +goose Up
CREATE TABLE order_office (
  authority TEXT PRIMARY KEY REFERENCES authority (id),
  kind TEXT NOT NULL,
  functions TEXT NOT NULL,
  address TEXT NOT NULL,
  telephone TEXT NOT NULL,
  fax TEXT NOT NULL,
  email TEXT NOT NULL,
  since INTEGER NOT NULL,
  proposal TEXT NOT NULL,
  proposed_by TEXT NOT NULL,
  version INTEGER NOT NULL
) STRICT;

CREATE TABLE first_contact (
  authority TEXT NOT NULL REFERENCES authority (id),
  provider TEXT NOT NULL REFERENCES provider (id),
  ref TEXT NOT NULL UNIQUE,
  noticed_at INTEGER NOT NULL,
  due_at INTEGER NOT NULL,
  issued_at INTEGER NOT NULL,
  PRIMARY KEY (authority, provider)
) STRICT;

CREATE TABLE removal_order (
  id TEXT PRIMARY KEY,
  ref TEXT NOT NULL UNIQUE,
  authority TEXT NOT NULL REFERENCES authority (id),
  provider TEXT NOT NULL REFERENCES provider (id),
  status TEXT NOT NULL,
  state TEXT NOT NULL,
  copied TEXT NOT NULL,
  reasons TEXT NOT NULL,
  items INTEGER NOT NULL,
  executed INTEGER NOT NULL,
  language TEXT NOT NULL,
  silent INTEGER NOT NULL,
  emergency INTEGER NOT NULL,
  drafter TEXT NOT NULL,
  reviewer TEXT NOT NULL,
  approver TEXT NOT NULL,
  digest TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  approved_at INTEGER NOT NULL,
  issued_at INTEGER NOT NULL,
  received_at INTEGER NOT NULL,
  executed_at INTEGER NOT NULL,
  ended_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  exercise INTEGER NOT NULL,
  emergency_verdict TEXT NOT NULL,
  emergency_reviewer TEXT NOT NULL,
  emergency_reviewed_at INTEGER NOT NULL,
  sealed BLOB,
  frame BLOB,
  version INTEGER NOT NULL,
  CHECK (drafter <> reviewer AND drafter <> approver)
) STRICT;
CREATE INDEX removal_order_authority ON removal_order (authority, updated_at, id);
CREATE INDEX removal_order_provider ON removal_order (provider, updated_at, id);
CREATE INDEX removal_order_copied ON removal_order (copied, updated_at, id) WHERE copied <> '';

CREATE TABLE order_item (
  order_id TEXT NOT NULL REFERENCES removal_order (id),
  pos INTEGER NOT NULL,
  item TEXT NOT NULL REFERENCES item (id),
  additional BLOB,
  part BLOB,
  measure TEXT NOT NULL,
  measure_at INTEGER NOT NULL,
  replied_at INTEGER NOT NULL,
  observed TEXT NOT NULL,
  observed_at INTEGER NOT NULL,
  PRIMARY KEY (order_id, pos)
) STRICT;
CREATE UNIQUE INDEX order_item_item ON order_item (item, order_id);

CREATE TABLE order_answer (
  id TEXT PRIMARY KEY,
  order_id TEXT NOT NULL REFERENCES removal_order (id),
  kind TEXT NOT NULL,
  person TEXT NOT NULL,
  at INTEGER NOT NULL,
  sealed BLOB
) STRICT;
CREATE INDEX order_answer_order ON order_answer (order_id, id);

CREATE TABLE deadline (
  id TEXT PRIMARY KEY,
  order_id TEXT NOT NULL REFERENCES removal_order (id),
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
  UNIQUE (order_id, term)
) STRICT;
CREATE INDEX deadline_next ON deadline (next_at) WHERE next_at > 0;
