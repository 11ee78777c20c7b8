package store

import (
	"context"
	"fmt"
	"time"

	"concert"
)

const incidentCols = "n.id, n.ref, n.kind, n.name, n.country, n.happened_at, n.authority, n.declared_by, n.declared_at, n.ended_by, n.ended_at, n.exercise, n.version"

func scanIncident(r rowScanner) (concert.Incident, error) { return scanIncidentAnd(r) }

func scanIncidentAnd(r rowScanner, more ...any) (concert.Incident, error) {
	var n concert.Incident
	var at, declared, ended int64
	err := r.Scan(append([]any{&n.ID, &n.Ref, &n.Kind, &n.Name, &n.Country, &at, &n.Authority, &n.DeclaredBy, &declared, &n.EndedBy, &ended, &n.Exercise, &n.Version}, more...)...)
	n.At, n.DeclaredAt, n.EndedAt = concert.FromMicros(at), concert.FromMicros(declared), concert.FromMicros(ended)
	return n, err
}

// AddIncident writes a new incident.
func (tx *Tx) AddIncident(ctx context.Context, n concert.Incident) error {
	tx.touch("incident")
	_, err := tx.insert(ctx, "incident", "id, ref, kind, name, country, happened_at, authority, declared_by, declared_at, ended_by, ended_at, exercise, version",
		[][]any{{string(n.ID), n.Ref, string(n.Kind), n.Name, n.Country, concert.Micros(n.At), string(n.Authority), string(n.DeclaredBy), concert.Micros(n.DeclaredAt), "", 0, flag(n.Exercise), 1}}, "")
	return err
}

// SaveIncident writes an end back.
func (tx *Tx) SaveIncident(ctx context.Context, n concert.Incident) error {
	tx.touch("incident")
	return tx.update(ctx, "incident", []typed{{"ended_by", "TEXT"}, {"ended_at", "BIGINT"}}, [][]any{{string(n.ID), n.Version, string(n.EndedBy), concert.Micros(n.EndedAt)}})
}

// Incident is one, by reference or id.
func (tx *Tx) Incident(ctx context.Context, ref string) (concert.Incident, error) {
	return scanIncident(tx.row(ctx, "SELECT "+incidentCols+" FROM incident n WHERE n.ref = ? OR n.id = ?", ref, ref))
}

// Incidents are a page of them, newest first; open ones only where it is asked for.
func (tx *Tx) Incidents(ctx context.Context, open bool, before concert.IncidentID, limit int) ([]concert.Incident, error) {
	where, args := "WHERE 1 = 1", []any(nil)
	if open {
		where += " AND n.ended_at = 0"
	}
	if before != "" {
		where += " AND n.id < ?"
		args = append(args, string(before))
	}
	return list(ctx, tx, scanIncident, "SELECT "+incidentCols+" FROM incident n "+where+" ORDER BY n.id DESC LIMIT ?", append(args, min(max(limit, 1), 500))...)
}

// IncidentsOf are the incidents that each of the items belongs to, the oldest
// first.
func (tx *Tx) IncidentsOf(ctx context.Context, items []concert.ItemID) (map[concert.ItemID][]concert.Incident, error) {
	type row struct {
		item concert.ItemID
		n    concert.Incident
	}
	got, err := in(ctx, tx, func(r rowScanner) (x row, err error) {
		x.n, err = scanIncidentAnd(r, &x.item)
		return x, err
	}, "SELECT "+incidentCols+", a.item FROM incident_item a JOIN incident n ON n.id = a.incident WHERE a.item IN (%s) ORDER BY n.id", anys(strs(items)))
	if err != nil {
		return nil, fmt.Errorf("incidents of items: %w", err)
	}
	out := map[concert.ItemID][]concert.Incident{}
	for _, x := range got {
		out[x.item] = append(out[x.item], x.n)
	}
	return out, nil
}

// Attached is an item's part in an incident.
type Attached struct {
	Incident concert.Incident
	Item     concert.Item // whose priority is the one without this incident
	By       concert.Actor
	Raised   bool
}

// AddIncidentItems writes which items belong to incidents; those that do already
// stay as they are. It returns how many were new.
func (tx *Tx) AddIncidentItems(ctx context.Context, as []Attached, at time.Time) (int64, error) {
	if len(as) == 0 {
		return 0, nil
	}
	tx.touch("incident_item")
	rows := make([][]any, len(as))
	for i, a := range as {
		rows[i] = []any{string(a.Incident.ID), string(a.Item.ID), string(a.By.Authority), string(a.By.Person), concert.Micros(at), a.Item.Priority, flag(a.Raised)}
	}
	return tx.insert(ctx, "incident_item", "incident, item, authority, added_by, added_at, stated, raised", rows, "ON CONFLICT (incident, item) DO NOTHING")
}

