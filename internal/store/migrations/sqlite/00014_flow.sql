-- Flow: what lies on an item while it waits for somebody (who has it in hand,
-- parked, handed over, escalated), claims that ended without their holder's
-- doing, what a person skipped for a while, and what an item's priority follows
-- from. Of items from before, and from older nodes, the urgency is not known: -1.

-- +goose Up
ALTER TABLE item ADD COLUMN urgency INTEGER NOT NULL DEFAULT -1;
ALTER TABLE item ADD COLUMN escalated INTEGER NOT NULL DEFAULT 0;

CREATE TABLE slip (
  item TEXT PRIMARY KEY REFERENCES item (id),
  stage TEXT NOT NULL,
  authority TEXT NOT NULL,
  holder TEXT NOT NULL,
  claimed_at INTEGER NOT NULL,
  held_until INTEGER NOT NULL,
  parked_by TEXT NOT NULL,
  parked_until INTEGER NOT NULL,
  keeper TEXT NOT NULL,
  kept_until INTEGER NOT NULL,
  handed_by TEXT NOT NULL,
  handed_at INTEGER NOT NULL,
  escalated_by TEXT NOT NULL,
  escalated_at INTEGER NOT NULL,
  sealed BLOB,
  version INTEGER NOT NULL
) STRICT;
CREATE INDEX slip_holder ON slip (holder, held_until) WHERE holder <> '';
CREATE INDEX slip_held ON slip (held_until) WHERE holder <> '';
CREATE INDEX slip_keeper ON slip (keeper) WHERE keeper <> '';
CREATE INDEX slip_escalated ON slip (authority, escalated_at) WHERE escalated_at > 0;

-- What the holder is told, until it was seen.
CREATE TABLE claim_end (
  person TEXT NOT NULL,
  item TEXT NOT NULL REFERENCES item (id),
  cause TEXT NOT NULL,
  ended_by TEXT NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (person, item)
) STRICT;
CREATE INDEX claim_end_at ON claim_end (at);
CREATE INDEX claim_end_item ON claim_end (item);

-- Only what is needed not to offer an item again: no count, no history.
CREATE TABLE skip (
  person TEXT NOT NULL,
  item TEXT NOT NULL REFERENCES item (id),
  until INTEGER NOT NULL,
  PRIMARY KEY (person, item)
) STRICT;
CREATE INDEX skip_until ON skip (until);
CREATE INDEX skip_item ON skip (item);

-- +goose Down
