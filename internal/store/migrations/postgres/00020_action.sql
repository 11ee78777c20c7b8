-- Running a joint action: who is there, what is frozen, throttled and released
-- in consignments, what a coordinator says and proposes; and how the running numbers
-- grew by day.

-- +goose Up
ALTER TABLE action ADD COLUMN batched BIGINT NOT NULL DEFAULT 0;

CREATE TABLE action_freeze (
  id TEXT COLLATE "C" PRIMARY KEY,
  action TEXT COLLATE "C" NOT NULL REFERENCES action (id),
  sealed BYTEA,
  frozen_by TEXT COLLATE "C" NOT NULL,
  frozen_at BIGINT NOT NULL,
  sealed_grounds BYTEA,
  thaw_by TEXT COLLATE "C" NOT NULL,
  thaw_at BIGINT NOT NULL,
  thawed_by TEXT COLLATE "C" NOT NULL,
  thawed_at BIGINT NOT NULL,
  version BIGINT NOT NULL,
  CHECK (thawed_at = 0 OR thawed_by <> thaw_by)
);
CREATE UNIQUE INDEX action_frozen ON action_freeze (action) WHERE thawed_at = 0;

CREATE TABLE action_throttle (
  id TEXT COLLATE "C" PRIMARY KEY,
  action TEXT COLLATE "C" NOT NULL REFERENCES action (id),
  provider TEXT COLLATE "C" NOT NULL REFERENCES provider (id),
  per_hour BIGINT NOT NULL,
  quiet BIGINT NOT NULL,
  sealed BYTEA,
  person TEXT COLLATE "C" NOT NULL,
  at BIGINT NOT NULL,
  hour_start BIGINT NOT NULL,
  hour_count BIGINT NOT NULL,
  version BIGINT NOT NULL,
  UNIQUE (provider, action)
);

-- Two people in the data layer: nobody confirms what they prepared.
CREATE TABLE consignment (
  id TEXT COLLATE "C" PRIMARY KEY,
  ref TEXT COLLATE "C" NOT NULL UNIQUE,
  action TEXT COLLATE "C" NOT NULL REFERENCES action (id),
  provider TEXT COLLATE "C" NOT NULL REFERENCES provider (id),
  state TEXT COLLATE "C" NOT NULL,
  items BIGINT NOT NULL,
  refused BIGINT NOT NULL,
  prepared_by TEXT COLLATE "C" NOT NULL,
  prepared_at BIGINT NOT NULL,
  confirmed_by TEXT COLLATE "C" NOT NULL,
  confirmed_at BIGINT NOT NULL,
  leaves_at BIGINT NOT NULL,
  recalled_by TEXT COLLATE "C" NOT NULL,
  ended_at BIGINT NOT NULL,
  exercise BIGINT NOT NULL,
  version BIGINT NOT NULL,
  CHECK (confirmed_by <> prepared_by)
);
CREATE INDEX consignment_action ON consignment (action, id);

CREATE TABLE consignment_item (
  consignment TEXT COLLATE "C" NOT NULL REFERENCES consignment (id),
  item TEXT COLLATE "C" NOT NULL REFERENCES item (id),
  refusal TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (consignment, item)
);
CREATE INDEX consignment_item_item ON consignment_item (item);

CREATE TABLE bulletin (
  id TEXT COLLATE "C" PRIMARY KEY,
  ref TEXT COLLATE "C" NOT NULL UNIQUE,
  action TEXT COLLATE "C" NOT NULL REFERENCES action (id),
  kind TEXT COLLATE "C" NOT NULL,
  sealed BYTEA,
  person TEXT COLLATE "C" NOT NULL,
  at BIGINT NOT NULL,
  to_person TEXT COLLATE "C" NOT NULL,
  ended_by TEXT COLLATE "C" NOT NULL,
  ended_at BIGINT NOT NULL,
  version BIGINT NOT NULL
);
CREATE INDEX bulletin_action ON bulletin (action, id);

-- Wall time: people do not live faster in an exercise.
CREATE TABLE presence (
  action TEXT COLLATE "C" NOT NULL REFERENCES action (id),
  person TEXT COLLATE "C" NOT NULL,
  authority TEXT COLLATE "C" NOT NULL,
  seen_at BIGINT NOT NULL,
  reported_at BIGINT NOT NULL,
  PRIMARY KEY (action, person)
);

CREATE TABLE allotment (
  id TEXT COLLATE "C" PRIMARY KEY,
  ref TEXT COLLATE "C" NOT NULL UNIQUE,
  action TEXT COLLATE "C" NOT NULL REFERENCES action (id),
  kind TEXT COLLATE "C" NOT NULL,
  from_authority TEXT COLLATE "C" NOT NULL REFERENCES authority (id),
  to_authority TEXT COLLATE "C" NOT NULL,
  items BIGINT NOT NULL,
  sealed BYTEA,
  person TEXT COLLATE "C" NOT NULL,
  at BIGINT NOT NULL,
  answer TEXT COLLATE "C" NOT NULL,
  sealed_ground BYTEA,
  answered_by TEXT COLLATE "C" NOT NULL,
  answered_at BIGINT NOT NULL,
  version BIGINT NOT NULL
);
CREATE INDEX allotment_action ON allotment (action, id);

-- How the running numbers grew on days that are over: the fold of their events,
-- made when first asked for. side is "a:" and an authority, or "u:", an
-- authority, "/" and a provider; the row with side "" says that the day is whole.
CREATE TABLE tally_day (
  day TEXT COLLATE "C" NOT NULL,
  side TEXT COLLATE "C" NOT NULL,
  metric TEXT COLLATE "C" NOT NULL,
  n BIGINT NOT NULL,
  PRIMARY KEY (day, side, metric)
);

CREATE INDEX delivery_failed ON delivery (action, provider) WHERE rung = 'failed';

-- +goose Down
