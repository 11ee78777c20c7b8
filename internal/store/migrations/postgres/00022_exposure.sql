-- Eyes: what is in a capture, as people said; what a person opened and for how
-- long it was seen (theirs alone to read, without any event); the limits of an
-- authority, and lower ones that people set for themselves. What older nodes give
-- out is counted nowhere.

-- +goose Up
CREATE TABLE capture_warning (
  capture TEXT COLLATE "C" NOT NULL REFERENCES capture (id),
  tag TEXT COLLATE "C" NOT NULL,
  person TEXT COLLATE "C" NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (capture, tag, person)
);

-- The capture is NULL once its item is erased.
CREATE TABLE reveal (
  id TEXT COLLATE "C" PRIMARY KEY,
  person TEXT COLLATE "C" NOT NULL,
  authority TEXT COLLATE "C" NOT NULL,
  capture TEXT COLLATE "C" REFERENCES capture (id),
  warnings TEXT COLLATE "C" NOT NULL,
  opened_at BIGINT NOT NULL,
  beat_at BIGINT NOT NULL,
  closed_at BIGINT NOT NULL,
  shown BIGINT NOT NULL,
  measured BIGINT NOT NULL,
  taken BIGINT NOT NULL
);
CREATE INDEX reveal_person ON reveal (person, opened_at);
CREATE INDEX reveal_authority ON reveal (authority, opened_at);
CREATE INDEX reveal_opened ON reveal (opened_at);
CREATE INDEX reveal_capture ON reveal (capture, person) WHERE capture IS NOT NULL;

CREATE TABLE exposure_limit (
  authority TEXT COLLATE "C" NOT NULL REFERENCES authority (id),
  from_at BIGINT NOT NULL,
  soft BIGINT NOT NULL,
  hard BIGINT NOT NULL,
  soft_opened BIGINT NOT NULL,
  hard_opened BIGINT NOT NULL,
  person TEXT COLLATE "C" NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (authority, from_at)
);

CREATE TABLE exposure_own (
  person TEXT COLLATE "C" PRIMARY KEY,
  hard BIGINT NOT NULL,
  opened BIGINT NOT NULL,
  at BIGINT NOT NULL
);

-- +goose Down
