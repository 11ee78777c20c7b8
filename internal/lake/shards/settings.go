package shards

import (
	"context"
	"fmt"
	"strconv"
	"strings"
)

// questionSettings are what every question is asked with, so that no profile of a
// server makes an answer smaller, approximate or partial in silence. Those that a
// version does not know it cannot be bent by.
var questionSettings = []struct{ name, value string }{
	{"skip_unavailable_shards", "0"},
	{"count_distinct_implementation", "uniqExact"},
	{"read_overflow_mode", "throw"},
	{"read_overflow_mode_leaf", "throw"},
	{"group_by_overflow_mode", "throw"},
	{"sort_overflow_mode", "throw"},
	{"result_overflow_mode", "throw"},
	{"timeout_overflow_mode", "throw"},
	{"timeout_overflow_mode_leaf", "throw"},
	{"set_overflow_mode", "throw"},
	{"join_overflow_mode", "throw"},
	{"transfer_overflow_mode", "throw"},
	{"distinct_overflow_mode", "throw"},
	{"distributed_group_by_no_merge", "0"},
	{"max_parallel_replicas", "1"},
	{"optimize_skip_unused_shards", "0"},
	{"limit", "0"},
	{"offset", "0"},
	{"additional_result_filter", ""},
}

// settle builds the clause of the settings and has the server say that they hold.
func (s *shard) settle(ctx context.Context) error {
	known, err := s.settings(ctx, "")
	if err != nil {
		return err
	}
	var set []string
	for _, q := range questionSettings {
		if _, ok := known[q.name]; ok {
			set = append(set, q.name+" = "+literal(q.value))
		}
	}
	s.setting = " SETTINGS " + strings.Join(set, ", ")
	return s.settled(ctx)
}

// literal writes a setting's value: 18.16 takes no text for a number.
func literal(value string) string {
	if _, err := strconv.Atoi(value); err == nil {
		return value
	}
	return "'" + value + "'"
}

// settled asks under the clause itself, as the questions are.
func (s *shard) settled(ctx context.Context) error {
	now, err := s.settings(ctx, s.setting)
	if err != nil {
		return fmt.Errorf("its profile does not let a question be asked with settings under which a partial answer is an error (a user that is read-only needs readonly = 2): %w", err)
	}
	if _, ok := now["skip_unavailable_shards"]; !ok {
		return fmt.Errorf("it does not say what skip_unavailable_shards is, so that a partial answer could pass for a whole one")
	}
	for _, q := range questionSettings {
		if value, ok := now[q.name]; ok && value != q.value {
			return fmt.Errorf("its profile keeps %s at %.40q, under which an answer can be partial or approximate; questions need %q", q.name, value, q.value)
		}
	}
	return nil
}

func (s *shard) settings(ctx context.Context, clause string) (map[string]string, error) {
	var names []string
	for _, q := range questionSettings {
		names = append(names, "'"+q.name+"'")
	}
	out := map[string]string{}
	err := s.ask(ctx, "SELECT name, value FROM system.settings WHERE name IN ("+strings.Join(names, ", ")+")"+clause, func(scan func(...any) error) error {
		var name, value string
		err := scan(&name, &value)
		out[name] = value
		return err
	})
	return out, err
}
