-- Flow: what lies on an item while it waits for somebody (who has it in hand,
-- parked, handed over, escalated), claims that ended without their holder's
-- doing, what a person skipped for a while, and what an item's priority follows
-- from. Of items from before, and from older nodes, the urgency is not known: -1.

-- +goose Up
ALTER TABLE item ADD COLUMN urgency BIGINT NOT NULL DEFAULT -1;
ALTER TABLE item ADD COLUMN escalated BIGINT NOT NULL DEFAULT 0;

CREATE TABLE slip (
  item TEXT COLLATE "C" PRIMARY KEY REFERENCES item (id),
  stage TEXT COLLATE "C" NOT NULL,
  authority TEXT COLLATE "C" NOT NULL,
  holder TEXT COLLATE "C" NOT NULL,
  claimed_at BIGINT NOT NULL,
  held_until BIGINT NOT NULL,
  parked_by TEXT COLLATE "C" NOT NULL,
  parked_until BIGINT NOT NULL,
  keeper TEXT COLLATE "C" NOT NULL,
  kept_until BIGINT NOT NULL,
  handed_by TEXT COLLATE "C" NOT NULL,
  handed_at BIGINT NOT NULL,
  escalated_by TEXT COLLATE "C" NOT NULL,
  escalated_at BIGINT NOT NULL,
  sealed BYTEA,
  version BIGINT NOT NULL
);
CREATE INDEX slip_holder ON slip (holder, held_until) WHERE holder <> '';
CREATE INDEX slip_held ON slip (held_until) WHERE holder <> '';
CREATE INDEX slip_keeper ON slip (keeper) WHERE keeper <> '';
CREATE INDEX slip_escalated ON slip (authority, escalated_at) WHERE escalated_at > 0;

-- What the holder is told, until it was seen.
CREATE TABLE claim_end (
  person TEXT COLLATE "C" NOT NULL,
  item TEXT COLLATE "C" NOT NULL REFERENCES item (id),
  cause TEXT COLLATE "C" NOT NULL,
  ended_by TEXT COLLATE "C" NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (person, item)
);
CREATE INDEX claim_end_at ON claim_end (at);
CREATE INDEX claim_end_item ON claim_end (item);

-- Only what is needed not to offer an item again: no count, no history.
CREATE TABLE skip (
  person TEXT COLLATE "C" NOT NULL,
  item TEXT COLLATE "C" NOT NULL REFERENCES item (id),
  until BIGINT NOT NULL,
  PRIMARY KEY (person, item)
);
CREATE INDEX skip_until ON skip (until);
CREATE INDEX skip_item ON skip (item);

-- +goose Down
