-- What comes after an order or a referral: scrutiny by the authority of the
-- addressee's state, appeals, the content provider's pages, complaints, and the error
-- register, which nothing changes or deletes. What is written by hand lies under the
-- order's key or, of a complaint, under its item's.

-- +goose Up
CREATE TABLE scrutiny (
  id TEXT PRIMARY KEY,
  order_id TEXT NOT NULL REFERENCES removal_order (id),
  asked_by TEXT NOT NULL,
  asked_at INTEGER NOT NULL,
  due_at INTEGER NOT NULL,
  intended_at INTEGER NOT NULL,
  intended_by TEXT NOT NULL,
  outcome TEXT NOT NULL,
  decided_at INTEGER NOT NULL,
  decided_by TEXT NOT NULL,
  sealed BLOB,
  version INTEGER NOT NULL,
  UNIQUE (order_id, asked_by),
  CHECK (outcome IN ('', 'no_infringement') OR intended_at > 0 AND decided_by <> intended_by)
) STRICT;

CREATE TABLE order_appeal (
  id TEXT PRIMARY KEY,
  ref TEXT NOT NULL UNIQUE,
  order_id TEXT NOT NULL REFERENCES removal_order (id),
  party TEXT NOT NULL,
  filed_at INTEGER NOT NULL,
  outcome TEXT NOT NULL,
  decided_at INTEGER NOT NULL,
  sealed BLOB,
  version INTEGER NOT NULL
) STRICT;
CREATE INDEX order_appeal_order ON order_appeal (order_id, id);

CREATE TABLE content_link (
  id TEXT PRIMARY KEY,
  digest BLOB NOT NULL UNIQUE,
  order_id TEXT NOT NULL,
  referral TEXT NOT NULL,
  item TEXT NOT NULL REFERENCES item (id),
  authority TEXT NOT NULL,
  provider TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  informed_at INTEGER NOT NULL,
  version INTEGER NOT NULL,
  UNIQUE (order_id, referral, item)
) STRICT;

CREATE TABLE complaint (
  id TEXT PRIMARY KEY,
  ref TEXT NOT NULL UNIQUE,
  order_id TEXT NOT NULL,
  referral TEXT NOT NULL,
  item TEXT NOT NULL REFERENCES item (id),
  about TEXT NOT NULL,
  authority TEXT NOT NULL REFERENCES authority (id),
  provider TEXT NOT NULL,
  through TEXT NOT NULL,
  filed_at INTEGER NOT NULL,
  due_at INTEGER NOT NULL,
  next_at INTEGER NOT NULL,
  warned INTEGER NOT NULL,
  outcome TEXT NOT NULL,
  decided_at INTEGER NOT NULL,
  decided_by TEXT NOT NULL,
  exercise INTEGER NOT NULL,
  sealed BLOB,
  version INTEGER NOT NULL
) STRICT;
CREATE INDEX complaint_authority ON complaint (authority, id);
CREATE INDEX complaint_item ON complaint (item, id);
CREATE INDEX complaint_next ON complaint (next_at) WHERE next_at > 0;
CREATE UNIQUE INDEX complaint_open ON complaint (order_id, referral, item) WHERE outcome = '';

CREATE TABLE error_record (
  id TEXT PRIMARY KEY,
  ref TEXT NOT NULL,
  kind TEXT NOT NULL,
  cause TEXT NOT NULL,
  category TEXT NOT NULL,
  authority TEXT NOT NULL REFERENCES authority (id),
  provider TEXT NOT NULL,
  at INTEGER NOT NULL,
  exercise INTEGER NOT NULL
) STRICT;
CREATE INDEX error_record_authority ON error_record (authority, id);

-- +goose StatementBegin
CREATE TRIGGER error_record_no_change BEFORE UPDATE ON error_record
BEGIN
  SELECT RAISE(ABORT, 'error_record is append-only');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER error_record_no_delete BEFORE DELETE ON error_record
BEGIN
  SELECT RAISE(ABORT, 'error_record is append-only');
END;
-- +goose StatementEnd
