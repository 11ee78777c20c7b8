package formats_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"concert/internal/formats"
)

var backupKey = []byte("EXERCISE key of thirty-two bytes")

var exerciseTable = formats.BackupTable{Name: "exercise", Columns: []formats.BackupColumn{{Name: "id", Type: formats.BackupText}, {Name: "n", Type: formats.BackupInteger}, {Name: "b", Type: formats.BackupBytes}}}

func exerciseBackup(t testing.TB, rows ...[]any) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := formats.NewBackupWriter(&out, formats.BackupHeader{Format: formats.BackupFormat, Origin: "exercise.example/log", Exercise: true, Schema: 9})
	must(t, err)
	must(t, w.Table(exerciseTable))
	for _, r := range rows {
		must(t, w.Row(r))
	}
	must(t, w.Table(formats.BackupTable{Name: "nothing", Columns: exerciseTable.Columns}))
	counts, err := w.Close(backupKey)
	must(t, err)
	if counts["exercise"] != int64(len(rows)) || counts["nothing"] != 0 {
		t.Fatalf("counts %v", counts)
	}
	return out.Bytes()
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func readBackup(file []byte, key []byte) (rows [][]any, err error) {
	b, err := formats.NewBackupReader(bytes.NewReader(file), formats.BackupFormat)
	if err != nil {
		return nil, err
	}
	_, err = b.Each(key, func(formats.BackupTable) error { return nil }, func(cells []any) error { rows = append(rows, cells); return nil })
	return rows, err
}

// zipped is text as a backup's file holds it.
func zipped(t testing.TB, text string) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	_, err := io.WriteString(z, text)
	must(t, err)
	must(t, z.Close())
	return out.Bytes()
}

func unzipped(t testing.TB, file []byte) string {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(file))
	must(t, err)
	text, err := io.ReadAll(z)
	must(t, err)
	return string(text)
}

func TestBackupRowsComeBackAsTheyWere(t *testing.T) {
	t.Parallel()
	want := [][]any{{"", int64(0), []byte{}}, {nil, nil, nil}, {"a\"b\\c\n,]\u2028\x00", int64(-1 << 63), []byte{0, 255}}, {strings.Repeat("long ", 100_000), int64(1<<63 - 1), bytes.Repeat([]byte{7}, 300_000)}}
	got, err := readBackup(exerciseBackup(t, want...), backupKey)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%.2000s", err, diff)
	}
}

func TestBackupWriterRefusesWhatNoDatabaseTakes(t *testing.T) {
	t.Parallel()
	w, err := formats.NewBackupWriter(io.Discard, formats.BackupHeader{Format: formats.BackupFormat})
	must(t, err)
	must(t, w.Table(exerciseTable))
	for _, row := range [][]any{{"a"}, {"\xff", nil, nil}, {int64(1), nil, nil}, {"a", "1", nil}, {"a", nil, "text"}, {"a", 1.5, nil}} {
		if w.Row(row) == nil {
			t.Errorf("row %v was written", row)
		}
	}
	if w.Table(exerciseTable) == nil {
		t.Error("one table was written twice")
	}
}

// Whatever single change is made to a backup, its reader refuses it, with words that say what is wrong.
func TestChangedBackupsAreRefused(t *testing.T) {
	t.Parallel()
	want := [][]any{{"one", int64(1), []byte{1}}, {"two", int64(2), nil}}
	file := exerciseBackup(t, want...)
	text := unzipped(t, file)
	for _, c := range []struct{ name, from, to, words string }{
		{"a cell", `"one"`, `"won"`, "was changed"},
		{"a number", "[\"two\",2", "[\"two\",3", "was changed"},
		{"a row less", "[\"two\",2,null]\n", "", "was changed"},
		{"a row in no table", `{"table":"exercise"`, "[1]\n" + `{"table":"exercise"`, "is a row of no table"},
		{"a cell less", `["two",2,null]`, `["two",2]`, "is no row"},
		{"a cell more", `["two",2,null]`, `["two",2,null,null]`, "is no row"},
		{"text for a number", `["two",2,null]`, `["two","2",null]`, "is no row"},
		{"no base64", `"AQ=="`, `"AQ="`, "is no row"},
		{"a space", `["two",2,null]`, `["two", 2,null]`, "is no row"},
		{"an unknown line", `{"table":"nothing"`, `{"tables":"nothing"`, "is neither row nor table"},
		{"a table twice", `{"table":"nothing"`, `{"table":"exercise"`, "is no table"},
		{"a table of another name", `{"table":"nothing"`, `{"table":"x; DROP TABLE y"`, "is no table"},
		{"a column of another name", `"name":"id"`, `"name":"id)"`, "is no table"},
		{"another format", "concert-backup/1", "something/1", "is this a file that concert backup wrote?"},
		{"a newer format", "concert-backup/1", "concert-backup/2", "use the newer program that wrote it"},
		{"the keys", "concert-backup/1", "concert-backup-keys/1", "look whether they are exchanged"},
		{"an unknown field", `{"format"`, `{"more":1,"format"`, "is no header"},
		{"the trailer", `{"rows"`, `{"row"`, "is neither row nor table nor trailer"},
		{"its count", `"exercise":2`, `"exercise":3`, "other numbers of rows"},
		{"no trailer", text[strings.Index(text, `{"rows"`):], "", "cut off"},
		{"half a line", text[strings.Index(text, `,"mac"`):], "", "cut off"},
		{"more after it", text[strings.Index(text, `"mac"`):], text[strings.Index(text, `"mac"`):] + "more\n", "is followed by something"},
	} {
		changed := strings.Replace(text, c.from, c.to, 1)
		if changed == text {
			t.Fatalf("%s: nothing was changed", c.name)
		}
		if _, err := readBackup(zipped(t, changed), backupKey); err == nil || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%s: %v, want it to say %q", c.name, err, c.words)
		}
	}
	if _, err := readBackup(file, []byte("another key")); err == nil || !strings.Contains(err.Error(), "without its keys") {
		t.Errorf("another key: %v", err)
	}
	for at := range file {
		if _, err := readBackup(file[:at], backupKey); err == nil {
			t.Fatalf("the first %d of %d bytes pass for the whole", at, len(file))
		}
		changed := bytes.Clone(file)
		changed[at] ^= 0x10
		// Some bits of gzip's own carry nothing: its header's time and system, the fill of a last byte.
		if rows, err := readBackup(changed, backupKey); err == nil && !cmp.Equal(rows, want) {
			t.Fatalf("byte %d was changed unseen: %v", at, rows)
		}
	}
}

// No input makes the reader fall over, and what it accepts is what its writer was given.
func FuzzBackupReader(f *testing.F) {
	want := [][]any{{"one", int64(1), []byte{1}}, {"t\"wo", nil, nil}}
	text := unzipped(f, exerciseBackup(f, want...))
	f.Add(text)
	for i := 0; i < len(text); i += 37 {
		f.Add(text[:i])
	}
	f.Add(fmt.Sprintf("%s[\"\\u", text[:strings.Index(text, "[\"one")]))
	f.Fuzz(func(t *testing.T, s string) {
		rows, err := readBackup(zipped(t, s), backupKey)
		if err == nil && !cmp.Equal(rows, want) {
			t.Errorf("accepted %q: %v", s, rows)
		}
		_, _ = readBackup([]byte(s), backupKey) // whatever it says, it must end
	})
}
