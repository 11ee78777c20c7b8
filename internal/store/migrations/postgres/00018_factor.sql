-- Second factors, sealed under their person's key; what a session and a key say
-- of themselves; and log-ins that failed, by keyed digests. A session or key of
-- an older node proved nothing and was made for nothing guarded.

-- +goose Up
ALTER TABLE credential ADD COLUMN seen_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE credential ADD COLUMN proven_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE credential ADD COLUMN browser TEXT NOT NULL DEFAULT '';
ALTER TABLE credential ADD COLUMN scopes TEXT NOT NULL DEFAULT '';
ALTER TABLE proposal ADD COLUMN resets BIGINT NOT NULL DEFAULT 0;
CREATE TABLE factor (
  ref TEXT COLLATE "C" PRIMARY KEY,
  person TEXT COLLATE "C" NOT NULL REFERENCES person (id),
  kind TEXT NOT NULL,
  sealed BYTEA,
  handle BYTEA,
  step BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  confirmed_at BIGINT NOT NULL,
  used_at BIGINT NOT NULL
);
CREATE INDEX factor_person ON factor (person);
CREATE UNIQUE INDEX factor_handle ON factor (handle) WHERE handle IS NOT NULL;
CREATE TABLE recovery_code (
  digest BYTEA PRIMARY KEY,
  person TEXT COLLATE "C" NOT NULL REFERENCES person (id),
  created_at BIGINT NOT NULL,
  used_at BIGINT NOT NULL
);
CREATE INDEX recovery_code_person ON recovery_code (person);
CREATE TABLE challenge (
  digest BYTEA PRIMARY KEY,
  purpose TEXT NOT NULL,
  person TEXT NOT NULL,
  kept TEXT NOT NULL,
  expires_at BIGINT NOT NULL
);
CREATE INDEX challenge_expires ON challenge (expires_at);
CREATE TABLE login_try (
  digest BYTEA PRIMARY KEY,
  failed BIGINT NOT NULL,
  failed_at BIGINT NOT NULL
);
CREATE INDEX login_try_at ON login_try (failed_at);

-- +goose Down
