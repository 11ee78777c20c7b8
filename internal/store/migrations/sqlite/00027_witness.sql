-- Witnesses of the log: what each cosigned last, and when it is asked next. Alarms
-- about them; the new column has a default, so that an older node goes on.

-- +goose Up
ALTER TABLE alarm ADD COLUMN witness TEXT NOT NULL DEFAULT '';
DROP INDEX alarm_open;
CREATE UNIQUE INDEX alarm_open ON alarm (kind, authority, item, contact, witness) WHERE ended_at = 0;

CREATE TABLE log_witness (
  origin TEXT NOT NULL,
  witness TEXT NOT NULL,
  size INTEGER NOT NULL,
  checkpoint TEXT NOT NULL,
  line TEXT NOT NULL,
  cosigned_at INTEGER NOT NULL,
  next_at INTEGER NOT NULL,
  failures INTEGER NOT NULL,
  failing_at INTEGER NOT NULL,
  problem TEXT NOT NULL,
  PRIMARY KEY (origin, witness)
) STRICT;

-- +goose Down
