-- Running a joint action: who is there, what is frozen, throttled and released
-- in consignments, what a coordinator says and proposes; and how the running numbers
-- grew by day.

-- +goose Up
ALTER TABLE action ADD COLUMN batched INTEGER NOT NULL DEFAULT 0;

CREATE TABLE action_freeze (
  id TEXT PRIMARY KEY,
  action TEXT NOT NULL REFERENCES action (id),
  sealed BLOB,
  frozen_by TEXT NOT NULL,
  frozen_at INTEGER NOT NULL,
  sealed_grounds BLOB,
  thaw_by TEXT NOT NULL,
  thaw_at INTEGER NOT NULL,
  thawed_by TEXT NOT NULL,
  thawed_at INTEGER NOT NULL,
  version INTEGER NOT NULL,
  CHECK (thawed_at = 0 OR thawed_by <> thaw_by)
) STRICT;
CREATE UNIQUE INDEX action_frozen ON action_freeze (action) WHERE thawed_at = 0;

CREATE TABLE action_throttle (
  id TEXT PRIMARY KEY,
  action TEXT NOT NULL REFERENCES action (id),
  provider TEXT NOT NULL REFERENCES provider (id),
  per_hour INTEGER NOT NULL,
  quiet INTEGER NOT NULL,
  sealed BLOB,
  person TEXT NOT NULL,
  at INTEGER NOT NULL,
  hour_start INTEGER NOT NULL,
  hour_count INTEGER NOT NULL,
  version INTEGER NOT NULL,
  UNIQUE (provider, action)
) STRICT;

-- Two people in the data layer: nobody confirms what they prepared.
CREATE TABLE consignment (
  id TEXT PRIMARY KEY,
  ref TEXT NOT NULL UNIQUE,
  action TEXT NOT NULL REFERENCES action (id),
  provider TEXT NOT NULL REFERENCES provider (id),
  state TEXT NOT NULL,
  items INTEGER NOT NULL,
  refused INTEGER NOT NULL,
  prepared_by TEXT NOT NULL,
  prepared_at INTEGER NOT NULL,
  confirmed_by TEXT NOT NULL,
  confirmed_at INTEGER NOT NULL,
  leaves_at INTEGER NOT NULL,
  recalled_by TEXT NOT NULL,
  ended_at INTEGER NOT NULL,
  exercise INTEGER NOT NULL,
  version INTEGER NOT NULL,
  CHECK (confirmed_by <> prepared_by)
) STRICT;
CREATE INDEX consignment_action ON consignment (action, id);

CREATE TABLE consignment_item (
  consignment TEXT NOT NULL REFERENCES consignment (id),
  item TEXT NOT NULL REFERENCES item (id),
  refusal TEXT NOT NULL,
  PRIMARY KEY (consignment, item)
) STRICT;
CREATE INDEX consignment_item_item ON consignment_item (item);

CREATE TABLE bulletin (
  id TEXT PRIMARY KEY,
  ref TEXT NOT NULL UNIQUE,
  action TEXT NOT NULL REFERENCES action (id),
  kind TEXT NOT NULL,
  sealed BLOB,
  person TEXT NOT NULL,
  at INTEGER NOT NULL,
  to_person TEXT NOT NULL,
  ended_by TEXT NOT NULL,
  ended_at INTEGER NOT NULL,
  version INTEGER NOT NULL
) STRICT;
CREATE INDEX bulletin_action ON bulletin (action, id);

-- Wall time: people do not live faster in an exercise.
CREATE TABLE presence (
  action TEXT NOT NULL REFERENCES action (id),
  person TEXT NOT NULL,
  authority TEXT NOT NULL,
  seen_at INTEGER NOT NULL,
  reported_at INTEGER NOT NULL,
  PRIMARY KEY (action, person)
) STRICT;

CREATE TABLE allotment (
  id TEXT PRIMARY KEY,
  ref TEXT NOT NULL UNIQUE,
  action TEXT NOT NULL REFERENCES action (id),
  kind TEXT NOT NULL,
  from_authority TEXT NOT NULL REFERENCES authority (id),
  to_authority TEXT NOT NULL,
  items INTEGER NOT NULL,
  sealed BLOB,
  person TEXT NOT NULL,
  at INTEGER NOT NULL,
  answer TEXT NOT NULL,
  sealed_ground BLOB,
  answered_by TEXT NOT NULL,
  answered_at INTEGER NOT NULL,
  version INTEGER NOT NULL
) STRICT;
CREATE INDEX allotment_action ON allotment (action, id);

-- How the running numbers grew on days that are over: the fold of their events,
-- made when first asked for. side is "a:" and an authority, or "u:", an
-- authority, "/" and a provider; the row with side "" says that the day is whole.
CREATE TABLE tally_day (
  day TEXT NOT NULL,
  side TEXT NOT NULL,
  metric TEXT NOT NULL,
  n INTEGER NOT NULL,
  PRIMARY KEY (day, side, metric)
) STRICT;

CREATE INDEX delivery_failed ON delivery (action, provider) WHERE rung = 'failed';

-- +goose Down
