-- Contact points of providers, what waits for them and went to them by mail,
-- one-time answer links, and what came back. Postings and mails stand beside
-- the deliveries' own schedule, so that an older node, which knows neither,
-- leaves them to a newer one.

-- +goose Up
ALTER TABLE provider ADD COLUMN establishment TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE provider ADD COLUMN representative TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE alarm ADD COLUMN contact TEXT COLLATE "C" NOT NULL DEFAULT '';
DROP INDEX alarm_open;
CREATE UNIQUE INDEX alarm_open ON alarm (kind, authority, item, contact) WHERE ended_at = 0;

CREATE TABLE contact_point (
  id TEXT COLLATE "C" PRIMARY KEY,
  ref TEXT COLLATE "C" NOT NULL UNIQUE,
  provider TEXT COLLATE "C" NOT NULL REFERENCES provider (id),
  purpose TEXT COLLATE "C" NOT NULL,
  layer TEXT COLLATE "C" NOT NULL,
  channel TEXT COLLATE "C" NOT NULL,
  address TEXT COLLATE "C" NOT NULL,
  languages TEXT COLLATE "C" NOT NULL,
  zone TEXT COLLATE "C" NOT NULL,
  quiet_from BIGINT NOT NULL,
  quiet_to BIGINT NOT NULL,
  per_hour BIGINT NOT NULL,
  messages BIGINT NOT NULL,
  form TEXT COLLATE "C" NOT NULL,
  hour_start BIGINT NOT NULL,
  hour_items BIGINT NOT NULL,
  hour_messages BIGINT NOT NULL,
  success_at BIGINT NOT NULL,
  trouble_at BIGINT NOT NULL,
  trouble TEXT COLLATE "C" NOT NULL,
  bounces BIGINT NOT NULL,
  demoted_at BIGINT NOT NULL,
  retired_at BIGINT NOT NULL,
  exercise BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  version BIGINT NOT NULL
);
CREATE INDEX contact_point_provider ON contact_point (provider, id);

CREATE TABLE mail_out (
  id TEXT COLLATE "C" PRIMARY KEY,
  tag TEXT COLLATE "C" NOT NULL UNIQUE,
  contact TEXT COLLATE "C" NOT NULL REFERENCES contact_point (id),
  items BIGINT NOT NULL,
  form TEXT COLLATE "C" NOT NULL,
  urgent BIGINT NOT NULL,
  rung TEXT COLLATE "C" NOT NULL,
  attempts BIGINT NOT NULL,
  next_at BIGINT NOT NULL,
  evidence TEXT COLLATE "C" NOT NULL,
  exercise BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  sent_at BIGINT NOT NULL,
  version BIGINT NOT NULL
);
CREATE INDEX mail_out_due ON mail_out (contact, next_at) WHERE next_at > 0;
CREATE INDEX mail_out_contact ON mail_out (contact, id);

CREATE TABLE posting (
  delivery TEXT COLLATE "C" PRIMARY KEY REFERENCES delivery (id),
  contact TEXT COLLATE "C" NOT NULL REFERENCES contact_point (id),
  due_at BIGINT NOT NULL,
  mail TEXT COLLATE "C" NOT NULL
);
CREATE INDEX posting_due ON posting (contact, due_at) WHERE due_at > 0;
CREATE INDEX posting_mail ON posting (mail) WHERE mail <> '';

CREATE TABLE answer_link (
  id TEXT COLLATE "C" PRIMARY KEY,
  digest BYTEA NOT NULL UNIQUE,
  referral TEXT COLLATE "C" NOT NULL REFERENCES referral (id),
  contact TEXT COLLATE "C" NOT NULL REFERENCES contact_point (id),
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  opened_at BIGINT NOT NULL,
  finished_at BIGINT NOT NULL,
  revoked_at BIGINT NOT NULL,
  version BIGINT NOT NULL
);
CREATE INDEX answer_link_referral ON answer_link (referral, contact);

CREATE TABLE message (
  id TEXT COLLATE "C" PRIMARY KEY,
  digest BYTEA NOT NULL UNIQUE,
  mail TEXT COLLATE "C" NOT NULL,
  contact TEXT COLLATE "C" NOT NULL REFERENCES contact_point (id),
  referral TEXT COLLATE "C" NOT NULL,
  item TEXT COLLATE "C" NOT NULL,
  kind TEXT COLLATE "C" NOT NULL,
  code TEXT COLLATE "C" NOT NULL,
  sender TEXT COLLATE "C" NOT NULL,
  sealed BYTEA,
  at BIGINT NOT NULL
);
CREATE INDEX message_referral ON message (referral, id) WHERE referral <> '';
CREATE INDEX message_mail ON message (mail) WHERE mail <> '';
CREATE INDEX message_contact ON message (contact, id);

-- +goose Down
