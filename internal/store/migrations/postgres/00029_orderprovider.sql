-- The addressee's side of removal orders: links by which a contact point for orders
-- (Art. 15) sees and answers one without an account; mail to authorities' offices.

-- +goose Up
CREATE TABLE order_link (
  id TEXT COLLATE "C" PRIMARY KEY,
  digest BYTEA NOT NULL UNIQUE,
  order_id TEXT COLLATE "C" NOT NULL REFERENCES removal_order (id),
  contact TEXT COLLATE "C" NOT NULL REFERENCES contact_point (id),
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  opened_at BIGINT NOT NULL,
  version BIGINT NOT NULL
);
CREATE INDEX order_link_order ON order_link (order_id, contact);

CREATE TABLE office_mail (
  id TEXT COLLATE "C" PRIMARY KEY,
  tag TEXT COLLATE "C" NOT NULL UNIQUE,
  authority TEXT COLLATE "C" NOT NULL REFERENCES authority (id),
  kind TEXT COLLATE "C" NOT NULL,
  ref TEXT COLLATE "C" NOT NULL,
  minutes BIGINT NOT NULL,
  attempts BIGINT NOT NULL,
  next_at BIGINT NOT NULL,
  evidence TEXT COLLATE "C" NOT NULL,
  created_at BIGINT NOT NULL,
  sent_at BIGINT NOT NULL,
  version BIGINT NOT NULL
);
CREATE INDEX office_mail_due ON office_mail (authority, next_at) WHERE next_at > 0;
