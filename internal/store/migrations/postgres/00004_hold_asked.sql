-- Holds made safe to trust: a hold on bytes beside one on a place, its contact
-- sealed, its renewals; who came upon it; overrides for a threat to life with
-- their review; alarms. New columns have a default, so that an older node goes
-- on beside a newer one. A hold on bytes alone has an empty place.

-- +goose Up
ALTER TABLE hold ADD COLUMN content BYTEA;
ALTER TABLE hold ADD COLUMN contact_sealed BYTEA;
ALTER TABLE hold ADD COLUMN renewals BIGINT NOT NULL DEFAULT 0;
CREATE INDEX hold_content ON hold (content) WHERE released_at = 0 AND content IS NOT NULL;

-- Which item of another authority came upon a hold, and how: it was stopped
-- (dispatch), had been referred before (late), or passed (override).
CREATE TABLE hold_asked (
  hold TEXT COLLATE "C" NOT NULL REFERENCES hold (id),
  item TEXT COLLATE "C" NOT NULL REFERENCES item (id),
  kind TEXT COLLATE "C" NOT NULL,
  authority TEXT COLLATE "C" NOT NULL REFERENCES authority (id),
  at BIGINT NOT NULL,
  PRIMARY KEY (hold, item, kind)
);
CREATE INDEX hold_asked_item ON hold_asked (item, kind);
CREATE INDEX hold_asked_met ON hold_asked (authority, at) WHERE kind = 'dispatch';
CREATE INDEX referral_author_time ON referral (author, created_at);

CREATE TABLE hold_override (
  item TEXT COLLATE "C" PRIMARY KEY REFERENCES item (id),
  authority TEXT COLLATE "C" NOT NULL REFERENCES authority (id),
  overridden_by TEXT COLLATE "C" NOT NULL,
  reason BYTEA,
  at BIGINT NOT NULL,
  due_at BIGINT NOT NULL,
  verdict TEXT COLLATE "C" NOT NULL,
  reviewed_by TEXT COLLATE "C" NOT NULL,
  ground BYTEA,
  reviewed_at BIGINT NOT NULL,
  version BIGINT NOT NULL,
  CHECK (reviewed_by <> overridden_by)
);
CREATE INDEX hold_override_open ON hold_override (due_at) WHERE verdict = '';

CREATE TABLE alarm (
  id TEXT COLLATE "C" PRIMARY KEY,
  kind TEXT COLLATE "C" NOT NULL,
  authority TEXT COLLATE "C" NOT NULL,
  item TEXT COLLATE "C" NOT NULL,
  met BIGINT NOT NULL,
  at BIGINT NOT NULL,
  ended_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX alarm_open ON alarm (kind, authority, item) WHERE ended_at = 0;
CREATE INDEX alarm_authority ON alarm (authority, id);

-- +goose Down
