-- The nodes that work on this database, each with a number that it raises once
-- a second: one whose number stands still is dead, and its jobs go to others. No
-- clock is compared, so that a stepped one kills nobody.

-- +goose Up
CREATE TABLE node (
  id TEXT PRIMARY KEY,
  beat INTEGER NOT NULL
) STRICT;

-- +goose Down
DROP TABLE node;
