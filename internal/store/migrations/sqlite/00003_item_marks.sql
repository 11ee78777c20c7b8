-- What an item carries for trust: the keyed digest of its bytes, its handling
-- code, a legal hold, its erasure, a hold overridden for a threat to life. Every
-- column has a default, so that an older node goes on beside a newer one.

-- +goose Up
ALTER TABLE item ADD COLUMN content BLOB;
ALTER TABLE item ADD COLUMN handling TEXT NOT NULL DEFAULT 'H0';
ALTER TABLE item ADD COLUMN held_legal INTEGER NOT NULL DEFAULT 0;
ALTER TABLE item ADD COLUMN erased_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE item ADD COLUMN overridden INTEGER NOT NULL DEFAULT 0;
CREATE INDEX item_by_content ON item (content) WHERE content IS NOT NULL;

-- +goose Down
