-- Holds made safe to trust: a hold on bytes beside one on a place, its contact
-- sealed, its renewals; who came upon it; overrides for a threat to life with
-- their review; alarms. New columns have a default, so that an older node goes
-- on beside a newer one. A hold on bytes alone has an empty place.

-- +goose Up
ALTER TABLE hold ADD COLUMN content BLOB;
ALTER TABLE hold ADD COLUMN contact_sealed BLOB;
ALTER TABLE hold ADD COLUMN renewals INTEGER NOT NULL DEFAULT 0;
CREATE INDEX hold_content ON hold (content) WHERE released_at = 0 AND content IS NOT NULL;

-- Which item of another authority came upon a hold, and how: it was stopped
-- (dispatch), had been referred before (late), or passed (override).
CREATE TABLE hold_asked (
  hold TEXT NOT NULL REFERENCES hold (id),
  item TEXT NOT NULL REFERENCES item (id),
  kind TEXT NOT NULL,
  authority TEXT NOT NULL REFERENCES authority (id),
  at INTEGER NOT NULL,
  PRIMARY KEY (hold, item, kind)
) STRICT;
CREATE INDEX hold_asked_item ON hold_asked (item, kind);
CREATE INDEX hold_asked_met ON hold_asked (authority, at) WHERE kind = 'dispatch';
CREATE INDEX referral_author_time ON referral (author, created_at);

CREATE TABLE hold_override (
  item TEXT PRIMARY KEY REFERENCES item (id),
  authority TEXT NOT NULL REFERENCES authority (id),
  overridden_by TEXT NOT NULL,
  reason BLOB,
  at INTEGER NOT NULL,
  due_at INTEGER NOT NULL,
  verdict TEXT NOT NULL,
  reviewed_by TEXT NOT NULL,
  ground BLOB,
  reviewed_at INTEGER NOT NULL,
  version INTEGER NOT NULL,
  CHECK (reviewed_by <> overridden_by)
) STRICT;
CREATE INDEX hold_override_open ON hold_override (due_at) WHERE verdict = '';

CREATE TABLE alarm (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  authority TEXT NOT NULL,
  item TEXT NOT NULL,
  met INTEGER NOT NULL,
  at INTEGER NOT NULL,
  ended_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX alarm_open ON alarm (kind, authority, item) WHERE ended_at = 0;
CREATE INDEX alarm_authority ON alarm (authority, id);

-- +goose Down
