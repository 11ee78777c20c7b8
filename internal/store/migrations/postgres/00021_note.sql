-- What helps many items along: internal notes beside an item, texts with places
-- to be filled, and one act on many items that can be taken back for a while.

-- +goose Up
CREATE TABLE note (
  id TEXT COLLATE "C" PRIMARY KEY,
  item TEXT COLLATE "C" NOT NULL REFERENCES item (id),
  authority TEXT COLLATE "C" NOT NULL REFERENCES authority (id),
  author TEXT COLLATE "C" NOT NULL,
  at BIGINT NOT NULL,
  sealed BYTEA
);
CREATE INDEX note_item ON note (item, authority, id);

CREATE TABLE template (
  id TEXT COLLATE "C" PRIMARY KEY,
  ref TEXT COLLATE "C" NOT NULL UNIQUE,
  authority TEXT COLLATE "C" NOT NULL REFERENCES authority (id),
  purpose TEXT COLLATE "C" NOT NULL,
  language TEXT COLLATE "C" NOT NULL,
  name TEXT COLLATE "C" NOT NULL,
  text TEXT COLLATE "C" NOT NULL,
  written_by TEXT COLLATE "C" NOT NULL,
  written_at BIGINT NOT NULL,
  retired_at BIGINT NOT NULL,
  version BIGINT NOT NULL
);
CREATE INDEX template_authority ON template (authority, purpose) WHERE retired_at = 0;

CREATE TABLE batch (
  id TEXT COLLATE "C" PRIMARY KEY,
  ref TEXT COLLATE "C" NOT NULL UNIQUE,
  authority TEXT COLLATE "C" NOT NULL REFERENCES authority (id),
  person TEXT COLLATE "C" NOT NULL,
  act TEXT COLLATE "C" NOT NULL,
  category TEXT COLLATE "C" NOT NULL,
  handling TEXT COLLATE "C" NOT NULL,
  sealed BYTEA,
  status TEXT COLLATE "C" NOT NULL,
  items BIGINT NOT NULL,
  done BIGINT NOT NULL,
  refused BIGINT NOT NULL,
  at BIGINT NOT NULL,
  due_at BIGINT NOT NULL,
  version BIGINT NOT NULL
);
CREATE INDEX batch_authority ON batch (authority, id);

CREATE TABLE batch_item (
  batch TEXT COLLATE "C" NOT NULL REFERENCES batch (id),
  pos BIGINT NOT NULL,
  ref TEXT COLLATE "C" NOT NULL,
  version BIGINT NOT NULL,
  outcome TEXT COLLATE "C" NOT NULL,
  code TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (batch, pos)
);

-- +goose Down
