-- Captures: what somebody of an authority saw at an item's place. The bytes lie
-- apart, once for each authority, sealed under a key of their own: small ones in
-- the row, others in a file whose digest as it lies there stands here. Marks of
-- atrocity evidence, and who preserves what is marked. What older nodes assess
-- rests on no capture; what they dispatch looks at no mark.

-- +goose Up
CREATE TABLE captured_bytes (
  id TEXT COLLATE "C" PRIMARY KEY,
  authority TEXT COLLATE "C" NOT NULL,
  address BYTEA,
  size BIGINT NOT NULL,
  sealed BYTEA,
  file TEXT COLLATE "C" NOT NULL,
  sum BYTEA,
  at BIGINT NOT NULL,
  erased_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX captured_bytes_address ON captured_bytes (authority, address) WHERE address IS NOT NULL;
CREATE INDEX captured_bytes_gone ON captured_bytes (erased_at) WHERE erased_at > 0 AND file <> '';

CREATE TABLE capture (
  id TEXT COLLATE "C" PRIMARY KEY,
  ref TEXT COLLATE "C" NOT NULL UNIQUE,
  item TEXT COLLATE "C" NOT NULL REFERENCES item (id),
  authority TEXT COLLATE "C" NOT NULL,
  person TEXT COLLATE "C" NOT NULL,
  kind TEXT COLLATE "C" NOT NULL,
  media TEXT COLLATE "C" NOT NULL,
  size BIGINT NOT NULL,
  seen_at BIGINT NOT NULL,
  added_at BIGINT NOT NULL,
  bytes TEXT COLLATE "C" NOT NULL REFERENCES captured_bytes (id),
  sealed BYTEA,
  erased_at BIGINT NOT NULL
);
CREATE INDEX capture_item ON capture (item, authority, seen_at);
CREATE INDEX capture_bytes ON capture (bytes);

CREATE TABLE atrocity (
  item TEXT COLLATE "C" PRIMARY KEY REFERENCES item (id),
  authority TEXT COLLATE "C" NOT NULL,
  person TEXT COLLATE "C" NOT NULL,
  sealed BYTEA,
  at BIGINT NOT NULL,
  preserved_until BIGINT NOT NULL,
  lifted_by TEXT COLLATE "C" NOT NULL,
  lifted_at BIGINT NOT NULL,
  version BIGINT NOT NULL
);

CREATE TABLE preservation (
  ref TEXT COLLATE "C" PRIMARY KEY,
  item TEXT COLLATE "C" NOT NULL REFERENCES item (id),
  authority TEXT COLLATE "C" NOT NULL,
  person TEXT COLLATE "C" NOT NULL,
  way TEXT COLLATE "C" NOT NULL,
  sealed BYTEA,
  asked_on BIGINT NOT NULL,
  until BIGINT NOT NULL,
  at BIGINT NOT NULL
);
CREATE INDEX preservation_item ON preservation (item, at);

-- +goose Down
