-- The chain: parties, items, assessments, referrals, answers, and their log.
-- Times are microseconds UTC; ids are UUIDv7 text; the PostgreSQL twin differs
-- only in type names, collation and the triggers' language.

-- +goose Up
CREATE TABLE meta (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT;

CREATE TABLE authority (
  id TEXT PRIMARY KEY,
  ref TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  country TEXT NOT NULL,
  kind TEXT NOT NULL,
  unit TEXT NOT NULL UNIQUE,
  contact TEXT NOT NULL,
  public_key BLOB NOT NULL,
  sealed_key BLOB NOT NULL,
  exercise INTEGER NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE provider (
  id TEXT PRIMARY KEY,
  ref TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  kind TEXT NOT NULL,
  country TEXT NOT NULL,
  languages TEXT NOT NULL,
  zone TEXT NOT NULL,
  quiet_from INTEGER NOT NULL,
  quiet_to INTEGER NOT NULL,
  per_hour INTEGER NOT NULL,
  channel TEXT NOT NULL,
  webhook_url TEXT NOT NULL,
  webhook_key TEXT NOT NULL,
  sealed_keys BLOB,
  contact TEXT NOT NULL,
  disabled_at INTEGER NOT NULL,
  hour_start INTEGER NOT NULL,
  hour_count INTEGER NOT NULL,
  exercise INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  version INTEGER NOT NULL
) STRICT;

CREATE TABLE provider_platform (
  platform TEXT PRIMARY KEY,
  provider TEXT NOT NULL REFERENCES provider (id)
) STRICT;

CREATE TABLE person (
  id TEXT PRIMARY KEY,
  operator TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  login TEXT NOT NULL UNIQUE,
  authority TEXT,
  provider TEXT,
  roles TEXT NOT NULL,
  password TEXT NOT NULL,
  failed INTEGER NOT NULL,
  failed_at INTEGER NOT NULL,
  disabled_at INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  version INTEGER NOT NULL
) STRICT;

CREATE TABLE credential (
  digest BLOB PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('session', 'link', 'key')),
  person TEXT NOT NULL REFERENCES person (id),
  name TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  used_at INTEGER NOT NULL
) STRICT;
CREATE INDEX credential_person ON credential (person);

CREATE TABLE outlet (
  id TEXT PRIMARY KEY,
  ref TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  aliases TEXT NOT NULL,
  marks TEXT NOT NULL,
  sites TEXT NOT NULL,
  parent TEXT,
  exercise INTEGER NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE scope_entry (
  id TEXT PRIMARY KEY,
  ref TEXT NOT NULL UNIQUE,
  outlet TEXT NOT NULL REFERENCES outlet (id),
  legal_act TEXT NOT NULL,
  authority TEXT NOT NULL,
  citation TEXT NOT NULL,
  listed_on INTEGER NOT NULL,
  delisted_on INTEGER NOT NULL,
  proposed_by TEXT NOT NULL,
  confirmed_by TEXT NOT NULL,
  confirmed_at INTEGER NOT NULL,
  delisted_by TEXT NOT NULL,
  exercise INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  version INTEGER NOT NULL,
  CHECK (confirmed_by <> proposed_by)
) STRICT;

CREATE TABLE action (
  id TEXT PRIMARY KEY,
  ref TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  phase TEXT NOT NULL,
  lead_authority TEXT NOT NULL REFERENCES authority (id),
  mandate TEXT NOT NULL,
  starts_at INTEGER NOT NULL,
  ends_at INTEGER NOT NULL,
  target INTEGER NOT NULL,
  exercise INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  version INTEGER NOT NULL
) STRICT;

CREATE TABLE participant (
  action TEXT NOT NULL REFERENCES action (id),
  authority TEXT NOT NULL REFERENCES authority (id),
  part TEXT NOT NULL,
  PRIMARY KEY (action, authority, part)
) STRICT;

CREATE TABLE action_target (
  action TEXT NOT NULL REFERENCES action (id),
  outlet TEXT NOT NULL REFERENCES outlet (id),
  PRIMARY KEY (action, outlet)
) STRICT;

-- rank is 9 - priority, so that (status, rank, id) reads urgent and old first.
CREATE TABLE item (
  id TEXT PRIMARY KEY,
  ref TEXT NOT NULL UNIQUE,
  place BLOB NOT NULL UNIQUE,
  sealed BLOB,
  kind TEXT NOT NULL,
  type TEXT NOT NULL,
  provider TEXT NOT NULL,
  outlet TEXT NOT NULL,
  authority TEXT NOT NULL,
  author TEXT NOT NULL,
  assessor TEXT NOT NULL,
  action TEXT NOT NULL,
  status TEXT NOT NULL,
  rank INTEGER NOT NULL,
  language TEXT NOT NULL,
  guard TEXT NOT NULL,
  guard_class TEXT NOT NULL,
  guard_rule TEXT NOT NULL,
  assessment TEXT NOT NULL,
  needed INTEGER NOT NULL,
  given INTEGER NOT NULL,
  claimed TEXT NOT NULL,
  observed TEXT NOT NULL,
  seen_down INTEGER NOT NULL,
  referral TEXT NOT NULL,
  exercise INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  version INTEGER NOT NULL
) STRICT;
CREATE INDEX item_by_status ON item (status, rank, id);
CREATE INDEX item_by_finder ON item (authority, status, rank, id) WHERE author = '';
CREATE INDEX item_by_author ON item (author, status, rank, id) WHERE author <> '';
CREATE INDEX item_to_refer ON item (provider, rank, id) WHERE status = 'approved';

-- The key that opens what is sealed for a subject (an item, a referral, a
-- hold), wrapped under the master key. Deleting the row erases.
CREATE TABLE subject_key (
  subject TEXT PRIMARY KEY,
  wrapped BLOB NOT NULL
) STRICT;

CREATE TABLE sighting (
  item TEXT NOT NULL REFERENCES item (id),
  authority TEXT NOT NULL REFERENCES authority (id),
  person TEXT NOT NULL,
  at INTEGER NOT NULL,
  source TEXT NOT NULL,
  evaluation TEXT NOT NULL,
  PRIMARY KEY (item, authority)
) STRICT;

CREATE TABLE assessment (
  id TEXT PRIMARY KEY,
  item TEXT NOT NULL REFERENCES item (id),
  author TEXT NOT NULL,
  authority TEXT NOT NULL,
  type TEXT NOT NULL,
  purpose TEXT NOT NULL,
  outlet TEXT NOT NULL,
  unbranded INTEGER NOT NULL,
  language TEXT NOT NULL,
  severity TEXT NOT NULL,
  evaluation TEXT NOT NULL,
  sealed BLOB,
  at INTEGER NOT NULL
) STRICT;
CREATE INDEX assessment_item ON assessment (item);

-- Four eyes in the data layer: no reviewer is the author, none decides twice.
CREATE TABLE approval (
  assessment TEXT NOT NULL REFERENCES assessment (id),
  reviewer TEXT NOT NULL,
  item TEXT NOT NULL REFERENCES item (id),
  author TEXT NOT NULL,
  authority TEXT NOT NULL,
  decision TEXT NOT NULL,
  sealed BLOB,
  at INTEGER NOT NULL,
  PRIMARY KEY (assessment, reviewer),
  CHECK (reviewer <> author)
) STRICT;

CREATE TABLE hold (
  id TEXT PRIMARY KEY,
  ref TEXT NOT NULL UNIQUE,
  authority TEXT NOT NULL REFERENCES authority (id),
  place BLOB NOT NULL,
  sealed BLOB,
  contact TEXT NOT NULL,
  placed_by TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  released_at INTEGER NOT NULL,
  released_by TEXT NOT NULL,
  exercise INTEGER NOT NULL,
  version INTEGER NOT NULL
) STRICT;
CREATE INDEX hold_place ON hold (place) WHERE released_at = 0;
CREATE INDEX hold_authority ON hold (authority, id);

CREATE TABLE referral (
  id TEXT PRIMARY KEY,
  ref TEXT NOT NULL UNIQUE,
  provider TEXT NOT NULL REFERENCES provider (id),
  author TEXT NOT NULL REFERENCES authority (id),
  action TEXT NOT NULL,
  status TEXT NOT NULL,
  items INTEGER NOT NULL,
  answered INTEGER NOT NULL,
  envelope BLOB,
  exercise INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  acked_at INTEGER NOT NULL,
  reminded_at INTEGER NOT NULL,
  reminders INTEGER NOT NULL,
  version INTEGER NOT NULL
) STRICT;
CREATE INDEX referral_provider ON referral (provider, id);
CREATE INDEX referral_author ON referral (author, id);
CREATE INDEX referral_action ON referral (action, provider);

CREATE TABLE referral_item (
  referral TEXT NOT NULL REFERENCES referral (id),
  pos INTEGER NOT NULL,
  item TEXT NOT NULL UNIQUE REFERENCES item (id),
  checked_at INTEGER NOT NULL,
  checks INTEGER NOT NULL,
  PRIMARY KEY (referral, pos)
) STRICT;

CREATE TABLE answer (
  item TEXT NOT NULL REFERENCES item (id),
  at INTEGER NOT NULL,
  referral TEXT NOT NULL REFERENCES referral (id),
  code TEXT NOT NULL,
  countries TEXT NOT NULL,
  person TEXT NOT NULL,
  sealed BLOB,
  PRIMARY KEY (item, at, code)
) STRICT;

CREATE TABLE recheck (
  item TEXT NOT NULL REFERENCES item (id),
  at INTEGER NOT NULL,
  referral TEXT NOT NULL,
  state TEXT NOT NULL,
  reason TEXT NOT NULL,
  http INTEGER NOT NULL,
  vantage TEXT NOT NULL,
  digest TEXT NOT NULL,
  person TEXT NOT NULL,
  PRIMARY KEY (item, at)
) STRICT;

CREATE TABLE remedy (
  ref TEXT PRIMARY KEY,
  item TEXT NOT NULL REFERENCES item (id),
  referral TEXT NOT NULL,
  kind TEXT NOT NULL,
  sealed BLOB,
  person TEXT NOT NULL,
  at INTEGER NOT NULL
) STRICT;
CREATE INDEX remedy_item ON remedy (item, at);

-- position is the log index of the event that made the notice: the inbox's
-- cursor, -1 until sequenced.
CREATE TABLE delivery (
  id TEXT PRIMARY KEY,
  provider TEXT NOT NULL REFERENCES provider (id),
  referral TEXT NOT NULL,
  referral_ref TEXT NOT NULL,
  action TEXT NOT NULL,
  kind TEXT NOT NULL,
  remedy TEXT NOT NULL,
  items INTEGER NOT NULL,
  author TEXT NOT NULL,
  urgent INTEGER NOT NULL,
  rung TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  next_at INTEGER NOT NULL,
  evidence TEXT NOT NULL,
  position INTEGER NOT NULL,
  exercise INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  sent_at INTEGER NOT NULL,
  version INTEGER NOT NULL
) STRICT;
CREATE INDEX delivery_due ON delivery (provider, next_at) WHERE next_at > 0;
CREATE INDEX delivery_inbox ON delivery (provider, position);
CREATE INDEX delivery_referral ON delivery (referral, kind);

CREATE TABLE clock (
  kind TEXT NOT NULL,
  subject TEXT NOT NULL,
  due_at INTEGER NOT NULL,
  version INTEGER NOT NULL,
  PRIMARY KEY (kind, subject)
) STRICT;
CREATE INDEX clock_due ON clock (due_at);

CREATE TABLE tally (
  action TEXT NOT NULL,
  side TEXT NOT NULL,
  metric TEXT NOT NULL,
  shard INTEGER NOT NULL,
  n INTEGER NOT NULL,
  PRIMARY KEY (action, side, metric, shard)
) STRICT;

-- The ids of one act's events are neighbours, so that (first, n) finds them.
CREATE TABLE event (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  version INTEGER NOT NULL,
  subject TEXT NOT NULL,
  actor TEXT NOT NULL,
  at INTEGER NOT NULL,
  body TEXT NOT NULL,
  sealed BLOB,
  salt BLOB,
  leaf BLOB NOT NULL
) STRICT;
CREATE INDEX event_subject ON event (subject, id);

CREATE TABLE log_batch (
  first TEXT PRIMARY KEY,
  last TEXT NOT NULL,
  n INTEGER NOT NULL,
  at INTEGER NOT NULL,
  notices TEXT NOT NULL,
  position INTEGER NOT NULL
) STRICT;
CREATE INDEX log_pending ON log_batch (first) WHERE position < 0;
CREATE UNIQUE INDEX log_position ON log_batch (position) WHERE position >= 0;

CREATE TABLE log_tile (
  level INTEGER NOT NULL,
  idx INTEGER NOT NULL,
  data BLOB NOT NULL,
  PRIMARY KEY (level, idx)
) STRICT;

CREATE TABLE log_head (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  size INTEGER NOT NULL,
  root BLOB NOT NULL,
  checkpoint TEXT NOT NULL,
  at INTEGER NOT NULL
) STRICT;

CREATE TABLE idempotency (
  person TEXT NOT NULL,
  name TEXT NOT NULL,
  fingerprint BLOB NOT NULL,
  status INTEGER NOT NULL,
  header TEXT NOT NULL,
  body BLOB NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (person, name)
) STRICT;
CREATE INDEX idempotency_at ON idempotency (at);

-- Append-only: the one change allowed is that sealed text and salt become NULL.
-- +goose StatementBegin
CREATE TRIGGER event_append_only BEFORE UPDATE ON event
WHEN NOT (NEW.sealed IS NULL AND NEW.salt IS NULL AND NEW.id = OLD.id AND NEW.kind = OLD.kind AND NEW.version = OLD.version
  AND NEW.subject = OLD.subject AND NEW.actor = OLD.actor AND NEW.at = OLD.at AND NEW.body = OLD.body AND NEW.leaf = OLD.leaf)
BEGIN
  SELECT RAISE(ABORT, 'event is append-only');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER event_no_delete BEFORE DELETE ON event
BEGIN
  SELECT RAISE(ABORT, 'event is append-only');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER remedy_no_delete BEFORE DELETE ON remedy
BEGIN
  SELECT RAISE(ABORT, 'remedy is append-only');
END;
-- +goose StatementEnd

-- +goose Down
