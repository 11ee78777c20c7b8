-- Cases as folders with their members, things and persons by data-subject
-- category; incidents that group items across authorities; watched places with
-- their sweeps; languages that people read, and translations with their makers.
-- What belongs to a case stands in case_thing by kind and id, so that later
-- kinds need no table of their own.

-- +goose Up
ALTER TABLE person ADD COLUMN languages TEXT COLLATE "C" NOT NULL DEFAULT '';

CREATE TABLE case_file (
  id TEXT COLLATE "C" PRIMARY KEY,
  ref TEXT COLLATE "C" NOT NULL UNIQUE,
  authority TEXT COLLATE "C" NOT NULL REFERENCES authority (id),
  lead TEXT COLLATE "C" NOT NULL REFERENCES person (id),
  handling TEXT COLLATE "C" NOT NULL,
  sealed BYTEA,
  mandate_on BIGINT NOT NULL,
  mandate_until BIGINT NOT NULL,
  opened_by TEXT COLLATE "C" NOT NULL,
  opened_at BIGINT NOT NULL,
  closed_by TEXT COLLATE "C" NOT NULL,
  closed_at BIGINT NOT NULL,
  review_at BIGINT NOT NULL,
  reviewed_by TEXT COLLATE "C" NOT NULL,
  reviewed_at BIGINT NOT NULL,
  exercise BIGINT NOT NULL,
  version BIGINT NOT NULL
);

CREATE TABLE case_member (
  case_id TEXT COLLATE "C" NOT NULL REFERENCES case_file (id),
  person TEXT COLLATE "C" NOT NULL REFERENCES person (id),
  added_by TEXT COLLATE "C" NOT NULL,
  added_at BIGINT NOT NULL,
  PRIMARY KEY (case_id, person)
);
CREATE INDEX case_member_person ON case_member (person, case_id);

CREATE TABLE case_thing (
  case_id TEXT COLLATE "C" NOT NULL REFERENCES case_file (id),
  kind TEXT COLLATE "C" NOT NULL,
  subject TEXT COLLATE "C" NOT NULL,
  added_by TEXT COLLATE "C" NOT NULL,
  added_at BIGINT NOT NULL,
  PRIMARY KEY (case_id, kind, subject)
);
CREATE INDEX case_thing_subject ON case_thing (kind, subject);

-- No person stands in a case without one of the categories (Directive (EU) 2016/680 Art. 6).
CREATE TABLE case_person (
  id TEXT COLLATE "C" PRIMARY KEY,
  ref TEXT COLLATE "C" NOT NULL UNIQUE,
  case_id TEXT COLLATE "C" NOT NULL REFERENCES case_file (id),
  category TEXT COLLATE "C" NOT NULL CHECK (category IN ('suspect', 'convicted', 'victim', 'witness', 'contact', 'other')),
  evaluation TEXT COLLATE "C" NOT NULL,
  sealed BYTEA,
  added_by TEXT COLLATE "C" NOT NULL,
  added_at BIGINT NOT NULL,
  erase_code TEXT COLLATE "C" NOT NULL,
  asked_by TEXT COLLATE "C" NOT NULL,
  asked_at BIGINT NOT NULL,
  erased_by TEXT COLLATE "C" NOT NULL,
  erased_at BIGINT NOT NULL,
  version BIGINT NOT NULL,
  CHECK (erased_by = '' OR erased_by <> asked_by)
);
CREATE INDEX case_person_case ON case_person (case_id, id);

CREATE TABLE incident (
  id TEXT COLLATE "C" PRIMARY KEY,
  ref TEXT COLLATE "C" NOT NULL UNIQUE,
  kind TEXT COLLATE "C" NOT NULL,
  name TEXT COLLATE "C" NOT NULL,
  country TEXT COLLATE "C" NOT NULL,
  happened_at BIGINT NOT NULL,
  authority TEXT COLLATE "C" NOT NULL REFERENCES authority (id),
  declared_by TEXT COLLATE "C" NOT NULL,
  declared_at BIGINT NOT NULL,
  ended_by TEXT COLLATE "C" NOT NULL,
  ended_at BIGINT NOT NULL,
  exercise BIGINT NOT NULL,
  version BIGINT NOT NULL
);

