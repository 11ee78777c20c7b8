-- Erasure: who asked and who confirmed; a referral's original in parts, each item
-- sealed under its own key; which item a stored answer tells of. The terms of
-- what was decided before begin with what is known: its last change.

-- +goose Up
CREATE TABLE erasure (
  item TEXT COLLATE "C" PRIMARY KEY REFERENCES item (id),
  code TEXT COLLATE "C" NOT NULL,
  sealed BYTEA,
  asked_by TEXT COLLATE "C" NOT NULL,
  asked_at BIGINT NOT NULL,
  confirmed_by TEXT COLLATE "C" NOT NULL,
  erased_at BIGINT NOT NULL,
  CHECK (confirmed_by <> asked_by)
);

ALTER TABLE referral ADD COLUMN frame BYTEA;
ALTER TABLE referral_item ADD COLUMN sealed BYTEA;
ALTER TABLE idempotency ADD COLUMN subject TEXT COLLATE "C" NOT NULL DEFAULT '';
CREATE INDEX idempotency_subject ON idempotency (subject) WHERE subject <> '';

INSERT INTO clock (kind, subject, due_at, version)
SELECT 'item.erase', id, updated_at + 2592000000000, 1 FROM item WHERE status IN ('rejected', 'stopped') OR (status = 'withdrawn' AND referral = '');

-- +goose Down
