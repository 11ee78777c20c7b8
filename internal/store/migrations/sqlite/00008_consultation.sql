-- Every reading of sealed data is an event (G19). Auditors list those alone,
-- newest first, and the other events carry no weight for it.

-- +goose Up
CREATE INDEX event_consulted ON event (id) WHERE kind = 'consulted';

-- +goose Down