-- stated is the priority without any incident; raised, whether this one's counts now.
CREATE TABLE incident_item (
  incident TEXT COLLATE "C" NOT NULL REFERENCES incident (id),
  item TEXT COLLATE "C" NOT NULL REFERENCES item (id),
  authority TEXT COLLATE "C" NOT NULL REFERENCES authority (id),
  added_by TEXT COLLATE "C" NOT NULL,
  added_at BIGINT NOT NULL,
  stated BIGINT NOT NULL,
  raised BIGINT NOT NULL,
  PRIMARY KEY (incident, item)
);
CREATE INDEX incident_item_item ON incident_item (item);
CREATE INDEX incident_item_raised ON incident_item (incident, raised, item);

-- place is the keyed digest by which one authority watches a place once.
CREATE TABLE watch (
  id TEXT COLLATE "C" PRIMARY KEY,
  ref TEXT COLLATE "C" NOT NULL UNIQUE,
  authority TEXT COLLATE "C" NOT NULL REFERENCES authority (id),
  outlet TEXT COLLATE "C" NOT NULL,
  place BYTEA NOT NULL,
  kind TEXT COLLATE "C" NOT NULL,
  owner TEXT COLLATE "C" NOT NULL CHECK (owner IN ('outlet', 'person')),
  case_id TEXT COLLATE "C" NOT NULL,
  sealed BYTEA,
  cadence BIGINT NOT NULL,
  ends_at BIGINT NOT NULL,
  placed_by TEXT COLLATE "C" NOT NULL,
  placed_at BIGINT NOT NULL,
  next_at BIGINT NOT NULL,
  last_at BIGINT NOT NULL,
  sweep TEXT COLLATE "C" NOT NULL,
  ended_by TEXT COLLATE "C" NOT NULL,
  ended_at BIGINT NOT NULL,
  exercise BIGINT NOT NULL,
  version BIGINT NOT NULL,
  CHECK (owner = 'outlet' OR (case_id <> '' AND ends_at > 0))
);
CREATE UNIQUE INDEX watch_place ON watch (authority, place) WHERE ended_at = 0;
CREATE INDEX watch_due ON watch (authority, next_at, id) WHERE ended_at = 0;
CREATE INDEX watch_case ON watch (case_id) WHERE case_id <> '';

CREATE TABLE sweep (
  id TEXT COLLATE "C" PRIMARY KEY,
  ref TEXT COLLATE "C" NOT NULL UNIQUE,
  watch TEXT COLLATE "C" NOT NULL REFERENCES watch (id),
  person TEXT COLLATE "C" NOT NULL,
  claimed_at BIGINT NOT NULL,
  until BIGINT NOT NULL,
  done_at BIGINT NOT NULL,
  outcome TEXT COLLATE "C" NOT NULL,
  version BIGINT NOT NULL
);
CREATE INDEX sweep_watch ON sweep (watch, id);

CREATE TABLE sweep_item (
  sweep TEXT COLLATE "C" NOT NULL REFERENCES sweep (id),
  item TEXT COLLATE "C" NOT NULL REFERENCES item (id),
  outcome TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (sweep, item)
);

CREATE TABLE translation (
  id TEXT COLLATE "C" PRIMARY KEY,
  ref TEXT COLLATE "C" NOT NULL UNIQUE,
  item TEXT COLLATE "C" NOT NULL REFERENCES item (id),
  kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('human', 'machine')),
  source TEXT COLLATE "C" NOT NULL,
  target TEXT COLLATE "C" NOT NULL,
  maker TEXT COLLATE "C" NOT NULL,
  recorded_by TEXT COLLATE "C" NOT NULL,
  authority TEXT COLLATE "C" NOT NULL REFERENCES authority (id),
  sealed BYTEA,
  at BIGINT NOT NULL
);
CREATE INDEX translation_item ON translation (item, id);

-- +goose Down
