-- The provider's side: threads between a provider and the authority that judged,
-- what cannot be isolated and the proportionality that goes with it, how an
-- authority means its referrals, notes on patterns of abuse, and the index that
-- a provider's own lists walk along. What older nodes write has the defaults.

-- +goose Up
CREATE TABLE question (
  id TEXT COLLATE "C" PRIMARY KEY,
  ref TEXT COLLATE "C" NOT NULL UNIQUE,
  referral TEXT COLLATE "C" NOT NULL REFERENCES referral (id),
  item TEXT COLLATE "C" NOT NULL,
  provider TEXT COLLATE "C" NOT NULL,
  author TEXT COLLATE "C" NOT NULL,
  side TEXT COLLATE "C" NOT NULL CHECK (side IN ('provider', 'authority')),
  kind TEXT COLLATE "C" NOT NULL,
  sealed BYTEA,
  person TEXT COLLATE "C" NOT NULL,
  at BIGINT NOT NULL
);
CREATE INDEX question_thread ON question (referral, id);

-- Who of the other side has read a message: shown as a number only.
CREATE TABLE question_read (
  question TEXT COLLATE "C" NOT NULL REFERENCES question (id),
  person TEXT COLLATE "C" NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (question, person)
);

CREATE TABLE thread (
  referral TEXT COLLATE "C" PRIMARY KEY REFERENCES referral (id),
  provider TEXT COLLATE "C" NOT NULL,
  author TEXT COLLATE "C" NOT NULL,
  waits TEXT COLLATE "C" NOT NULL,
  messages BIGINT NOT NULL,
  last_at BIGINT NOT NULL,
  last_id TEXT COLLATE "C" NOT NULL
);
CREATE INDEX thread_author ON thread (author, waits, last_id);
CREATE INDEX thread_provider ON thread (provider, waits, last_id);

-- id is the item's.
CREATE TABLE isolation (
  id TEXT COLLATE "C" PRIMARY KEY REFERENCES item (id),
  provider TEXT COLLATE "C" NOT NULL,
  referral TEXT COLLATE "C" NOT NULL,
  author TEXT COLLATE "C" NOT NULL,
  area BYTEA,
  others BIGINT NOT NULL,
  others_are TEXT COLLATE "C" NOT NULL,
  at BIGINT NOT NULL,
  sealed BYTEA,
  written_by TEXT COLLATE "C" NOT NULL,
  written_at BIGINT NOT NULL,
  approved_by TEXT COLLATE "C" NOT NULL,
  approved_at BIGINT NOT NULL,
  version BIGINT NOT NULL,
  CHECK (approved_by = '' OR approved_by <> written_by)
);
CREATE INDEX isolation_area ON isolation (area) WHERE area IS NOT NULL AND approved_at = 0;

CREATE TABLE authority_setting (
  authority TEXT COLLATE "C" PRIMARY KEY REFERENCES authority (id),
  article16 BIGINT NOT NULL,
  set_by TEXT COLLATE "C" NOT NULL,
  set_at BIGINT NOT NULL
);

CREATE TABLE pattern_note (
  id TEXT COLLATE "C" PRIMARY KEY,
  ref TEXT COLLATE "C" NOT NULL UNIQUE,
  action TEXT COLLATE "C" NOT NULL REFERENCES action (id),
  provider TEXT COLLATE "C" NOT NULL REFERENCES provider (id),
  body TEXT COLLATE "C" NOT NULL,
  drafted_at BIGINT NOT NULL,
  reviewed_by TEXT COLLATE "C" NOT NULL,
  reviewed_at BIGINT NOT NULL,
  released_by TEXT COLLATE "C" NOT NULL,
  released_at BIGINT NOT NULL,
  version BIGINT NOT NULL,
  UNIQUE (action, provider),
  CHECK (released_by = '' OR released_by <> reviewed_by)
);
CREATE INDEX pattern_note_provider ON pattern_note (provider, id);

ALTER TABLE referral ADD COLUMN article16 BIGINT NOT NULL DEFAULT 0;
ALTER TABLE answer ADD COLUMN others BIGINT NOT NULL DEFAULT 0;
ALTER TABLE answer ADD COLUMN others_are TEXT COLLATE "C" NOT NULL DEFAULT '';

-- All that the views of a provider's items ask for stands in the index itself.
CREATE INDEX item_of_provider ON item (provider, id, status, claimed, observed, rank, referral) WHERE referral <> '';
CREATE INDEX person_of_provider ON person (provider) WHERE provider <> '';

-- What was said before this number was counted.
INSERT INTO tally (action, side, metric, shard, n)
SELECT action, 'a:' || authority, 'cannot_isolate', 0, count(*) FROM item WHERE claimed = 'cannot_isolate' AND status <> 'refused' GROUP BY action, authority;
INSERT INTO tally (action, side, metric, shard, n)
SELECT action, 'p:' || provider, 'cannot_isolate', 0, count(*) FROM item WHERE claimed = 'cannot_isolate' AND status <> 'refused' GROUP BY action, provider;

-- +goose Down
