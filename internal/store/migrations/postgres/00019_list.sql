-- Lists: filters that people keep under a name (sealed under the owner's key),
-- the one word for which an item was taken back, and the walks that lists go
-- along: remedies by time, items that an authority found and another judged, and
-- events of the kinds that are seldom. What older nodes write has no word.

-- +goose Up
CREATE TABLE saved_filter (
  id TEXT COLLATE "C" PRIMARY KEY,
  owner TEXT COLLATE "C" NOT NULL REFERENCES person (id),
  authority TEXT COLLATE "C" NOT NULL,
  list TEXT COLLATE "C" NOT NULL,
  query TEXT COLLATE "C" NOT NULL,
  sealed BYTEA,
  shared BIGINT NOT NULL,
  created_at BIGINT NOT NULL
);
CREATE INDEX saved_filter_owner ON saved_filter (owner, list);
CREATE INDEX saved_filter_shared ON saved_filter (authority, list) WHERE shared = 1;
ALTER TABLE remedy ADD COLUMN category TEXT COLLATE "C" NOT NULL DEFAULT '';
CREATE INDEX remedy_at ON remedy (at, ref);
CREATE INDEX item_elsewhere ON item (authority, status, rank, id) WHERE author <> '' AND author <> authority;
CREATE INDEX event_seldom ON event (kind, id) WHERE kind NOT IN ('item.submitted', 'item.joined', 'item.assessed', 'item.approved', 'item.referred', 'item.answered', 'item.rechecked', 'referral.sent', 'referral.acknowledged', 'delivery.moved', 'consulted');

-- +goose Down
