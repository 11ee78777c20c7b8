-- Removal orders: what is written by hand and what is signed under the order's key,
-- each place under its item's; offices of authorities; what providers were told before
-- their first order; legal clocks.

-- +goose Up
CREATE TABLE order_office (
  authority TEXT COLLATE "C" PRIMARY KEY REFERENCES authority (id),
  kind TEXT COLLATE "C" NOT NULL,
  functions TEXT COLLATE "C" NOT NULL,
  address TEXT COLLATE "C" NOT NULL,
  telephone TEXT COLLATE "C" NOT NULL,
  fax TEXT COLLATE "C" NOT NULL,
  email TEXT COLLATE "C" NOT NULL,
  since BIGINT NOT NULL,
  proposal TEXT COLLATE "C" NOT NULL,
  proposed_by TEXT COLLATE "C" NOT NULL,
  version BIGINT NOT NULL
);

CREATE TABLE first_contact (
  authority TEXT COLLATE "C" NOT NULL REFERENCES authority (id),
  provider TEXT COLLATE "C" NOT NULL REFERENCES provider (id),
  ref TEXT COLLATE "C" NOT NULL UNIQUE,
  noticed_at BIGINT NOT NULL,
  due_at BIGINT NOT NULL,
  issued_at BIGINT NOT NULL,
  PRIMARY KEY (authority, provider)
);

CREATE TABLE removal_order (
  id TEXT COLLATE "C" PRIMARY KEY,
  ref TEXT COLLATE "C" NOT NULL UNIQUE,
  authority TEXT COLLATE "C" NOT NULL REFERENCES authority (id),
  provider TEXT COLLATE "C" NOT NULL REFERENCES provider (id),
  status TEXT COLLATE "C" NOT NULL,
  state TEXT COLLATE "C" NOT NULL,
  copied TEXT COLLATE "C" NOT NULL,
  reasons TEXT COLLATE "C" NOT NULL,
  items BIGINT NOT NULL,
  executed BIGINT NOT NULL,
  language TEXT COLLATE "C" NOT NULL,
  silent BIGINT NOT NULL,
  emergency BIGINT NOT NULL,
  drafter TEXT COLLATE "C" NOT NULL,
  reviewer TEXT COLLATE "C" NOT NULL,
  approver TEXT COLLATE "C" NOT NULL,
  digest TEXT COLLATE "C" NOT NULL,
  created_at BIGINT NOT NULL,
  approved_at BIGINT NOT NULL,
  issued_at BIGINT NOT NULL,
  received_at BIGINT NOT NULL,
  executed_at BIGINT NOT NULL,
  ended_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  exercise BIGINT NOT NULL,
  emergency_verdict TEXT NOT NULL,
  emergency_reviewer TEXT NOT NULL,
  emergency_reviewed_at BIGINT NOT NULL,
  sealed BYTEA,
  frame BYTEA,
  version BIGINT NOT NULL,
  CHECK (drafter <> reviewer AND drafter <> approver)
);
CREATE INDEX removal_order_authority ON removal_order (authority, updated_at, id);
CREATE INDEX removal_order_provider ON removal_order (provider, updated_at, id);
CREATE INDEX removal_order_copied ON removal_order (copied, updated_at, id) WHERE copied <> '';

CREATE TABLE order_item (
  order_id TEXT COLLATE "C" NOT NULL REFERENCES removal_order (id),
  pos BIGINT NOT NULL,
  item TEXT COLLATE "C" NOT NULL REFERENCES item (id),
  additional BYTEA,
  part BYTEA,
  measure TEXT COLLATE "C" NOT NULL,
  measure_at BIGINT NOT NULL,
  replied_at BIGINT NOT NULL,
  observed TEXT COLLATE "C" NOT NULL,
  observed_at BIGINT NOT NULL,
  PRIMARY KEY (order_id, pos)
);
CREATE UNIQUE INDEX order_item_item ON order_item (item, order_id);

CREATE TABLE order_answer (
  id TEXT COLLATE "C" PRIMARY KEY,
  order_id TEXT COLLATE "C" NOT NULL REFERENCES removal_order (id),
  kind TEXT COLLATE "C" NOT NULL,
  person TEXT COLLATE "C" NOT NULL,
  at BIGINT NOT NULL,
  sealed BYTEA
);
CREATE INDEX order_answer_order ON order_answer (order_id, id);

CREATE TABLE deadline (
  id TEXT COLLATE "C" PRIMARY KEY,
  order_id TEXT COLLATE "C" NOT NULL REFERENCES removal_order (id),
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
  UNIQUE (order_id, term)
);
CREATE INDEX deadline_next ON deadline (next_at) WHERE next_at > 0;
