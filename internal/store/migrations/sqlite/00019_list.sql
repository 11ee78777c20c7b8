-- Lists: filters that people keep under a name (sealed under the owner's key),
-- the one word for which an item was taken back, and the walks that lists go
-- along: remedies by time, items that an authority found and another judged, and
-- events of the kinds that are seldom. What older nodes write has no word.

-- +goose Up
CREATE TABLE saved_filter (
  id TEXT PRIMARY KEY,
  owner TEXT NOT NULL REFERENCES person (id),
  authority TEXT NOT NULL,
  list TEXT NOT NULL,
  query TEXT NOT NULL,
  sealed BLOB,
  shared INTEGER NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX saved_filter_owner ON saved_filter (owner, list);
CREATE INDEX saved_filter_shared ON saved_filter (authority, list) WHERE shared = 1;
ALTER TABLE remedy ADD COLUMN category TEXT NOT NULL DEFAULT '';
CREATE INDEX remedy_at ON remedy (at, ref);
CREATE INDEX item_elsewhere ON item (authority, status, rank, id) WHERE author <> '' AND author <> authority;
CREATE INDEX event_seldom ON event (kind, id) WHERE kind NOT IN ('item.submitted', 'item.joined', 'item.assessed', 'item.approved', 'item.referred', 'item.answered', 'item.rechecked', 'referral.sent', 'referral.acknowledged', 'delivery.moved', 'consulted');

-- +goose Down
