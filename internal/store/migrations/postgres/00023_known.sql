-- Known content: banks with their entries and hashes, what authorities think of
-- them and who holds them; prints of what items hold, under the items' keys; what
-- was found alike, and which items are copies of one work. Older nodes fill none of
-- it: captures that they take are printed by a newer node.

-- +goose Up
CREATE TABLE bank (
  id TEXT COLLATE "C" PRIMARY KEY,
  n BIGINT NOT NULL UNIQUE,
  ref TEXT COLLATE "C" NOT NULL UNIQUE,
  authority TEXT COLLATE "C" NOT NULL REFERENCES authority (id),
  name TEXT COLLATE "C" NOT NULL,
  sealed BYTEA,
  source TEXT COLLATE "C" NOT NULL,
  radius BIGINT NOT NULL,
  handling TEXT COLLATE "C" NOT NULL,
  open_to TEXT COLLATE "C" NOT NULL,
  ratio BIGINT NOT NULL,
  negative BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  closed_at BIGINT NOT NULL,
  created_by TEXT COLLATE "C" NOT NULL,
  created_at BIGINT NOT NULL,
  seq BIGINT NOT NULL,
  exercise BIGINT NOT NULL,
  version BIGINT NOT NULL,
  UNIQUE (authority, name)
);

CREATE TABLE bank_entry (
  n BIGINT PRIMARY KEY,
  id TEXT COLLATE "C" NOT NULL UNIQUE,
  ref TEXT COLLATE "C" NOT NULL UNIQUE,
  bank TEXT COLLATE "C" NOT NULL REFERENCES bank (id),
  source_id TEXT COLLATE "C" NOT NULL,
  sealed BYTEA,
  handling TEXT COLLATE "C" NOT NULL,
  opinion TEXT COLLATE "C" NOT NULL,
  stands TEXT COLLATE "C" NOT NULL,
  item TEXT COLLATE "C" NOT NULL,
  added_by TEXT COLLATE "C" NOT NULL,
  added_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  ended_at BIGINT NOT NULL,
  ended_code TEXT COLLATE "C" NOT NULL,
  quarantined_at BIGINT NOT NULL,
  cleared BIGINT NOT NULL,
  looked_back_at BIGINT NOT NULL,
  changed_at BIGINT NOT NULL,
  seq BIGINT NOT NULL,
  version BIGINT NOT NULL
);
CREATE INDEX bank_entry_bank ON bank_entry (bank, n);
CREATE INDEX bank_entry_fed ON bank_entry (bank, seq, n);
CREATE INDEX bank_entry_changed ON bank_entry (seq, n);
CREATE UNIQUE INDEX bank_entry_source ON bank_entry (bank, source_id) WHERE source_id <> '';
CREATE INDEX bank_entry_back ON bank_entry (n) WHERE looked_back_at = 0;
CREATE INDEX bank_entry_quarantine ON bank_entry (bank) WHERE quarantined_at > 0;
CREATE INDEX bank_entry_expiry ON bank_entry (expires_at) WHERE expires_at > 0 AND ended_at = 0;
CREATE INDEX bank_entry_handling ON bank_entry (bank, handling) WHERE handling <> '';
CREATE INDEX bank_entry_item ON bank_entry (item) WHERE item <> '';

-- A hash of a kind that is found by nearness has no index here: it stands in the
-- index of package match, which is made from these rows.
CREATE TABLE bank_hash (
  entry BIGINT NOT NULL REFERENCES bank_entry (n),
  k BIGINT NOT NULL,
  kind TEXT COLLATE "C" NOT NULL,
  value BYTEA NOT NULL,
  quality BIGINT NOT NULL,
  at_ms BIGINT NOT NULL,
  PRIMARY KEY (entry, k)
);
CREATE INDEX bank_hash_value ON bank_hash (value) WHERE kind IN ('sha256', 'sha1', 'md5');

