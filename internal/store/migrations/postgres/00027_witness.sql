-- Witnesses of the log: what each cosigned last, and when it is asked next. Alarms
-- about them; the new column has a default, so that an older node goes on.

-- +goose Up
ALTER TABLE alarm ADD COLUMN witness TEXT COLLATE "C" NOT NULL DEFAULT '';
DROP INDEX alarm_open;
CREATE UNIQUE INDEX alarm_open ON alarm (kind, authority, item, contact, witness) WHERE ended_at = 0;

CREATE TABLE log_witness (
  origin TEXT COLLATE "C" NOT NULL,
  witness TEXT COLLATE "C" NOT NULL,
  size BIGINT NOT NULL,
  checkpoint TEXT COLLATE "C" NOT NULL,
  line TEXT COLLATE "C" NOT NULL,
  cosigned_at BIGINT NOT NULL,
  next_at BIGINT NOT NULL,
  failures BIGINT NOT NULL,
  failing_at BIGINT NOT NULL,
  problem TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (origin, witness)
);

-- +goose Down
