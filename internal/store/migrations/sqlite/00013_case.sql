-- Cases as folders with their members, things and persons by data-subject
-- category; incidents that group items across authorities; watched places with
-- their sweeps; languages that people read, and translations with their makers.
-- What belongs to a case stands in case_thing by kind and id, so that later
-- kinds need no table of their own.

-- +goose Up
ALTER TABLE person ADD COLUMN languages TEXT NOT NULL DEFAULT '';

CREATE TABLE case_file (
  id TEXT PRIMARY KEY,
  ref TEXT NOT NULL UNIQUE,
  authority TEXT NOT NULL REFERENCES authority (id),
  lead TEXT NOT NULL REFERENCES person (id),
  handling TEXT NOT NULL,
  sealed BLOB,
  mandate_on INTEGER NOT NULL,
  mandate_until INTEGER NOT NULL,
  opened_by TEXT NOT NULL,
  opened_at INTEGER NOT NULL,
  closed_by TEXT NOT NULL,
  closed_at INTEGER NOT NULL,
  review_at INTEGER NOT NULL,
  reviewed_by TEXT NOT NULL,
  reviewed_at INTEGER NOT NULL,
  exercise INTEGER NOT NULL,
  version INTEGER NOT NULL
) STRICT;

CREATE TABLE case_member (
  case_id TEXT NOT NULL REFERENCES case_file (id),
  person TEXT NOT NULL REFERENCES person (id),
  added_by TEXT NOT NULL,
  added_at INTEGER NOT NULL,
  PRIMARY KEY (case_id, person)
) STRICT;
CREATE INDEX case_member_person ON case_member (person, case_id);

CREATE TABLE case_thing (
  case_id TEXT NOT NULL REFERENCES case_file (id),
  kind TEXT NOT NULL,
  subject TEXT NOT NULL,
  added_by TEXT NOT NULL,
  added_at INTEGER NOT NULL,
  PRIMARY KEY (case_id, kind, subject)
) STRICT;
CREATE INDEX case_thing_subject ON case_thing (kind, subject);

-- No person stands in a case without one of the categories (Directive (EU) 2016/680 Art. 6).
CREATE TABLE case_person (
  id TEXT PRIMARY KEY,
  ref TEXT NOT NULL UNIQUE,
  case_id TEXT NOT NULL REFERENCES case_file (id),
  category TEXT NOT NULL CHECK (category IN ('suspect', 'convicted', 'victim', 'witness', 'contact', 'other')),
  evaluation TEXT NOT NULL,
  sealed BLOB,
  added_by TEXT NOT NULL,
  added_at INTEGER NOT NULL,
  erase_code TEXT NOT NULL,
  asked_by TEXT NOT NULL,
  asked_at INTEGER NOT NULL,
  erased_by TEXT NOT NULL,
  erased_at INTEGER NOT NULL,
  version INTEGER NOT NULL,
  CHECK (erased_by = '' OR erased_by <> asked_by)
) STRICT;
CREATE INDEX case_person_case ON case_person (case_id, id);

CREATE TABLE incident (
  id TEXT PRIMARY KEY,
  ref TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  country TEXT NOT NULL,
  happened_at INTEGER NOT NULL,
  authority TEXT NOT NULL REFERENCES authority (id),
  declared_by TEXT NOT NULL,
  declared_at INTEGER NOT NULL,
  ended_by TEXT NOT NULL,
  ended_at INTEGER NOT NULL,
  exercise INTEGER NOT NULL,
  version INTEGER NOT NULL
) STRICT;

-- stated is the priority without any incident; raised, whether this one's counts now.
CREATE TABLE incident_item (
  incident TEXT NOT NULL REFERENCES incident (id),
  item TEXT NOT NULL REFERENCES item (id),
  authority TEXT NOT NULL REFERENCES authority (id),
  added_by TEXT NOT NULL,
  added_at INTEGER NOT NULL,
  stated INTEGER NOT NULL,
  raised INTEGER NOT NULL,
  PRIMARY KEY (incident, item)
) STRICT;
CREATE INDEX incident_item_item ON incident_item (item);
CREATE INDEX incident_item_raised ON incident_item (incident, raised, item);

-- place is the keyed digest by which one authority watches a place once.
CREATE TABLE watch (
  id TEXT PRIMARY KEY,
  ref TEXT NOT NULL UNIQUE,
  authority TEXT NOT NULL REFERENCES authority (id),
  outlet TEXT NOT NULL,
  place BLOB NOT NULL,
  kind TEXT NOT NULL,
  owner TEXT NOT NULL CHECK (owner IN ('outlet', 'person')),
  case_id TEXT NOT NULL,
  sealed BLOB,
  cadence INTEGER NOT NULL,
  ends_at INTEGER NOT NULL,
  placed_by TEXT NOT NULL,
  placed_at INTEGER NOT NULL,
  next_at INTEGER NOT NULL,
  last_at INTEGER NOT NULL,
  sweep TEXT NOT NULL,
  ended_by TEXT NOT NULL,
  ended_at INTEGER NOT NULL,
  exercise INTEGER NOT NULL,
  version INTEGER NOT NULL,
  CHECK (owner = 'outlet' OR (case_id <> '' AND ends_at > 0))
) STRICT;
CREATE UNIQUE INDEX watch_place ON watch (authority, place) WHERE ended_at = 0;
CREATE INDEX watch_due ON watch (authority, next_at, id) WHERE ended_at = 0;
CREATE INDEX watch_case ON watch (case_id) WHERE case_id <> '';

CREATE TABLE sweep (
  id TEXT PRIMARY KEY,
  ref TEXT NOT NULL UNIQUE,
  watch TEXT NOT NULL REFERENCES watch (id),
  person TEXT NOT NULL,
  claimed_at INTEGER NOT NULL,
  until INTEGER NOT NULL,
  done_at INTEGER NOT NULL,
  outcome TEXT NOT NULL,
  version INTEGER NOT NULL
) STRICT;
CREATE INDEX sweep_watch ON sweep (watch, id);

CREATE TABLE sweep_item (
  sweep TEXT NOT NULL REFERENCES sweep (id),
  item TEXT NOT NULL REFERENCES item (id),
  outcome TEXT NOT NULL,
  PRIMARY KEY (sweep, item)
) STRICT;

CREATE TABLE translation (
  id TEXT PRIMARY KEY,
  ref TEXT NOT NULL UNIQUE,
  item TEXT NOT NULL REFERENCES item (id),
  kind TEXT NOT NULL CHECK (kind IN ('human', 'machine')),
  source TEXT NOT NULL,
  target TEXT NOT NULL,
  maker TEXT NOT NULL,
  recorded_by TEXT NOT NULL,
  authority TEXT NOT NULL REFERENCES authority (id),
  sealed BLOB,
  at INTEGER NOT NULL
) STRICT;
CREATE INDEX translation_item ON translation (item, id);

-- +goose Down
