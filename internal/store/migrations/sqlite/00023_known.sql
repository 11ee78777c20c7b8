-- Known content: banks with their entries and hashes, what authorities think of
-- them and who holds them; prints of what items hold, under the items' keys; what
-- was found alike, and which items are copies of one work. Older nodes fill none of
-- it: captures that they take are printed by a newer node.

-- +goose Up
CREATE TABLE bank (
  id TEXT PRIMARY KEY,
  n INTEGER NOT NULL UNIQUE,
  ref TEXT NOT NULL UNIQUE,
  authority TEXT NOT NULL REFERENCES authority (id),
  name TEXT NOT NULL,
  sealed BLOB,
  source TEXT NOT NULL,
  radius INTEGER NOT NULL,
  handling TEXT NOT NULL,
  open_to TEXT NOT NULL,
  ratio INTEGER NOT NULL,
  negative INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  closed_at INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  exercise INTEGER NOT NULL,
  version INTEGER NOT NULL,
  UNIQUE (authority, name)
) STRICT;

CREATE TABLE bank_entry (
  n INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  ref TEXT NOT NULL UNIQUE,
  bank TEXT NOT NULL REFERENCES bank (id),
  source_id TEXT NOT NULL,
  sealed BLOB,
  handling TEXT NOT NULL,
  opinion TEXT NOT NULL,
  stands TEXT NOT NULL,
  item TEXT NOT NULL,
  added_by TEXT NOT NULL,
  added_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  ended_at INTEGER NOT NULL,
  ended_code TEXT NOT NULL,
  quarantined_at INTEGER NOT NULL,
  cleared INTEGER NOT NULL,
  looked_back_at INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  version INTEGER NOT NULL
) STRICT;
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
  entry INTEGER NOT NULL REFERENCES bank_entry (n),
  k INTEGER NOT NULL,
  kind TEXT NOT NULL,
  value BLOB NOT NULL,
  quality INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  PRIMARY KEY (entry, k)
) STRICT;
CREATE INDEX bank_hash_value ON bank_hash (value) WHERE kind IN ('sha256', 'sha1', 'md5');

CREATE TABLE bank_opinion (
  entry INTEGER NOT NULL REFERENCES bank_entry (n),
  authority TEXT NOT NULL REFERENCES authority (id),
  person TEXT NOT NULL,
  opinion TEXT NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (entry, authority)
) STRICT;

CREATE TABLE bank_holder (
  bank TEXT NOT NULL REFERENCES bank (id),
  party TEXT NOT NULL,
  upto INTEGER NOT NULL,
  entries INTEGER NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (bank, party)
) STRICT;

-- The next number of what the index knows by a number, and of changes of banks: who
-- takes one waits for who took the one before, so that they are in the order of commits.
CREATE TABLE running_number (
  name TEXT PRIMARY KEY,
  next INTEGER NOT NULL
) STRICT;

CREATE TABLE print (
  n INTEGER PRIMARY KEY,
  item TEXT NOT NULL REFERENCES item (id),
  authority TEXT NOT NULL REFERENCES authority (id),
  capture TEXT NOT NULL REFERENCES capture (id),
  kind TEXT NOT NULL,
  sealed BLOB,
  at INTEGER NOT NULL
) STRICT;
CREATE INDEX print_item ON print (item);
CREATE INDEX print_capture ON print (capture);

-- Prints that went with their items, for a day: every node drops them from memory.
CREATE TABLE print_gone (
  print INTEGER PRIMARY KEY,
  seq INTEGER NOT NULL,
  at INTEGER NOT NULL
) STRICT;
CREATE INDEX print_gone_seq ON print_gone (seq);

-- Keyed digests of the bytes of captures that are the content itself, by which
-- entries with a digest find what was seen before.
CREATE TABLE print_digest (
  value BLOB NOT NULL,
  item TEXT NOT NULL REFERENCES item (id),
  authority TEXT NOT NULL,
  PRIMARY KEY (value, item, authority)
) STRICT;
CREATE INDEX print_digest_item ON print_digest (item);

ALTER TABLE capture ADD COLUMN printed_at INTEGER NOT NULL DEFAULT 0;
CREATE INDEX capture_unprinted ON capture (id) WHERE printed_at = 0 AND erased_at = 0;

CREATE TABLE known_match (
  id TEXT PRIMARY KEY,
  ref TEXT NOT NULL UNIQUE,
  item TEXT NOT NULL REFERENCES item (id),
  authority TEXT NOT NULL,
  by_print TEXT NOT NULL,
  entry INTEGER NOT NULL,
  other TEXT NOT NULL,
  owner TEXT NOT NULL,
  print INTEGER NOT NULL,
  other_side INTEGER NOT NULL,
  distance INTEGER NOT NULL,
  quality INTEGER NOT NULL,
  turn INTEGER NOT NULL,
  share_here INTEGER NOT NULL,
  share_then INTEGER NOT NULL,
  sealed BLOB,
  at INTEGER NOT NULL,
  said TEXT NOT NULL,
  said_by TEXT NOT NULL,
  said_at INTEGER NOT NULL,
  UNIQUE (item, authority, entry, other, by_print)
) STRICT;
CREATE INDEX known_match_other ON known_match (other) WHERE other <> '';
CREATE INDEX known_match_entry ON known_match (entry, id) WHERE entry > 0;

CREATE TABLE item_cluster (
  item TEXT PRIMARY KEY REFERENCES item (id),
  cluster TEXT NOT NULL
) STRICT;
CREATE INDEX item_cluster_cluster ON item_cluster (cluster, item);

CREATE TABLE language_hint (
  item TEXT PRIMARY KEY REFERENCES item (id),
  language TEXT NOT NULL,
  script TEXT NOT NULL,
  sure INTEGER NOT NULL,
  at INTEGER NOT NULL
) STRICT;

-- +goose Down