// InIncident says which of the items belong to the incident.
func (tx *Tx) InIncident(ctx context.Context, id concert.IncidentID, items []concert.ItemID) (map[concert.ItemID]bool, error) {
	got, err := in(ctx, tx, func(r rowScanner) (s [2]string, err error) { return s, r.Scan(&s[0], &s[1]) }, "SELECT incident, item FROM incident_item WHERE item IN (%s)", anys(strs(items)))
	if err != nil {
		return nil, fmt.Errorf("items of an incident: %w", err)
	}
	out := map[concert.ItemID]bool{}
	for _, s := range got {
		if s[0] == string(id) {
			out[concert.ItemID(s[1])] = true
		}
	}
	return out, nil
}

// Unsettled is an item whose part in an incident is not yet, or no longer, what
// its priority says.
type Unsettled struct {
	concert.Item
	Stated int // its priority without any incident
}

// Unsettled are items of the incident whose priority it raises (raised) or does
// not, without what is sealed: to be changed a page at a time.
func (tx *Tx) Unsettled(ctx context.Context, id concert.IncidentID, raised bool, limit int) ([]Unsettled, error) {
	return list(ctx, tx, func(r rowScanner) (u Unsettled, err error) {
		u.Item, err = scanItemAnd(r, &u.Stated)
		return u, err
	}, "SELECT "+bareCols+", (SELECT min(o.stated) FROM incident_item o WHERE o.item = i.id) FROM incident_item a JOIN item i ON i.id = a.item WHERE a.incident = ? AND a.raised = ? ORDER BY a.item LIMIT ?", string(id), flag(raised), limit)
}

// SettleIncidentItems notes of the items whether the incident raises them.
func (tx *Tx) SettleIncidentItems(ctx context.Context, id concert.IncidentID, items []concert.ItemID, raised bool) error {
	tx.touch("incident_item")
	for len(items) > 0 {
		k := chunk(len(items), 1)
		args := append([]any{flag(raised), string(id)}, anys(strs(items[:k]))...)
		if _, err := tx.exec(ctx, "UPDATE incident_item SET raised = ? WHERE incident = ? AND item IN (?"+repeat(",?", k-1)+")", args...); err != nil {
			return fmt.Errorf("settle incident: %w", err)
		}
		items = items[k:]
	}
	return nil
}

// IncidentCounts are how many items of an incident stand where, over all
// authorities and for one ("" for none).
func (tx *Tx) IncidentCounts(ctx context.Context, id concert.IncidentID, own concert.AuthorityID) (all, mine map[concert.ItemStatus]int, err error) {
	all, mine = map[concert.ItemStatus]int{}, map[concert.ItemStatus]int{}
	_, err = list(ctx, tx, func(r rowScanner) (struct{}, error) {
		var s concert.ItemStatus
		var n, of int
		err := r.Scan(&s, &n, &of)
		all[s] += n
		if of > 0 {
			mine[s] += of
		}
		return struct{}{}, err
	}, "SELECT i.status, count(*), coalesce(sum(CASE WHEN EXISTS (SELECT 1 FROM sighting s WHERE s.item = i.id AND s.authority = ?) THEN 1 ELSE 0 END), 0) FROM incident_item a JOIN item i ON i.id = a.item WHERE a.incident = ? GROUP BY i.status", string(own), string(id))
	return all, mine, err
}

// IncidentItems are items of an incident that the authority found, without what
// is sealed, in the order in which they came to be; all for "".
func (tx *Tx) IncidentItems(ctx context.Context, id concert.IncidentID, own concert.AuthorityID, after concert.ItemID, limit int) ([]concert.Item, error) {
	where, args := "", []any{string(id), string(after)}
	if own != "" {
		where = " AND EXISTS (SELECT 1 FROM sighting s WHERE s.item = a.item AND s.authority = ?)"
		args = append(args, string(own))
	}
	return list(ctx, tx, scanBare, "SELECT "+bareCols+" FROM incident_item a JOIN item i ON i.id = a.item WHERE a.incident = ? AND a.item > ?"+where+" ORDER BY a.item LIMIT ?", append(args, min(max(limit, 1), 500))...)
}
