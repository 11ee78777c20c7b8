-- The provider's side: threads between a provider and the authority that judged,
-- what cannot be isolated and the proportionality that goes with it, how an
-- authority means its referrals, notes on patterns of abuse, and the index that
-- a provider's own lists walk along. What older nodes write has the defaults.

-- +goose Up
CREATE TABLE question (
  id TEXT PRIMARY KEY,
  ref TEXT NOT NULL UNIQUE,
  referral TEXT NOT NULL REFERENCES referral (id),
  item TEXT NOT NULL,
  provider TEXT NOT NULL,
  author TEXT NOT NULL,
  side TEXT NOT NULL CHECK (side IN ('provider', 'authority')),
  kind TEXT NOT NULL,
  sealed BLOB,
  person TEXT NOT NULL,
  at INTEGER NOT NULL
) STRICT;
CREATE INDEX question_thread ON question (referral, id);

-- Who of the other side has read a message: shown as a number only.
CREATE TABLE question_read (
  question TEXT NOT NULL REFERENCES question (id),
  person TEXT NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (question, person)
) STRICT;

CREATE TABLE thread (
  referral TEXT PRIMARY KEY REFERENCES referral (id),
  provider TEXT NOT NULL,
  author TEXT NOT NULL,
  waits TEXT NOT NULL,
  messages INTEGER NOT NULL,
  last_at INTEGER NOT NULL,
  last_id TEXT NOT NULL
) STRICT;
CREATE INDEX thread_author ON thread (author, waits, last_id);
CREATE INDEX thread_provider ON thread (provider, waits, last_id);

-- id is the item's.
CREATE TABLE isolation (
  id TEXT PRIMARY KEY REFERENCES item (id),
  provider TEXT NOT NULL,
  referral TEXT NOT NULL,
  author TEXT NOT NULL,
  area BLOB,
  others INTEGER NOT NULL,
  others_are TEXT NOT NULL,
  at INTEGER NOT NULL,
  sealed BLOB,
  written_by TEXT NOT NULL,
  written_at INTEGER NOT NULL,
  approved_by TEXT NOT NULL,
  approved_at INTEGER NOT NULL,
  version INTEGER NOT NULL,
  CHECK (approved_by = '' OR approved_by <> written_by)
) STRICT;
CREATE INDEX isolation_area ON isolation (area) WHERE area IS NOT NULL AND approved_at = 0;

CREATE TABLE authority_setting (
  authority TEXT PRIMARY KEY REFERENCES authority (id),
  article16 INTEGER NOT NULL,
  set_by TEXT NOT NULL,
  set_at INTEGER NOT NULL
) STRICT;

CREATE TABLE pattern_note (
  id TEXT PRIMARY KEY,
  ref TEXT NOT NULL UNIQUE,
  action TEXT NOT NULL REFERENCES action (id),
  provider TEXT NOT NULL REFERENCES provider (id),
  body TEXT NOT NULL,
  drafted_at INTEGER NOT NULL,
  reviewed_by TEXT NOT NULL,
  reviewed_at INTEGER NOT NULL,
  released_by TEXT NOT NULL,
  released_at INTEGER NOT NULL,
  version INTEGER NOT NULL,
  UNIQUE (action, provider),
  CHECK (released_by = '' OR released_by <> reviewed_by)
) STRICT;
CREATE INDEX pattern_note_provider ON pattern_note (provider, id);

ALTER TABLE referral ADD COLUMN article16 INTEGER NOT NULL DEFAULT 0;
ALTER TABLE answer ADD COLUMN others INTEGER NOT NULL DEFAULT 0;
ALTER TABLE answer ADD COLUMN others_are TEXT NOT NULL DEFAULT '';

-- All that the views of a provider's items ask for stands in the index itself.
CREATE INDEX item_of_provider ON item (provider, id, status, claimed, observed, rank, referral) WHERE referral <> '';
CREATE INDEX person_of_provider ON person (provider) WHERE provider <> '';

-- What was said before this number was counted.
INSERT INTO tally (action, side, metric, shard, n)
SELECT action, 'a:' || authority, 'cannot_isolate', 0, count(*) FROM item WHERE claimed = 'cannot_isolate' AND status <> 'refused' GROUP BY action, authority;
INSERT INTO tally (action, side, metric, shard, n)
SELECT action, 'p:' || provider, 'cannot_isolate', 0, count(*) FROM item WHERE claimed = 'cannot_isolate' AND status <> 'refused' GROUP BY action, provider;

-- +goose Down
