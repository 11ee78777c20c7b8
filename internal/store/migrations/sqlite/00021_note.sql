-- What helps many items along: internal notes beside an item, texts with places
-- to be filled, and one act on many items that can be taken back for a while.

-- +goose Up
CREATE TABLE note (
  id TEXT PRIMARY KEY,
  item TEXT NOT NULL REFERENCES item (id),
  authority TEXT NOT NULL REFERENCES authority (id),
  author TEXT NOT NULL,
  at INTEGER NOT NULL,
  sealed BLOB
) STRICT;
CREATE INDEX note_item ON note (item, authority, id);

CREATE TABLE template (
  id TEXT PRIMARY KEY,
  ref TEXT NOT NULL UNIQUE,
  authority TEXT NOT NULL REFERENCES authority (id),
  purpose TEXT NOT NULL,
  language TEXT NOT NULL,
  name TEXT NOT NULL,
  text TEXT NOT NULL,
  written_by TEXT NOT NULL,
  written_at INTEGER NOT NULL,
  retired_at INTEGER NOT NULL,
  version INTEGER NOT NULL
) STRICT;
CREATE INDEX template_authority ON template (authority, purpose) WHERE retired_at = 0;

CREATE TABLE batch (
  id TEXT PRIMARY KEY,
  ref TEXT NOT NULL UNIQUE,
  authority TEXT NOT NULL REFERENCES authority (id),
  person TEXT NOT NULL,
  act TEXT NOT NULL,
  category TEXT NOT NULL,
  handling TEXT NOT NULL,
  sealed BLOB,
  status TEXT NOT NULL,
  items INTEGER NOT NULL,
  done INTEGER NOT NULL,
  refused INTEGER NOT NULL,
  at INTEGER NOT NULL,
  due_at INTEGER NOT NULL,
  version INTEGER NOT NULL
) STRICT;
CREATE INDEX batch_authority ON batch (authority, id);

CREATE TABLE batch_item (
  batch TEXT NOT NULL REFERENCES batch (id),
  pos INTEGER NOT NULL,
  ref TEXT NOT NULL,
  version INTEGER NOT NULL,
  outcome TEXT NOT NULL,
  code TEXT NOT NULL,
  PRIMARY KEY (batch, pos)
) STRICT;

-- +goose Down
