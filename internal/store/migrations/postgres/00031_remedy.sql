-- What comes after an order or a referral: scrutiny by the authority of the
-- addressee's state, appeals, the content provider's pages, complaints, and the error
-- register, which nothing changes or deletes. What is written by hand lies under the
-- order's key or, of a complaint, under its item's.

-- +goose Up
CREATE TABLE scrutiny (
  id TEXT COLLATE "C" PRIMARY KEY,
  order_id TEXT COLLATE "C" NOT NULL REFERENCES removal_order (id),
  asked_by TEXT COLLATE "C" NOT NULL,
  asked_at BIGINT NOT NULL,
  due_at BIGINT NOT NULL,
  intended_at BIGINT NOT NULL,
  intended_by TEXT COLLATE "C" NOT NULL,
  outcome TEXT COLLATE "C" NOT NULL,
  decided_at BIGINT NOT NULL,
  decided_by TEXT COLLATE "C" NOT NULL,
  sealed BYTEA,
  version BIGINT NOT NULL,
  UNIQUE (order_id, asked_by),
  CHECK (outcome IN ('', 'no_infringement') OR intended_at > 0 AND decided_by <> intended_by)
);

CREATE TABLE order_appeal (
  id TEXT COLLATE "C" PRIMARY KEY,
  ref TEXT COLLATE "C" NOT NULL UNIQUE,
  order_id TEXT COLLATE "C" NOT NULL REFERENCES removal_order (id),
  party TEXT COLLATE "C" NOT NULL,
  filed_at BIGINT NOT NULL,
  outcome TEXT COLLATE "C" NOT NULL,
  decided_at BIGINT NOT NULL,
  sealed BYTEA,
  version BIGINT NOT NULL
);
CREATE INDEX order_appeal_order ON order_appeal (order_id, id);

CREATE TABLE content_link (
  id TEXT COLLATE "C" PRIMARY KEY,
  digest BYTEA NOT NULL UNIQUE,
  order_id TEXT COLLATE "C" NOT NULL,
  referral TEXT COLLATE "C" NOT NULL,
  item TEXT COLLATE "C" NOT NULL REFERENCES item (id),
  authority TEXT COLLATE "C" NOT NULL,
  provider TEXT COLLATE "C" NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  informed_at BIGINT NOT NULL,
  version BIGINT NOT NULL,
  UNIQUE (order_id, referral, item)
);

CREATE TABLE complaint (
  id TEXT COLLATE "C" PRIMARY KEY,
  ref TEXT COLLATE "C" NOT NULL UNIQUE,
  order_id TEXT COLLATE "C" NOT NULL,
  referral TEXT COLLATE "C" NOT NULL,
  item TEXT COLLATE "C" NOT NULL REFERENCES item (id),
  about TEXT COLLATE "C" NOT NULL,
  authority TEXT COLLATE "C" NOT NULL REFERENCES authority (id),
  provider TEXT COLLATE "C" NOT NULL,
  through TEXT COLLATE "C" NOT NULL,
  filed_at BIGINT NOT NULL,
  due_at BIGINT NOT NULL,
  next_at BIGINT NOT NULL,
  warned BIGINT NOT NULL,
  outcome TEXT COLLATE "C" NOT NULL,
  decided_at BIGINT NOT NULL,
  decided_by TEXT COLLATE "C" NOT NULL,
  exercise BIGINT NOT NULL,
  sealed BYTEA,
  version BIGINT NOT NULL
);
CREATE INDEX complaint_authority ON complaint (authority, id);
CREATE INDEX complaint_item ON complaint (item, id);
CREATE INDEX complaint_next ON complaint (next_at) WHERE next_at > 0;
CREATE UNIQUE INDEX complaint_open ON complaint (order_id, referral, item) WHERE outcome = '';

CREATE TABLE error_record (
  id TEXT COLLATE "C" PRIMARY KEY,
  ref TEXT COLLATE "C" NOT NULL,
  kind TEXT COLLATE "C" NOT NULL,
  cause TEXT COLLATE "C" NOT NULL,
  category TEXT COLLATE "C" NOT NULL,
  authority TEXT COLLATE "C" NOT NULL REFERENCES authority (id),
  provider TEXT COLLATE "C" NOT NULL,
  at BIGINT NOT NULL,
  exercise BIGINT NOT NULL
);
CREATE INDEX error_record_authority ON error_record (authority, id);

CREATE TRIGGER error_record_no_change BEFORE UPDATE ON error_record FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER error_record_no_delete BEFORE DELETE ON error_record FOR EACH ROW EXECUTE FUNCTION refuse_change();
