-- Lists of a desk's items are looked through in their indexes alone: what filters
-- ask for stands there, behind what the list is sorted by, so that only the rows
-- that are shown are fetched from the table. These take the place of narrower
-- ones, which are dropped first, so that no lock is widened while others wait.

-- +goose Up
DROP INDEX item_by_finder;
DROP INDEX item_by_author;
DROP INDEX item_elsewhere;
CREATE INDEX item_by_finder ON item (authority, status, rank, id, erased_at, language, type, claimed, observed, created_at, provider, outlet, action) WHERE author = '';
CREATE INDEX item_by_author ON item (author, status, rank, id, erased_at, language, type, claimed, observed, created_at, provider, outlet, action) WHERE author <> '';
CREATE INDEX item_elsewhere ON item (authority, status, rank, id, author, erased_at, language, type, claimed, observed, created_at, provider, outlet, action) WHERE author <> '' AND author <> authority;

-- +goose Down
