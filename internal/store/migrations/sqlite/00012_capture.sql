-- Captures: what somebody of an authority saw at an item's place. The bytes lie
-- apart, once for each authority, sealed under a key of their own: small ones in
-- the row, others in a file whose digest as it lies there stands here. Marks of
-- atrocity evidence, and who preserves what is marked. What older nodes assess
-- rests on no capture; what they dispatch looks at no mark.

-- +goose Up
CREATE TABLE captured_bytes (
  id TEXT PRIMARY KEY,
  authority TEXT NOT NULL,
  address BLOB,
  size INTEGER NOT NULL,
  sealed BLOB,
  file TEXT NOT NULL,
  sum BLOB,
  at INTEGER NOT NULL,
  erased_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX captured_bytes_address ON captured_bytes (authority, address) WHERE address IS NOT NULL;
CREATE INDEX captured_bytes_gone ON captured_bytes (erased_at) WHERE erased_at > 0 AND file <> '';

CREATE TABLE capture (
  id TEXT PRIMARY KEY,
  ref TEXT NOT NULL UNIQUE,
  item TEXT NOT NULL REFERENCES item (id),
  authority TEXT NOT NULL,
  person TEXT NOT NULL,
  kind TEXT NOT NULL,
  media TEXT NOT NULL,
  size INTEGER NOT NULL,
  seen_at INTEGER NOT NULL,
  added_at INTEGER NOT NULL,
  bytes TEXT NOT NULL REFERENCES captured_bytes (id),
  sealed BLOB,
  erased_at INTEGER NOT NULL
) STRICT;
CREATE INDEX capture_item ON capture (item, authority, seen_at);
CREATE INDEX capture_bytes ON capture (bytes);

CREATE TABLE atrocity (
  item TEXT PRIMARY KEY REFERENCES item (id),
  authority TEXT NOT NULL,
  person TEXT NOT NULL,
  sealed BLOB,
  at INTEGER NOT NULL,
  preserved_until INTEGER NOT NULL,
  lifted_by TEXT NOT NULL,
  lifted_at INTEGER NOT NULL,
  version INTEGER NOT NULL
) STRICT;

CREATE TABLE preservation (
  ref TEXT PRIMARY KEY,
  item TEXT NOT NULL REFERENCES item (id),
  authority TEXT NOT NULL,
  person TEXT NOT NULL,
  way TEXT NOT NULL,
  sealed BLOB,
  asked_on INTEGER NOT NULL,
  until INTEGER NOT NULL,
  at INTEGER NOT NULL
) STRICT;
CREATE INDEX preservation_item ON preservation (item, at);

-- +goose Down
