-- Lists of a desk's items are looked through in their indexes alone: what
-- filters ask for stands there, beside what the list is sorted by, so that only
-- the rows that are shown are fetched from the table. The three take the place of
-- narrower ones of the same names' columns, which are theirs at the front. They
-- are dropped first, so that nobody waits for a lock that another holds half.

-- +goose Up
DROP INDEX item_by_finder;
DROP INDEX item_by_author;
DROP INDEX item_elsewhere;
CREATE INDEX item_by_finder ON item (authority, status, rank, id, erased_at, language, type, claimed, observed, created_at, provider, outlet, action) WHERE author = '';
CREATE INDEX item_by_author ON item (author, status, rank, id, erased_at, language, type, claimed, observed, created_at, provider, outlet, action) WHERE author <> '';
CREATE INDEX item_elsewhere ON item (authority, status, rank, id, erased_at, language, type, claimed, observed, created_at, provider, outlet, action) WHERE author <> '' AND author <> authority;

-- +goose Down