CREATE TABLE bank_opinion (
  entry BIGINT NOT NULL REFERENCES bank_entry (n),
  authority TEXT COLLATE "C" NOT NULL REFERENCES authority (id),
  person TEXT COLLATE "C" NOT NULL,
  opinion TEXT COLLATE "C" NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (entry, authority)
);

CREATE TABLE bank_holder (
  bank TEXT COLLATE "C" NOT NULL REFERENCES bank (id),
  party TEXT COLLATE "C" NOT NULL,
  upto BIGINT NOT NULL,
  entries BIGINT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (bank, party)
);

-- The next number of what the index knows by a number, and of changes of banks: who
-- takes one waits for who took the one before, so that they are in the order of commits.
CREATE TABLE running_number (
  name TEXT COLLATE "C" PRIMARY KEY,
  next BIGINT NOT NULL
);

CREATE TABLE print (
  n BIGINT PRIMARY KEY,
  item TEXT COLLATE "C" NOT NULL REFERENCES item (id),
  authority TEXT COLLATE "C" NOT NULL REFERENCES authority (id),
  capture TEXT COLLATE "C" NOT NULL REFERENCES capture (id),
  kind TEXT COLLATE "C" NOT NULL,
  sealed BYTEA,
  at BIGINT NOT NULL
);
CREATE INDEX print_item ON print (item);
CREATE INDEX print_capture ON print (capture);

-- Prints that went with their items, for a day: every node drops them from memory.
CREATE TABLE print_gone (
  print BIGINT PRIMARY KEY,
  seq BIGINT NOT NULL,
  at BIGINT NOT NULL
);
CREATE INDEX print_gone_seq ON print_gone (seq);

-- Keyed digests of the bytes of captures that are the content itself, by which
-- entries with a digest find what was seen before.
CREATE TABLE print_digest (
  value BYTEA NOT NULL,
  item TEXT COLLATE "C" NOT NULL REFERENCES item (id),
  authority TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (value, item, authority)
);
CREATE INDEX print_digest_item ON print_digest (item);

ALTER TABLE capture ADD COLUMN printed_at BIGINT NOT NULL DEFAULT 0;
CREATE INDEX capture_unprinted ON capture (id) WHERE printed_at = 0 AND erased_at = 0;

CREATE TABLE known_match (
  id TEXT COLLATE "C" PRIMARY KEY,
  ref TEXT COLLATE "C" NOT NULL UNIQUE,
  item TEXT COLLATE "C" NOT NULL REFERENCES item (id),
  authority TEXT COLLATE "C" NOT NULL,
  by_print TEXT COLLATE "C" NOT NULL,
  entry BIGINT NOT NULL,
  other TEXT COLLATE "C" NOT NULL,
  owner TEXT COLLATE "C" NOT NULL,
  print BIGINT NOT NULL,
  other_side BIGINT NOT NULL,
  distance BIGINT NOT NULL,
  quality BIGINT NOT NULL,
  turn BIGINT NOT NULL,
  share_here BIGINT NOT NULL,
  share_then BIGINT NOT NULL,
  sealed BYTEA,
  at BIGINT NOT NULL,
  said TEXT COLLATE "C" NOT NULL,
  said_by TEXT COLLATE "C" NOT NULL,
  said_at BIGINT NOT NULL,
  UNIQUE (item, authority, entry, other, by_print)
);
CREATE INDEX known_match_other ON known_match (other) WHERE other <> '';
CREATE INDEX known_match_entry ON known_match (entry, id) WHERE entry > 0;

CREATE TABLE item_cluster (
  item TEXT COLLATE "C" PRIMARY KEY REFERENCES item (id),
  cluster TEXT COLLATE "C" NOT NULL
);
CREATE INDEX item_cluster_cluster ON item_cluster (cluster, item);

CREATE TABLE language_hint (
  item TEXT COLLATE "C" PRIMARY KEY REFERENCES item (id),
  language TEXT COLLATE "C" NOT NULL,
  script TEXT COLLATE "C" NOT NULL,
  sure BIGINT NOT NULL,
  at BIGINT NOT NULL
);

-- +goose Down
