-- Contact points of providers, what waits for them and went to them by mail,
-- one-time answer links, and what came back. Postings and mails stand beside
-- the deliveries' own schedule, so that an older node, which knows neither,
-- leaves them to a newer one.

-- +goose Up
ALTER TABLE provider ADD COLUMN establishment TEXT NOT NULL DEFAULT '';
ALTER TABLE provider ADD COLUMN representative TEXT NOT NULL DEFAULT '';
ALTER TABLE alarm ADD COLUMN contact TEXT NOT NULL DEFAULT '';
DROP INDEX alarm_open;
CREATE UNIQUE INDEX alarm_open ON alarm (kind, authority, item, contact) WHERE ended_at = 0;

CREATE TABLE contact_point (
  id TEXT PRIMARY KEY,
  ref TEXT NOT NULL UNIQUE,
  provider TEXT NOT NULL REFERENCES provider (id),
  purpose TEXT NOT NULL,
  layer TEXT NOT NULL,
  channel TEXT NOT NULL,
  address TEXT NOT NULL,
  languages TEXT NOT NULL,
  zone TEXT NOT NULL,
  quiet_from INTEGER NOT NULL,
  quiet_to INTEGER NOT NULL,
  per_hour INTEGER NOT NULL,
  messages INTEGER NOT NULL,
  form TEXT NOT NULL,
  hour_start INTEGER NOT NULL,
  hour_items INTEGER NOT NULL,
  hour_messages INTEGER NOT NULL,
  success_at INTEGER NOT NULL,
  trouble_at INTEGER NOT NULL,
  trouble TEXT NOT NULL,
  bounces INTEGER NOT NULL,
  demoted_at INTEGER NOT NULL,
  retired_at INTEGER NOT NULL,
  exercise INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  version INTEGER NOT NULL
) STRICT;
CREATE INDEX contact_point_provider ON contact_point (provider, id);

CREATE TABLE mail_out (
  id TEXT PRIMARY KEY,
  tag TEXT NOT NULL UNIQUE,
  contact TEXT NOT NULL REFERENCES contact_point (id),
  items INTEGER NOT NULL,
  form TEXT NOT NULL,
  urgent INTEGER NOT NULL,
  rung TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  next_at INTEGER NOT NULL,
  evidence TEXT NOT NULL,
  exercise INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  sent_at INTEGER NOT NULL,
  version INTEGER NOT NULL
) STRICT;
CREATE INDEX mail_out_due ON mail_out (contact, next_at) WHERE next_at > 0;
CREATE INDEX mail_out_contact ON mail_out (contact, id);

CREATE TABLE posting (
  delivery TEXT PRIMARY KEY REFERENCES delivery (id),
  contact TEXT NOT NULL REFERENCES contact_point (id),
  due_at INTEGER NOT NULL,
  mail TEXT NOT NULL
) STRICT;
CREATE INDEX posting_due ON posting (contact, due_at) WHERE due_at > 0;
CREATE INDEX posting_mail ON posting (mail) WHERE mail <> '';

CREATE TABLE answer_link (
  id TEXT PRIMARY KEY,
  digest BLOB NOT NULL UNIQUE,
  referral TEXT NOT NULL REFERENCES referral (id),
  contact TEXT NOT NULL REFERENCES contact_point (id),
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  opened_at INTEGER NOT NULL,
  finished_at INTEGER NOT NULL,
  revoked_at INTEGER NOT NULL,
  version INTEGER NOT NULL
) STRICT;
CREATE INDEX answer_link_referral ON answer_link (referral, contact);

CREATE TABLE message (
  id TEXT PRIMARY KEY,
  digest BLOB NOT NULL UNIQUE,
  mail TEXT NOT NULL,
  contact TEXT NOT NULL REFERENCES contact_point (id),
  referral TEXT NOT NULL,
  item TEXT NOT NULL,
  kind TEXT NOT NULL,
  code TEXT NOT NULL,
  sender TEXT NOT NULL,
  sealed BLOB,
  at INTEGER NOT NULL
) STRICT;
CREATE INDEX message_referral ON message (referral, id) WHERE referral <> '';
CREATE INDEX message_mail ON message (mail) WHERE mail <> '';
CREATE INDEX message_contact ON message (contact, id);

-- +goose Down
