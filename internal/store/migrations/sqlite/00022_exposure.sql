-- Eyes: what is in a capture, as people said; what a person opened and for how
-- long it was seen (theirs alone to read, without any event); the limits of an
-- authority, and lower ones that people set for themselves. What older nodes give
-- out is counted nowhere.

-- +goose Up
CREATE TABLE capture_warning (
  capture TEXT NOT NULL REFERENCES capture (id),
  tag TEXT NOT NULL,
  person TEXT NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (capture, tag, person)
) STRICT;

-- The capture is NULL once its item is erased.
CREATE TABLE reveal (
  id TEXT PRIMARY KEY,
  person TEXT NOT NULL,
  authority TEXT NOT NULL,
  capture TEXT REFERENCES capture (id),
  warnings TEXT NOT NULL,
  opened_at INTEGER NOT NULL,
  beat_at INTEGER NOT NULL,
  closed_at INTEGER NOT NULL,
  shown INTEGER NOT NULL,
  measured INTEGER NOT NULL,
  taken INTEGER NOT NULL
) STRICT;
CREATE INDEX reveal_person ON reveal (person, opened_at);
CREATE INDEX reveal_authority ON reveal (authority, opened_at);
CREATE INDEX reveal_opened ON reveal (opened_at);
CREATE INDEX reveal_capture ON reveal (capture, person) WHERE capture IS NOT NULL;

CREATE TABLE exposure_limit (
  authority TEXT NOT NULL REFERENCES authority (id),
  from_at INTEGER NOT NULL,
  soft INTEGER NOT NULL,
  hard INTEGER NOT NULL,
  soft_opened INTEGER NOT NULL,
  hard_opened INTEGER NOT NULL,
  person TEXT NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (authority, from_at)
) STRICT;

CREATE TABLE exposure_own (
  person TEXT PRIMARY KEY,
  hard INTEGER NOT NULL,
  opened INTEGER NOT NULL,
  at INTEGER NOT NULL
) STRICT;

-- +goose Down
