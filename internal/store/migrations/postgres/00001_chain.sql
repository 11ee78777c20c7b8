-- The chain: parties, items, assessments, referrals, answers, and their log.
-- Times are microseconds UTC; ids are UUIDv7 text; the SQLite twin differs
-- only in type names, collation and the triggers' language.

-- +goose Up
CREATE TABLE meta (
  name TEXT COLLATE "C" PRIMARY KEY,
  value TEXT COLLATE "C" NOT NULL
);

CREATE TABLE authority (
  id TEXT COLLATE "C" PRIMARY KEY,
  ref TEXT COLLATE "C" NOT NULL UNIQUE,
  name TEXT COLLATE "C" NOT NULL,
  country TEXT COLLATE "C" NOT NULL,
  kind TEXT COLLATE "C" NOT NULL,
  unit TEXT COLLATE "C" NOT NULL UNIQUE,
  contact TEXT COLLATE "C" NOT NULL,
  public_key BYTEA NOT NULL,
  sealed_key BYTEA NOT NULL,
  exercise BIGINT NOT NULL,
  created_at BIGINT NOT NULL
);

CREATE TABLE provider (
  id TEXT COLLATE "C" PRIMARY KEY,
  ref TEXT COLLATE "C" NOT NULL UNIQUE,
  name TEXT COLLATE "C" NOT NULL,
  kind TEXT COLLATE "C" NOT NULL,
  country TEXT COLLATE "C" NOT NULL,
  languages TEXT COLLATE "C" NOT NULL,
  zone TEXT COLLATE "C" NOT NULL,
  quiet_from BIGINT NOT NULL,
  quiet_to BIGINT NOT NULL,
  per_hour BIGINT NOT NULL,
  channel TEXT COLLATE "C" NOT NULL,
  webhook_url TEXT COLLATE "C" NOT NULL,
  webhook_key TEXT COLLATE "C" NOT NULL,
  sealed_keys BYTEA,
  contact TEXT COLLATE "C" NOT NULL,
  disabled_at BIGINT NOT NULL,
  hour_start BIGINT NOT NULL,
  hour_count BIGINT NOT NULL,
  exercise BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  version BIGINT NOT NULL
);

CREATE TABLE provider_platform (
  platform TEXT COLLATE "C" PRIMARY KEY,
  provider TEXT COLLATE "C" NOT NULL REFERENCES provider (id)
);

CREATE TABLE person (
  id TEXT COLLATE "C" PRIMARY KEY,
  operator TEXT COLLATE "C" NOT NULL UNIQUE,
  name TEXT COLLATE "C" NOT NULL,
  login TEXT COLLATE "C" NOT NULL UNIQUE,
  authority TEXT COLLATE "C",
  provider TEXT COLLATE "C",
  roles TEXT COLLATE "C" NOT NULL,
  password TEXT COLLATE "C" NOT NULL,
  failed BIGINT NOT NULL,
  failed_at BIGINT NOT NULL,
  disabled_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  version BIGINT NOT NULL
);

CREATE TABLE credential (
  digest BYTEA PRIMARY KEY,
  kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('session', 'link', 'key')),
  person TEXT COLLATE "C" NOT NULL REFERENCES person (id),
  name TEXT COLLATE "C" NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  used_at BIGINT NOT NULL
);
CREATE INDEX credential_person ON credential (person);

CREATE TABLE outlet (
  id TEXT COLLATE "C" PRIMARY KEY,
  ref TEXT COLLATE "C" NOT NULL UNIQUE,
  name TEXT COLLATE "C" NOT NULL,
  aliases TEXT COLLATE "C" NOT NULL,
  marks TEXT COLLATE "C" NOT NULL,
  sites TEXT COLLATE "C" NOT NULL,
  parent TEXT COLLATE "C",
  exercise BIGINT NOT NULL,
  created_at BIGINT NOT NULL
);

CREATE TABLE scope_entry (
  id TEXT COLLATE "C" PRIMARY KEY,
  ref TEXT COLLATE "C" NOT NULL UNIQUE,
  outlet TEXT COLLATE "C" NOT NULL REFERENCES outlet (id),
  legal_act TEXT COLLATE "C" NOT NULL,
  authority TEXT COLLATE "C" NOT NULL,
  citation TEXT COLLATE "C" NOT NULL,
  listed_on BIGINT NOT NULL,
  delisted_on BIGINT NOT NULL,
  proposed_by TEXT COLLATE "C" NOT NULL,
  confirmed_by TEXT COLLATE "C" NOT NULL,
  confirmed_at BIGINT NOT NULL,
  delisted_by TEXT COLLATE "C" NOT NULL,
  exercise BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  version BIGINT NOT NULL,
  CHECK (confirmed_by <> proposed_by)
);

