-- The addressee's side of removal orders: links by which a contact point for orders
-- (Art. 15) sees and answers one without an account; mail to authorities' offices.

-- +goose Up
CREATE TABLE order_link (
  id TEXT PRIMARY KEY,
  digest BLOB NOT NULL UNIQUE,
  order_id TEXT NOT NULL REFERENCES removal_order (id),
  contact TEXT NOT NULL REFERENCES contact_point (id),
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  opened_at INTEGER NOT NULL,
  version INTEGER NOT NULL
) STRICT;
CREATE INDEX order_link_order ON order_link (order_id, contact);

CREATE TABLE office_mail (
  id TEXT PRIMARY KEY,
  tag TEXT NOT NULL UNIQUE,
  authority TEXT NOT NULL REFERENCES authority (id),
  kind TEXT NOT NULL,
  ref TEXT NOT NULL,
  minutes INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  next_at INTEGER NOT NULL,
  evidence TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  sent_at INTEGER NOT NULL,
  version INTEGER NOT NULL
) STRICT;
CREATE INDEX office_mail_due ON office_mail (authority, next_at) WHERE next_at > 0;
