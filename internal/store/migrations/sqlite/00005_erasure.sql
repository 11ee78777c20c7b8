-- Erasure: who asked and who confirmed; a referral's original in parts, each item
-- sealed under its own key; which item a stored answer tells of. The terms of
-- what was decided before begin with what is known: its last change.

-- +goose Up
CREATE TABLE erasure (
  item TEXT PRIMARY KEY REFERENCES item (id),
  code TEXT NOT NULL,
  sealed BLOB,
  asked_by TEXT NOT NULL,
  asked_at INTEGER NOT NULL,
  confirmed_by TEXT NOT NULL,
  erased_at INTEGER NOT NULL,
  CHECK (confirmed_by <> asked_by)
) STRICT;

ALTER TABLE referral ADD COLUMN frame BLOB;
ALTER TABLE referral_item ADD COLUMN sealed BLOB;
ALTER TABLE idempotency ADD COLUMN subject TEXT NOT NULL DEFAULT '';
CREATE INDEX idempotency_subject ON idempotency (subject) WHERE subject <> '';

INSERT INTO clock (kind, subject, due_at, version)
SELECT 'item.erase', id, updated_at + 2592000000000, 1 FROM item WHERE status IN ('rejected', 'stopped') OR (status = 'withdrawn' AND referral = '');

-- +goose Down