CREATE TABLE action (
  id TEXT COLLATE "C" PRIMARY KEY,
  ref TEXT COLLATE "C" NOT NULL UNIQUE,
  name TEXT COLLATE "C" NOT NULL,
  phase TEXT COLLATE "C" NOT NULL,
  lead_authority TEXT COLLATE "C" NOT NULL REFERENCES authority (id),
  mandate TEXT COLLATE "C" NOT NULL,
  starts_at BIGINT NOT NULL,
  ends_at BIGINT NOT NULL,
  target BIGINT NOT NULL,
  exercise BIGINT NOT NULL,
  created_by TEXT COLLATE "C" NOT NULL,
  created_at BIGINT NOT NULL,
  version BIGINT NOT NULL
);

CREATE TABLE participant (
  action TEXT COLLATE "C" NOT NULL REFERENCES action (id),
  authority TEXT COLLATE "C" NOT NULL REFERENCES authority (id),
  part TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (action, authority, part)
);

CREATE TABLE action_target (
  action TEXT COLLATE "C" NOT NULL REFERENCES action (id),
  outlet TEXT COLLATE "C" NOT NULL REFERENCES outlet (id),
  PRIMARY KEY (action, outlet)
);

-- rank is 9 - priority, so that (status, rank, id) reads urgent and old first.
CREATE TABLE item (
  id TEXT COLLATE "C" PRIMARY KEY,
  ref TEXT COLLATE "C" NOT NULL UNIQUE,
  place BYTEA NOT NULL UNIQUE,
  sealed BYTEA,
  kind TEXT COLLATE "C" NOT NULL,
  type TEXT COLLATE "C" NOT NULL,
  provider TEXT COLLATE "C" NOT NULL,
  outlet TEXT COLLATE "C" NOT NULL,
  authority TEXT COLLATE "C" NOT NULL,
  author TEXT COLLATE "C" NOT NULL,
  assessor TEXT COLLATE "C" NOT NULL,
  action TEXT COLLATE "C" NOT NULL,
  status TEXT COLLATE "C" NOT NULL,
  rank BIGINT NOT NULL,
  language TEXT COLLATE "C" NOT NULL,
  guard TEXT COLLATE "C" NOT NULL,
  guard_class TEXT COLLATE "C" NOT NULL,
  guard_rule TEXT COLLATE "C" NOT NULL,
  assessment TEXT COLLATE "C" NOT NULL,
  needed BIGINT NOT NULL,
  given BIGINT NOT NULL,
  claimed TEXT COLLATE "C" NOT NULL,
  observed TEXT COLLATE "C" NOT NULL,
  seen_down BIGINT NOT NULL,
  referral TEXT COLLATE "C" NOT NULL,
  exercise BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  version BIGINT NOT NULL
);
CREATE INDEX item_by_status ON item (status, rank, id);
CREATE INDEX item_by_finder ON item (authority, status, rank, id) WHERE author = '';
CREATE INDEX item_by_author ON item (author, status, rank, id) WHERE author <> '';
CREATE INDEX item_to_refer ON item (provider, rank, id) WHERE status = 'approved';

-- The key that opens what is sealed for a subject (an item, a referral, a
-- hold), wrapped under the master key. Deleting the row erases.
CREATE TABLE subject_key (
  subject TEXT COLLATE "C" PRIMARY KEY,
  wrapped BYTEA NOT NULL
);

CREATE TABLE sighting (
  item TEXT COLLATE "C" NOT NULL REFERENCES item (id),
  authority TEXT COLLATE "C" NOT NULL REFERENCES authority (id),
  person TEXT COLLATE "C" NOT NULL,
  at BIGINT NOT NULL,
  source TEXT COLLATE "C" NOT NULL,
  evaluation TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (item, authority)
);

CREATE TABLE assessment (
  id TEXT COLLATE "C" PRIMARY KEY,
  item TEXT COLLATE "C" NOT NULL REFERENCES item (id),
  author TEXT COLLATE "C" NOT NULL,
  authority TEXT COLLATE "C" NOT NULL,
  type TEXT COLLATE "C" NOT NULL,
  purpose TEXT COLLATE "C" NOT NULL,
  outlet TEXT COLLATE "C" NOT NULL,
  unbranded BIGINT NOT NULL,
  language TEXT COLLATE "C" NOT NULL,
  severity TEXT COLLATE "C" NOT NULL,
  evaluation TEXT COLLATE "C" NOT NULL,
  sealed BYTEA,
  at BIGINT NOT NULL
);
CREATE INDEX assessment_item ON assessment (item);

