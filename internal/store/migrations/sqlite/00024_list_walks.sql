-- Walks of the lists of watched places (whoever's, in force or over, by when they
-- are due or were placed, and by who went through them) and of second looks (by
-- when they were drawn: an authority's, those with one word, those that wait).

-- +goose Up
CREATE INDEX watch_over ON watch (authority, next_at, id) WHERE ended_at > 0;
CREATE INDEX watch_any_due ON watch (next_at, id) WHERE ended_at = 0;
CREATE INDEX watch_any_over ON watch (next_at, id) WHERE ended_at > 0;
CREATE INDEX watch_placed ON watch (authority, id);
CREATE INDEX sweep_person ON sweep (person, watch);
CREATE INDEX second_look_drawn ON second_look (author, drawn_at, assessment);
CREATE INDEX second_look_word ON second_look (author, verdict, drawn_at, assessment);
CREATE INDEX second_look_any ON second_look (drawn_at, assessment) WHERE looked_at = 0;

-- +goose Down