-- Four eyes in the data layer: no reviewer is the author, none decides twice.
CREATE TABLE approval (
  assessment TEXT COLLATE "C" NOT NULL REFERENCES assessment (id),
  reviewer TEXT COLLATE "C" NOT NULL,
  item TEXT COLLATE "C" NOT NULL REFERENCES item (id),
  author TEXT COLLATE "C" NOT NULL,
  authority TEXT COLLATE "C" NOT NULL,
  decision TEXT COLLATE "C" NOT NULL,
  sealed BYTEA,
  at BIGINT NOT NULL,
  PRIMARY KEY (assessment, reviewer),
  CHECK (reviewer <> author)
);

CREATE TABLE hold (
  id TEXT COLLATE "C" PRIMARY KEY,
  ref TEXT COLLATE "C" NOT NULL UNIQUE,
  authority TEXT COLLATE "C" NOT NULL REFERENCES authority (id),
  place BYTEA NOT NULL,
  sealed BYTEA,
  contact TEXT COLLATE "C" NOT NULL,
  placed_by TEXT COLLATE "C" NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  released_at BIGINT NOT NULL,
  released_by TEXT COLLATE "C" NOT NULL,
  exercise BIGINT NOT NULL,
  version BIGINT NOT NULL
);
CREATE INDEX hold_place ON hold (place) WHERE released_at = 0;
CREATE INDEX hold_authority ON hold (authority, id);

CREATE TABLE referral (
  id TEXT COLLATE "C" PRIMARY KEY,
  ref TEXT COLLATE "C" NOT NULL UNIQUE,
  provider TEXT COLLATE "C" NOT NULL REFERENCES provider (id),
  author TEXT COLLATE "C" NOT NULL REFERENCES authority (id),
  action TEXT COLLATE "C" NOT NULL,
  status TEXT COLLATE "C" NOT NULL,
  items BIGINT NOT NULL,
  answered BIGINT NOT NULL,
  envelope BYTEA,
  exercise BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  acked_at BIGINT NOT NULL,
  reminded_at BIGINT NOT NULL,
  reminders BIGINT NOT NULL,
  version BIGINT NOT NULL
);
CREATE INDEX referral_provider ON referral (provider, id);
CREATE INDEX referral_author ON referral (author, id);
CREATE INDEX referral_action ON referral (action, provider);

CREATE TABLE referral_item (
  referral TEXT COLLATE "C" NOT NULL REFERENCES referral (id),
  pos BIGINT NOT NULL,
  item TEXT COLLATE "C" NOT NULL UNIQUE REFERENCES item (id),
  checked_at BIGINT NOT NULL,
  checks BIGINT NOT NULL,
  PRIMARY KEY (referral, pos)
);

CREATE TABLE answer (
  item TEXT COLLATE "C" NOT NULL REFERENCES item (id),
  at BIGINT NOT NULL,
  referral TEXT COLLATE "C" NOT NULL REFERENCES referral (id),
  code TEXT COLLATE "C" NOT NULL,
  countries TEXT COLLATE "C" NOT NULL,
  person TEXT COLLATE "C" NOT NULL,
  sealed BYTEA,
  PRIMARY KEY (item, at, code)
);

CREATE TABLE recheck (
  item TEXT COLLATE "C" NOT NULL REFERENCES item (id),
  at BIGINT NOT NULL,
  referral TEXT COLLATE "C" NOT NULL,
  state TEXT COLLATE "C" NOT NULL,
  reason TEXT COLLATE "C" NOT NULL,
  http BIGINT NOT NULL,
  vantage TEXT COLLATE "C" NOT NULL,
  digest TEXT COLLATE "C" NOT NULL,
  person TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (item, at)
);

CREATE TABLE remedy (
  ref TEXT COLLATE "C" PRIMARY KEY,
  item TEXT COLLATE "C" NOT NULL REFERENCES item (id),
  referral TEXT COLLATE "C" NOT NULL,
  kind TEXT COLLATE "C" NOT NULL,
  sealed BYTEA,
  person TEXT COLLATE "C" NOT NULL,
  at BIGINT NOT NULL
);
CREATE INDEX remedy_item ON remedy (item, at);

-- position is the log index of the event that made the notice: the inbox's
-- cursor, -1 until sequenced.
CREATE TABLE delivery (
  id TEXT COLLATE "C" PRIMARY KEY,
  provider TEXT COLLATE "C" NOT NULL REFERENCES provider (id),
  referral TEXT COLLATE "C" NOT NULL,
  referral_ref TEXT COLLATE "C" NOT NULL,
  action TEXT COLLATE "C" NOT NULL,
  kind TEXT COLLATE "C" NOT NULL,
  remedy TEXT COLLATE "C" NOT NULL,
  items BIGINT NOT NULL,
  author TEXT COLLATE "C" NOT NULL,
  urgent BIGINT NOT NULL,
  rung TEXT COLLATE "C" NOT NULL,
  attempts BIGINT NOT NULL,
  next_at BIGINT NOT NULL,
  evidence TEXT COLLATE "C" NOT NULL,
  position BIGINT NOT NULL,
  exercise BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  sent_at BIGINT NOT NULL,
  version BIGINT NOT NULL
);
CREATE INDEX delivery_due ON delivery (provider, next_at) WHERE next_at > 0;
CREATE INDEX delivery_inbox ON delivery (provider, position);
CREATE INDEX delivery_referral ON delivery (referral, kind);

CREATE TABLE clock (
  kind TEXT COLLATE "C" NOT NULL,
  subject TEXT COLLATE "C" NOT NULL,
  due_at BIGINT NOT NULL,
  version BIGINT NOT NULL,
  PRIMARY KEY (kind, subject)
);
CREATE INDEX clock_due ON clock (due_at);

CREATE TABLE tally (
  action TEXT COLLATE "C" NOT NULL,
  side TEXT COLLATE "C" NOT NULL,
  metric TEXT COLLATE "C" NOT NULL,
  shard BIGINT NOT NULL,
  n BIGINT NOT NULL,
  PRIMARY KEY (action, side, metric, shard)
);

-- The ids of one act's events are neighbours, so that (first, n) finds them.
CREATE TABLE event (
  id TEXT COLLATE "C" PRIMARY KEY,
  kind TEXT COLLATE "C" NOT NULL,
  version BIGINT NOT NULL,
  subject TEXT COLLATE "C" NOT NULL,
  actor TEXT COLLATE "C" NOT NULL,
  at BIGINT NOT NULL,
  body TEXT COLLATE "C" NOT NULL,
  sealed BYTEA,
  salt BYTEA,
  leaf BYTEA NOT NULL
);
CREATE INDEX event_subject ON event (subject, id);

CREATE TABLE log_batch (
  first TEXT COLLATE "C" PRIMARY KEY,
  last TEXT COLLATE "C" NOT NULL,
  n BIGINT NOT NULL,
  at BIGINT NOT NULL,
  notices TEXT COLLATE "C" NOT NULL,
  position BIGINT NOT NULL
);
CREATE INDEX log_pending ON log_batch (first) WHERE position < 0;
CREATE UNIQUE INDEX log_position ON log_batch (position) WHERE position >= 0;

CREATE TABLE log_tile (
  level BIGINT NOT NULL,
  idx BIGINT NOT NULL,
  data BYTEA NOT NULL,
  PRIMARY KEY (level, idx)
);

CREATE TABLE log_head (
  id BIGINT PRIMARY KEY CHECK (id = 1),
  size BIGINT NOT NULL,
  root BYTEA NOT NULL,
  checkpoint TEXT COLLATE "C" NOT NULL,
  at BIGINT NOT NULL
);

CREATE TABLE idempotency (
  person TEXT COLLATE "C" NOT NULL,
  name TEXT COLLATE "C" NOT NULL,
  fingerprint BYTEA NOT NULL,
  status BIGINT NOT NULL,
  header TEXT COLLATE "C" NOT NULL,
  body BYTEA NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (person, name)
);
CREATE INDEX idempotency_at ON idempotency (at);

-- Append-only: the one change allowed is that sealed text and salt become NULL.
-- +goose StatementBegin
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER event_append_only BEFORE UPDATE ON event FOR EACH ROW
WHEN (NOT (NEW.sealed IS NULL AND NEW.salt IS NULL AND NEW.id = OLD.id AND NEW.kind = OLD.kind AND NEW.version = OLD.version
  AND NEW.subject = OLD.subject AND NEW.actor = OLD.actor AND NEW.at = OLD.at AND NEW.body = OLD.body AND NEW.leaf = OLD.leaf))
EXECUTE FUNCTION refuse_change();
CREATE TRIGGER event_no_delete BEFORE DELETE ON event FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER remedy_no_delete BEFORE DELETE ON remedy FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- +goose Down
