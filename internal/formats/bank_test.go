package formats_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"concert"
	"concert/internal/formats"
	"concert/pdq"
)

var (
	aSHA512 = strings.Repeat("0123456789abcdef", 8)
	anyDay  = time.Date(2026, 3, 1, 12, 30, 0, 123456000, time.UTC)
)

// exerciseBank is the bank that the entries of these tests are of.
func exerciseBank() concert.Bank {
	return concert.Bank{ID: "01-EXERCISE", Authority: "AU-EXERCISE", Name: "EXERCISE_BANK", Purpose: "EXERCISE: to know again what was seen", LegalBasis: "EXERCISE Act s. 1", Handling: concert.HandlingNotJudicial, CreatedAt: anyDay.Add(-time.Hour)}
}

// frames are those of an invented video.
func frames(n int) []concert.KnownFrame {
	out := make([]concert.KnownFrame, n)
	for i := range out {
		out[i] = concert.KnownFrame{PDQ: [32]byte{byte(i), byte(i >> 8), 7}, Quality: 50 + i%51, Seconds: float64(i) + 0.25}
	}
	return out
}

// travellers are entries with everything that an entry can carry.
func travellers() []formats.SharedEntry {
	entry := func(n int64, name string, hashes ...concert.KnownHash) formats.SharedEntry {
		return formats.SharedEntry{BankEntry: concert.BankEntry{N: n, Ref: fmt.Sprintf("BE-%d", n), Hashes: hashes, Name: name, Opinion: concert.OpinionPositive, AddedAt: anyDay.Add(-time.Hour)}, UpdatedAt: anyDay.Add(time.Duration(n) * time.Second), Provenance: formats.Provenance{Owner: "Desk A (EXERCISE)", Source: "EXERCISE list", Purpose: "EXERCISE", LegalBasis: "EXERCISE"}}
	}
	one := entry(1, "=EXERCISE one", concert.KnownHash{Kind: concert.HashPDQ, Value: aHash, Quality: 87}, concert.KnownHash{Kind: concert.HashSHA256, Value: sum, Quality: -1}, concert.KnownHash{Kind: concert.HashMD5, Value: aMD5, Quality: -1})
	one.Labels, one.Handling, one.ExpiresAt = []string{"file:mp4", "flag", "severity:SEVERE"}, concert.HandlingOpen, anyDay.Add(240*time.Hour)
	two := entry(2, "EXERCISE, film; \"two\"", concert.KnownHash{Kind: concert.HashVPDQ, Frames: frames(5), Quality: -1}, concert.KnownHash{Kind: concert.HashSHA1, Value: aSHA1, Quality: -1})
	two.Opinion, two.Said = concert.OpinionPositive, []concert.EntryOpinion{{Authority: "B", Opinion: concert.OpinionNegative}}
	three := entry(3, "EXERCISE gone", concert.KnownHash{Kind: concert.HashSHA512, Value: aSHA512, Quality: -1})
	three.EndedAt, three.Handling = anyDay, concert.HandlingRestricted
	four := entry(4, "EXERCISE harmless", concert.KnownHash{Kind: concert.HashTLSH, Value: "T1" + strings.Repeat("A0", 35), Quality: -1}, concert.KnownHash{Kind: concert.HashPhotoDNA, Value: "+EXERCISE/photodna==", Quality: -1})
	four.Opinion, four.Handling = concert.OpinionNegative, concert.HandlingNotShared
	five := entry(5, "")
	five.Gone = true
	six := entry(6, "EXERCISE seed", concert.KnownHash{Kind: concert.HashTMK, Value: "EXERCISE.tmk", Quality: -1})
	six.Opinion = concert.OpinionSeed
	return []formats.SharedEntry{one, two, three, four, five, six}
}

func each(entries []formats.SharedEntry) iter.Seq2[formats.SharedEntry, error] {
	return func(yield func(formats.SharedEntry, error) bool) {
		for _, e := range entries {
			if !yield(e, nil) {
				return
			}
		}
	}
}

func readBank(t *testing.T, f formats.BankFormat, text string) (got []formats.SharedEntry, faults []formats.HashFault) {
	t.Helper()
	faults, err := formats.ReadBank(f, strings.NewReader(text), func(e formats.SharedEntry) error {
		got = append(got, e)
		return nil
	})
	if err != nil {
		t.Fatalf("%s: %v", f, err)
	}
	return got, faults
}

func writeBank(t *testing.T, f formats.BankFormat, entries []formats.SharedEntry) string {
	t.Helper()
	var b bytes.Buffer
	if err := formats.WriteBank(f, &b, exerciseBank(), each(entries)); err != nil {
		t.Fatalf("%s: %v", f, err)
	}
	return b.String()
}

// arrived is an entry as it is read back from a form that loses nothing.
func arrived(e formats.SharedEntry) formats.SharedEntry {
	out := formats.SharedEntry{Gone: e.Gone || !e.EndedAt.IsZero(), UpdatedAt: e.UpdatedAt, Provenance: e.Provenance}
	out.SourceID, out.Hashes, out.Name, out.Labels, out.Handling, out.Opinion = e.Ref, e.Hashes, e.Name, e.Labels, e.Handling, e.Opinion
	if out.Handling == "" {
		out.Handling = exerciseBank().Handling
	}
	if e.Stands() == concert.OpinionDisputed {
		out.Opinion, out.Given = concert.OpinionSeed, []concert.Opinion{concert.OpinionPositive, concert.OpinionNegative}
	}
	out.AddedAt, out.ExpiresAt = e.AddedAt, e.ExpiresAt
	return out
}

// What each form says and what it cannot say (docs/banks.md).
func TestEntriesTravelInEveryForm(t *testing.T) {
	t.Parallel()
	for _, f := range formats.BankFormats {
		var want []formats.SharedEntry
		for _, e := range travellers() {
			w := arrived(e)
			switch f {
			case formats.BankLines:
				if w.Gone || e.Stands() != concert.OpinionPositive {
					continue
				}
				for _, h := range w.Hashes {
					h.Quality = -1
					want = append(want, formats.SharedEntry{BankEntry: concert.BankEntry{Hashes: []concert.KnownHash{h}, Opinion: concert.OpinionPositive}})
				}
				continue
			case formats.BankThreatExchange:
				w.Provenance = formats.Provenance{Source: "ThreatExchange"}
				w.SourceID, w.UpdatedAt, w.AddedAt = fmt.Sprint(e.N), w.UpdatedAt.Truncate(time.Second), w.AddedAt.Truncate(time.Second)
				w.Checkpoint = fmt.Sprint(w.UpdatedAt.Unix())
				if w.Provenance.Owner = e.Provenance.Owner; w.Gone {
					w.Name, w.Handling, w.Provenance.Owner = "", "", ""
				} else {
					w.Handling = max(w.Handling, concert.HandlingNotShared) // a privacy group's
				}
			case formats.BankTAT:
				w = formats.SharedEntry{Gone: e.Gone || !e.EndedAt.IsZero() || e.Stands() != concert.OpinionPositive, UpdatedAt: e.UpdatedAt, Checkpoint: fmt.Sprintf("%d.%06d,%d", e.UpdatedAt.Unix(), e.UpdatedAt.Nanosecond()/1000, e.N), Provenance: formats.Provenance{Source: "Tech Against Terrorism"}}
				w.SourceID, w.AddedAt, w.Opinion, w.Hashes = fmt.Sprint(e.N), e.AddedAt, concert.OpinionPositive, e.Hashes
				if len(e.Labels) > 0 {
					w.Labels = e.Labels[:1]
				}
			case formats.BankSTIX, formats.BankMISP:
				w.UpdatedAt, w.AddedAt = w.UpdatedAt.Truncate(time.Millisecond), w.AddedAt.Truncate(time.Millisecond)
				w.ExpiresAt, w.Provenance = w.ExpiresAt.Truncate(time.Millisecond), formats.Provenance{Owner: e.Provenance.Owner}
				if w.Handling == concert.HandlingNotJudicial {
					w.Handling = concert.HandlingNotShared
				}
				if f == formats.BankMISP {
					w.UpdatedAt, w.AddedAt, w.ExpiresAt = w.UpdatedAt.Truncate(time.Second), time.Time{}, time.Time{}
					w.Handling = max(w.Handling, concert.HandlingNotShared) // the event's, which is the bank's
				}
				if f == formats.BankMISP && len(w.Hashes) == 0 { // its tags hang on its hashes
					w.Labels = nil
				}
			}
			if f != formats.BankCSV && f != formats.BankNDJSON && len(w.Hashes) > 0 {
				w.Hashes = append([]concert.KnownHash(nil), w.Hashes...)
				for i := range w.Hashes {
					w.Hashes[i].Quality = -1
				}
			}
			want = append(want, w)
		}
		text := writeBank(t, f, travellers())
		got, faults := readBank(t, f, text)
		if len(faults) > 0 {
			t.Errorf("%s: faults %v in\n%s", f, faults, text)
		}
		ignore := cmpopts.IgnoreFields(concert.BankEntry{}, "N")
		if f == formats.BankSTIX || f == formats.BankMISP {
			ignore = cmpopts.IgnoreFields(concert.BankEntry{}, "N", "SourceID")
		}
		if d := cmp.Diff(want, got, ignore, cmpopts.EquateEmpty()); d != "" {
			t.Errorf("%s (-want +got): %s\n%s", f, d, text)
		}
		if f != formats.BankLines && writeBank(t, f, travellers()) != text {
			t.Errorf("%s: the same bank is another text the second time", f)
		}
		if known, ok := formats.BankFormatOf([]byte(text)); !ok || known != f {
			t.Errorf("%s is taken for %q", f, known)
		}
	}
}

func TestEmptyBanksTravelToo(t *testing.T) {
	t.Parallel()
	for _, f := range formats.BankFormats {
		text := writeBank(t, f, nil)
		if got, faults := readBank(t, f, text); len(got)+len(faults) > 0 {
			t.Errorf("%s: %q gives %v, %v", f, text, got, faults)
		}
		if known, ok := formats.BankFormatOf([]byte(text)); text != "" && (!ok || known != f) {
			t.Errorf("%s: %q is taken for %q", f, text, known)
		}
	}
}

// brief is an entry in a line.
func brief(e formats.SharedEntry) string {
	s := e.SourceID
	for _, h := range e.Hashes {
		s += " " + h.String()
		if h.Quality >= 0 {
			s += fmt.Sprint(" q", h.Quality)
		}
	}
	for _, v := range []string{aHash, sum, aSHA1, aMD5, aSHA512} {
		s = strings.ReplaceAll(s, v, v[:4])
	}
	s += " " + string(e.Stands())
	for _, v := range []string{string(e.Handling), e.Name, strings.Join(e.Labels, "|"), e.Provenance.Owner} {
		if v != "" {
			s += " " + v
		}
	}
	if !e.ExpiresAt.IsZero() {
		s += " until " + e.ExpiresAt.Format(time.DateOnly)
	}
	if e.Gone {
		s += " gone"
	}
	return strings.TrimSpace(s)
}

// wantBank compares; each wanted fault is its line and a word of its reason.
func wantBank(t *testing.T, f formats.BankFormat, text string, want, faults []string) {
	t.Helper()
	entries, gotFaults := readBank(t, f, text)
	var got []string
	for _, e := range entries {
		got = append(got, brief(e))
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s (-want +got): %s", f, d)
	}
	ok := len(faults) == len(gotFaults)
	for i := 0; ok && i < len(faults); i++ {
		line, word, _ := strings.Cut(faults[i], " ")
		ok = fmt.Sprint(gotFaults[i].Line) == line && strings.Contains(gotFaults[i].Why, word)
	}
	if !ok {
		t.Errorf("%s: faults %+v, want %q", f, gotFaults, faults)
	}
	if known, ok := formats.BankFormatOf([]byte(text)); !ok || known != f {
		t.Errorf("%s is taken for %q", f, known)
	}
}

const tatPage = `{"count":7,"next":"order=asc&after=1704901040.255550%2C2822","previous":null,"checkpoint":"1704901040.255550,2822","results":[
{"hash_digest":"` + aMD5 + `","algorithm":"MD5","ideology":"islamist","file_type":"mp4","deleted":false,"updated_on":1704901040.222779,"created_on":"2025-03-03T23:05:22.587000","id":2819},
{"hash_digest":"` + aHash + `","algorithm":"PDQ","ideology":"all","file_type":"","deleted":false,"updated_on":1704901040.24492,"created_on":"2025-03-03T23:05:22.587000","id":2820},
{"hash_digest":"` + sum + `","algorithm":"SHA-256","ideology":"far-right","file_type":"pdf","deleted":true,"updated_on":1704901040.25,"created_on":null,"id":2821},
{"hash_digest":"","algorithm":"MD5","deleted":true,"updated_on":1704901040.25555,"id":2822},
{"hash_digest":"EXERCISE","algorithm":"MD5","deleted":false,"updated_on":1,"id":2823},
{"hash_digest":"EXERCISE","algorithm":"SSDEEP","deleted":false,"updated_on":1,"id":2824},
{"hash_digest":"` + aMD5 + `","algorithm":"MD5","deleted":false,"updated_on":"yesterday","id":2825},
7,
{"hash_digest":"` + aMD5 + `","algorithm":"MD5","deleted":false}
]}`

func TestTheTATHashListIsReadWithItsTombstonesAndCheckpoints(t *testing.T) {
	t.Parallel()
	wantBank(t, formats.BankTAT, tatPage, []string{
		"2819 md5 28f1 positive file:mp4|ideology:islamist", "2820 pdq f8f8 positive", "2821 sha256 9f86 positive file:pdf|ideology:far-right gone", "2822 positive gone", "md5 28f1 positive",
	}, []string{"6 hexadecimal", "7 SSDEEP", "8 yesterday", "9 object"})
	var points []string
	page, _, err := formats.ReadBankPage(formats.BankTAT, strings.NewReader(tatPage), func(e formats.SharedEntry) error {
		points = append(points, e.Checkpoint)
		return nil
	})
	want := formats.BankPage{Count: 7, Next: "order=asc&after=1704901040.255550%2C2822", Checkpoint: "1704901040.255550,2822", Entries: 5, Faults: 4}
	if err != nil || page != want {
		t.Errorf("%+v, %v, want %+v", page, err, want)
	}
	if d := cmp.Diff([]string{"1704901040.222779,2819", "1704901040.244920,2820", "1704901040.250000,2821", "1704901040.255550,2822", ""}, points); d != "" {
		t.Error(d)
	}
	for _, p := range points[:4] {
		if at, id, err := formats.ParseTATCheckpoint(p); err != nil || formats.TATCheckpoint(at, id) != p {
			t.Errorf("checkpoint %q is read as %v, %q, %v", p, at, id, err)
		}
	}
	for _, p := range []string{"x", "1", "1,", ",1", "-1,2", "2026-01-01,3", "1e9,1", "99999999999999999999,1"} {
		if at, id, err := formats.ParseTATCheckpoint(p); err == nil {
			t.Errorf("checkpoint %q is read as %v, %q", p, at, id)
		}
	}
}

const tePage = `{"data":[
{"id":"101","indicator":"` + aHash + `","type":"HASH_PDQ","creation_time":1704900000,"last_updated":1704901040,"should_delete":false,"tags":null,"status":"MALICIOUS","descriptors":{"data":[
 {"id":"201","owner":{"id":"11","name":"Desk A (EXERCISE)"},"status":"MALICIOUS","share_level":"GREEN","privacy_type":"VISIBLE","severity":"SEVERE","description":"EXERCISE one","tags":{"data":[{"id":"1","text":"flag"}]},"expired_on":"2026-12-31T00:00:00+0000"}]}},
{"id":"102","indicator":"` + aMD5 + `","type":"HASH_VIDEO_MD5","last_updated":1704901041,"should_delete":false,"descriptors":{"data":[
 {"id":"202","owner":{"id":"11"},"status":"MALICIOUS","share_level":"GREEN","privacy_type":"HAS_PRIVACY_GROUP","tags":["media_type_video"]},
 {"id":"203","owner":{"id":"12"},"status":"NON_MALICIOUS","share_level":"AMBER"}]}},
{"id":"103","indicator":"` + sum + `","type":"HASH_SHA256","last_updated":1704901042,"should_delete":false,"descriptors":{"data":[
 {"id":"204","owner":{"id":"11"},"status":"SUSPICIOUS","share_level":"RED","reactions":[{"key":"HELPFUL","value":"12,11"},{"key":"SAW_THIS_TOO","value":"13"}]}]}},
{"id":"104","indicator":"` + aSHA1 + `","type":"HASH_SHA1","last_updated":1704901043,"should_delete":true},
{"id":"105","indicator":"` + aSHA1 + `","type":"HASH_SHA1","last_updated":1704901044,"should_delete":false},
{"id":"106","indicator":"https://video.example/w/EXERCISE","type":"URI","last_updated":1704901045,"should_delete":false,"status":"MALICIOUS"},
{"id":"107","indicator":"[\"` + aHash + `,90,1.000\"]","type":"DEBUG_STRING","last_updated":1704901046,"should_delete":false,"tags":["signal_type:vpdq"],"status":"NON_MALICIOUS"},
{"id":"108","indicator":["x"],"type":"HASH_PDQ","should_delete":false,"status":"MALICIOUS"}
],"paging":{"cursors":{"after":"EXERCISE"},"next":"https://exchange.example/next"}}`

func TestThreatUpdatesAndDescriptorsAreRead(t *testing.T) {
	t.Parallel()
	wantBank(t, formats.BankThreatExchange, tePage, []string{
		"101 pdq f8f8 positive H0 EXERCISE one flag|severity:SEVERE Desk A (EXERCISE) until 2026-12-31",
		"102 md5 28f1 disputed H2 media_type_video 11", "103 sha256 9f86 positive H3 11",
		"104 sha1 5b1f seed gone", "105 sha1 5b1f seed gone", "107 vpdq 1 frames negative",
	}, []string{"11 URI", "13 hexadecimal"})
	page, _, err := formats.ReadBankPage(formats.BankThreatExchange, strings.NewReader(tePage), func(formats.SharedEntry) error { return nil })
	if want := (formats.BankPage{Next: "https://exchange.example/next", Checkpoint: "1704901046", Entries: 6, Faults: 2}); err != nil || page != want {
		t.Errorf("%+v, %v", page, err)
	}
	// Descriptors by their ids, and one alone.
	one := `{"raw_indicator":"` + aMD5 + `","type":"HASH_MD5","added_on":"2020-07-01T18:31:15+0000","owner":{"id":"11","name":"Desk A (EXERCISE)"},"status":"MALICIOUS","share_level":"AMBER","id":"201"}`
	for _, text := range []string{one, `{"201":` + one + `}`, "[" + one + "]"} {
		wantBank(t, formats.BankThreatExchange, text, []string{"201 md5 28f1 positive H2 Desk A (EXERCISE)"}, nil)
	}
}

const stixText = `{"type":"bundle","id":"bundle--0","objects":[
{"type":"identity","id":"identity--1","name":"Desk A (EXERCISE)"},
{"type":"file","spec_version":"2.1","id":"file--1","name":"EXERCISE.mp4","hashes":{"SHA-256":"` + sum + `","MD5":"` + aMD5 + `","SSDEEP":"EXERCISE"},"object_marking_refs":["marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da"]},
{"type":"indicator","spec_version":"2.1","id":"indicator--1","created_by_ref":"identity--1","name":"EXERCISE two","labels":["flag"],"indicator_types":["malicious-activity"],"pattern_type":"stix","pattern":"[file:hashes.'SHA-1' = '` + aSHA1 + `' OR file:hashes.PDQ = '` + aHash + `' AND NOT file:hashes.MD5 = '` + aMD5 + `']","valid_until":"2026-12-31T00:00:00.000Z","object_marking_refs":["marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003","marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9"]},
{"type":"indicator","id":"indicator--2","pattern_type":"stix","pattern":"[file:hashes.MD5 = '` + aMD5 + `']","revoked":true},
{"type":"indicator","id":"indicator--3","pattern_type":"stix","pattern":"[x-other:ref = 'EXERCISE']","revoked":true},
{"type":"indicator","id":"indicator--4","pattern_type":"stix","pattern":"[url:value = 'https://video.example/w/EXERCISE']"},
{"type":"indicator","id":"indicator--5","pattern_type":"yara","pattern":"rule EXERCISE {}"},
{"type":"indicator","id":"indicator--6","pattern_type":"stix","pattern":"[file:hashes.MD5 = "},
{"type":"indicator","id":"indicator--7","indicator_types":["benign","malicious-activity"],"pattern":"[file:hashes.'SHA-512' IN ('` + "SHA512" + `')]","object_marking_refs":["marking-definition--00000000-0000-0000-0000-000000000000"]},
{"type":"file","id":"file--2","hashes":{"SSDEEP":"EXERCISE"}},
{"type":"observed-data","id":"observed-data--1","objects":{"0":{"type":"file","name":"EXERCISE.jpg","hashes":{"MD5":"` + aMD5 + `"}},"1":{"type":"url","value":"https://video.example"}}},
{"type":"observed-data","id":"observed-data--2","object_refs":["file--1"]},
{"type":"malware","id":"malware--1"},
{}
]}`

func TestSTIXFilesAndIndicatorsAreRead(t *testing.T) {
	t.Parallel()
	wantBank(t, formats.BankSTIX, strings.ReplaceAll(stixText, "SHA512'", aSHA512+"'"), []string{
		"file--1 md5 28f1 sha256 9f86 positive H0 EXERCISE.mp4",
		"indicator--1 sha1 5b1f pdq f8f8 positive H2 EXERCISE two flag Desk A (EXERCISE) until 2026-12-31",
		"indicator--2 md5 28f1 positive gone", "indicator--3 positive gone",
		"indicator--7 sha512 0123 disputed H2", "observed-data--1#0 md5 28f1 positive EXERCISE.jpg",
	}, []string{"7 indicator", "8 yara", "9 pattern", "11 file", "15 type"})
}

const mispText = `{"response":[{"Event":{"info":"EXERCISE","uuid":"e","Orgc":{"name":"Desk A (EXERCISE)","uuid":"o"},"Attribute":[
{"uuid":"a1","type":"md5","category":"Payload delivery","value":"` + aMD5 + `","to_ids":true,"timestamp":"1704901040","Tag":[{"name":"flag"},{"name":"tlp:clear"}]},
{"uuid":"a2","type":"filename|sha256","category":"Payload delivery","value":"EXERCISE|a.mp4|` + sum + `","to_ids":"1"},
{"uuid":"a3","type":"sha1","category":"Payload delivery","value":"` + aSHA1 + `","deleted":true},
{"uuid":"a4","type":"text","object_relation":"pdq","value":"` + aHash + `","to_ids":false},
{"uuid":"a5","type":"pdq","value":"` + aHash + `","Tag":[{"name":"false-positive:confirmed=\"true\""}]},
{"uuid":"a6","type":"url","category":"Network activity","value":"https://video.example/w/EXERCISE"},
{"uuid":"a7","type":"md5","value":"EXERCISE"}
],"Object":[
{"uuid":"o1","name":"file","Attribute":[{"type":"filename","value":"EXERCISE.jpg"},{"type":"md5","value":"` + aMD5 + `","to_ids":true,"Tag":[{"name":"tlp:red"}]},{"type":"sha256","value":"` + sum + `","to_ids":true,"deleted":"1"}]},
{"uuid":"o2","name":"file","Attribute":[{"type":"md5","value":"` + aMD5 + `","deleted":true}]},
{"uuid":"o3","name":"domain-ip","Attribute":[{"type":"hostname","value":"video.example"}]},
{"uuid":"o4","name":"file","deleted":true}
],"Tag":[{"name":"tlp:green"}],"distribution":"1"}}]}`

func TestMISPHashesAreRead(t *testing.T) {
	t.Parallel()
	org := " Desk A (EXERCISE)"
	wantBank(t, formats.BankMISP, mispText, []string{
		"a1 md5 28f1 positive H0 flag" + org, "a2 sha256 9f86 positive H0 EXERCISE|a.mp4" + org, "a3 sha1 5b1f positive H0" + org + " gone", "a4 pdq f8f8 seed H0" + org, "a5 pdq f8f8 negative H0" + org,
		"o1 md5 28f1 positive H3 EXERCISE.jpg" + org, "o2 positive H0" + org + " gone", "o4 positive H0" + org + " gone",
	}, []string{"7 url", "8 hexadecimal", "12 domain-ip"})
	// An event that breaks off does not say what may be passed on.
	got, faults := readBank(t, formats.BankMISP, mispText[:strings.Index(mispText, `,"Object"`)])
	if len(got) != 5 || got[0].Handling != concert.HandlingNotShared || len(faults) != 3 {
		t.Errorf("%d entries, %q, %v", len(got), got[0].Handling, faults)
	}
}

func TestListsOfHashesAreReadAsABank(t *testing.T) {
	t.Parallel()
	wantBank(t, formats.BankLines, "# EXERCISE\nsignal_type signal\n"+aMD5+" EXERCISE one\npdq "+aHash+"\nvideo_sha256 "+sum+"\nvpdq [\""+aHash+",100,0.000\", \""+aHash+",40,1.5\"] EXERCISE film\nSHA-512,"+aSHA512+"\ntmk EXERCISE.tmk\nraw_text EXERCISE\nvpdq []\nvpdq [\"x\"]\nmd5\n",
		[]string{"md5 28f1 positive EXERCISE one", "pdq f8f8 positive", "sha256 9f86 positive", "vpdq 2 frames positive EXERCISE film", "sha512 0123 positive", "tmk EXERCISE.tmk positive"},
		[]string{"2 hexadecimal", "9 hexadecimal", "10 frames", "11 parts", "12 missing"})
	wantBank(t, formats.BankNDJSON, `{"file":"EXERCISE.jpg","type":"image/jpeg","bytes":1,"sha256":"`+sum+`","md5":"`+aMD5+`","sha1":"`+aSHA1+`","pdq":"`+aHash+`","pdq_quality":49}
{"id":"1","type":"pdq","value":"`+aHash+`","quality":80,"labels":["b","a"],"opinion":"disputed","handling":"H1","expires_at":"2026-12-31"}
{"id":"1","type":"md5","value":"`+aMD5+`"}
{"id":"2","gone":true}
{"type":"md5","value":"`+aMD5+`","opinion":"perhaps"}
{"type":"md5","value":"`+aMD5+`","handling":"H9"}
{"type":"md5","value":"`+aMD5+`","gone":"perhaps"}
{"type":"md5","value":"`+aMD5+`","expires_at":"perhaps"}
{"type":"pdq","value":"`+aHash+`","quality":"perhaps"}
{"type":"pdq","value":"`+aHash+`","quality":101}
{"type":"md5","type":"md5"}
{"gone":true}
{
`, []string{"pdq f8f8 q49 sha256 9f86 sha1 5b1f md5 28f1 positive EXERCISE.jpg", "1 pdq f8f8 q80 md5 28f1 disputed H1 a|b until 2026-12-31", "2 positive gone"},
		[]string{"5 opinion", "6 handling", "7 gone", "8 time", "9 quality", "10 quality", "11 read", "12 hash", "13 read"})
	wantBank(t, formats.BankCSV, "\ufefftype;value;colour;name;labels\r\nmd5;"+aMD5+";red;'=EXERCISE;a|b\r\nmd5;x;red;;\r\nmd5\r\n\r\nmd5;\""+aMD5+"\r\nsha1;\""+aSHA1+"\";;\"EXERCISE; \"\"two\"\"\";",
		[]string{"md5 28f1 positive =EXERCISE a|b", "sha1 5b1f positive EXERCISE; \"two\""}, []string{"1 colour", "3 hexadecimal", "4 fields", "6 quote"})
	for _, text := range []string{"", "name,opinion\nx,y\n", "type,type,value\n"} {
		if _, err := formats.ReadBank(formats.BankCSV, strings.NewReader(text), nil); err == nil {
			t.Errorf("%q is read as CSV", text)
		}
	}
}

func TestNothingElseIsTakenForABank(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "\n", "EXERCISE", "{}", "[", `{"xarf_version":"4"}`, "location,type\n", "\x00\x01\x02", "MZ\x90"} {
		if f, ok := formats.BankFormatOf([]byte(text)); ok {
			t.Errorf("%q is taken for %s", text, f)
		}
	}
	if _, err := formats.ReadBank("paper", strings.NewReader(""), nil); err == nil {
		t.Error("a form that there is not is read")
	}
	if err := formats.WriteBank("paper", io.Discard, exerciseBank(), each(nil)); err == nil {
		t.Error("a form that there is not is written")
	}
}

func TestErrorsStopABankAndComeBack(t *testing.T) {
	t.Parallel()
	stop := errors.New("EXERCISE")
	for _, f := range formats.BankFormats {
		text := writeBank(t, f, travellers())
		n := 0
		if _, err := formats.ReadBank(f, strings.NewReader(text), func(formats.SharedEntry) error { n++; return stop }); !errors.Is(err, stop) || n != 1 {
			t.Errorf("%s: %d entries, then %v", f, n, err)
		}
		if _, err := formats.ReadBank(f, iotest.ErrReader(stop), func(formats.SharedEntry) error { return nil }); !errors.Is(err, stop) {
			t.Errorf("%s: a reader's error becomes %v", f, err)
		}
		broken := func(yield func(formats.SharedEntry, error) bool) { yield(formats.SharedEntry{}, stop) }
		if err := formats.WriteBank(f, io.Discard, exerciseBank(), broken); !errors.Is(err, stop) {
			t.Errorf("%s: an entry's error becomes %v", f, err)
		}
		if err := formats.WriteBank(f, fullDisk{}, exerciseBank(), each(travellers())); err == nil {
			t.Errorf("%s: a full disk is no error", f)
		}
	}
}

func TestPagesSayWhereTheyGoOn(t *testing.T) {
	t.Parallel()
	for f, point := range map[formats.BankFormat]string{formats.BankTAT: "1772368202.123456,2", formats.BankThreatExchange: "1772368202"} {
		var b bytes.Buffer
		wrote, err := formats.WriteBankPage(f, &b, exerciseBank(), formats.BankPage{Count: 40, Next: "https://desk.example/next?a=1&b=2", Previous: "https://desk.example/before", Checkpoint: "EXERCISE"}, each(travellers()[:2]))
		if err != nil || wrote.Checkpoint != point || wrote.Entries != 2 {
			t.Errorf("%s: wrote %+v, %v", f, wrote, err)
		}
		got, _, err := formats.ReadBankPage(f, &b, func(formats.SharedEntry) error { return nil })
		if f == formats.BankThreatExchange {
			got.Count = wrote.Count // it does not say
		}
		if err != nil || got != wrote {
			t.Errorf("%s: read %+v, %v, want %+v", f, got, err, wrote)
		}
		// An empty page goes on where it was asked to.
		if wrote, err = formats.WriteBankPage(f, io.Discard, exerciseBank(), formats.BankPage{Checkpoint: point}, each(nil)); err != nil || wrote.Checkpoint != point {
			t.Errorf("%s: an empty page goes on at %q, %v", f, wrote.Checkpoint, err)
		}
	}
}

// Others have fewer steps than the handling codes: none of them becomes a looser one on the way.
func TestNoFormLoosensAHandlingCode(t *testing.T) {
	t.Parallel()
	for _, f := range formats.BankFormats[1:] {
		for _, h := range concert.Handlings {
			e := travellers()[:1]
			e[0].Handling = h
			got, _ := readBank(t, f, writeBank(t, f, e))
			switch {
			case len(got) != 1, f != formats.BankTAT && got[0].Handling < h:
				t.Errorf("%s: %s comes back as %+v", f, h, got)
			case f == formats.BankTAT && got[0].Handling != "": // it has no word for any: the receiving bank's holds
				t.Errorf("%s: %s comes back as %s", f, h, got[0].Handling)
			}
		}
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("EXERCISE: the disk is full") }

func TestAnExercisesEntriesSayThatTheyAre(t *testing.T) {
	t.Parallel()
	bank := exerciseBank()
	bank.Exercise = true
	for _, f := range formats.BankFormats[1:] {
		var b bytes.Buffer
		if err := formats.WriteBank(f, &b, bank, each(travellers()[:1])); err != nil {
			t.Fatal(err)
		}
		got, _ := readBank(t, f, b.String())
		if f != formats.BankTAT && (len(got) != 1 || !strings.Contains(strings.Join(got[0].Labels, " "), "EXERCISE")) {
			t.Errorf("%s: %+v", f, got)
		}
	}
}

func TestFaultsAreAllCountedAndSomeListed(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("md5 x\n", formats.BankFaultsMost+41) + "md5 " + aMD5 + "\n"
	n := 0
	page, faults, err := formats.ReadBankPage(formats.BankLines, strings.NewReader(text), func(formats.SharedEntry) error { n++; return nil })
	if err != nil || n != 1 || page.Faults != formats.BankFaultsMost+41 || len(faults) != formats.BankFaultsMost || !strings.HasSuffix(faults[len(faults)-1].Why, "; 41 more are not listed") {
		t.Errorf("%d entries, %+v, %d listed, %v", n, page, len(faults), err)
	}
}

// The longest film goes through every form; one more frame is refused by name.
func TestLongFilmsTravel(t *testing.T) {
	t.Parallel()
	film := travellers()[:1]
	film[0].Hashes = []concert.KnownHash{{Kind: concert.HashVPDQ, Frames: frames(concert.FramesMost), Quality: -1}}
	for _, f := range formats.BankFormats {
		got, faults := readBank(t, f, writeBank(t, f, film))
		if len(faults) > 0 || len(got) != 1 || !cmp.Equal(got[0].Hashes, film[0].Hashes) {
			t.Errorf("%s: %v, %d entries", f, faults, len(got))
		}
	}
	film[0].Hashes[0].Frames = frames(concert.FramesMost + 1)
	for _, f := range formats.BankFormats {
		got, faults := readBank(t, f, writeBank(t, f, film))
		if len(faults) != 1 || len(got) != 0 || !strings.Contains(faults[0].Why, "frames") {
			t.Errorf("%s: %v, %d entries", f, faults, len(got))
		}
	}
}

// What is held does not grow with the list.
func TestLongBanksAreReadAndWrittenInLittleMemory(t *testing.T) {
	const many = 12_000
	e := travellers()[0]
	long := func(yield func(formats.SharedEntry, error) bool) {
		for i := range many {
			one := e
			one.N, one.Ref = int64(i+1), fmt.Sprint("BE-", i)
			if !yield(one, nil) {
				return
			}
		}
	}
	for _, f := range formats.BankFormats {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		r, w := io.Pipe()
		go func() { w.CloseWithError(formats.WriteBank(f, w, exerciseBank(), long)) }()
		n, most := 0, uint64(0)
		faults, err := formats.ReadBank(f, r, func(formats.SharedEntry) error {
			if n++; n%5_000 == 0 {
				runtime.GC()
				runtime.ReadMemStats(&after)
				most = max(most, after.HeapAlloc)
			}
			return nil
		})
		if err != nil || len(faults) > 0 || n < many {
			t.Errorf("%s: %d entries, %v, %v", f, n, faults, err)
		}
		if most > before.HeapAlloc+40<<20 {
			t.Errorf("%s: %d MB are held", f, (most-before.HeapAlloc)>>20)
		}
	}
}

func TestMangledBanksAreReadToAnEnd(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 4))
	for _, f := range formats.BankFormats {
		for _, text := range []string{writeBank(t, f, travellers()), map[formats.BankFormat]string{formats.BankTAT: tatPage, formats.BankThreatExchange: tePage, formats.BankSTIX: stixText, formats.BankMISP: mispText}[f]} {
			for range 300 {
				soundBank(t, f, mangled(rng, text))
			}
		}
	}
}

// soundBank is what holds of every reader on every text: it ends, its entries are
// such as a bank takes, its faults have a reason.
func soundBank(t *testing.T, f formats.BankFormat, text string) {
	t.Helper()
	faults, _ := formats.ReadBank(f, strings.NewReader(text), func(e formats.SharedEntry) error {
		if len(e.Hashes) == 0 && (!e.Gone || e.SourceID == "") || len(e.Hashes) > 64 || len(e.Name) > 400 || len(e.SourceID) > 200 || len(e.Labels) > 32 {
			t.Fatalf("%s: read %+v of %q", f, e, text)
		}
		for _, h := range e.Hashes {
			if c, err := h.Checked(); err != nil || c.Value != h.Value {
				t.Fatalf("%s: hash %+v (%v) of %q", f, h, err, text)
			}
		}
		if e.Handling != "" && !strings.Contains("H0 H1 H2 H3", string(e.Handling)) || e.Opinion == concert.OpinionDisputed || e.Opinion == "" {
			t.Fatalf("%s: handling %q, opinion %q of %q", f, e.Handling, e.Opinion, text)
		}
		var b bytes.Buffer
		for _, to := range formats.BankFormats {
			if err := formats.WriteBank(to, &b, concert.Bank{}, each([]formats.SharedEntry{e})); err != nil {
				t.Fatalf("%s to %s: %v", f, to, err)
			}
		}
		return nil
	}) // any refusal is fine: what counts is that it ends
	for _, x := range faults {
		if x.Line < 1 || x.Why == "" {
			t.Fatalf("%s: fault %+v of %q", f, x, text)
		}
	}
	formats.BankFormatOf([]byte(text))
}

func fuzzBank(f *testing.F, form formats.BankFormat, seeds ...string) {
	for _, s := range seeds {
		f.Add(s)
	}
	var b bytes.Buffer
	if err := formats.WriteBank(form, &b, exerciseBank(), each(travellers())); err != nil {
		f.Fatal(err)
	}
	f.Add(b.String())
	f.Fuzz(func(t *testing.T, text string) { soundBank(t, form, text) })
}

func FuzzBankLines(f *testing.F) {
	fuzzBank(f, formats.BankLines, "", "md5 "+aMD5, aHash, "vpdq [\""+aHash+",100,0\"]", "vpdq [", "tmk x", "\ufeff;")
}

func FuzzBankCSV(f *testing.F) {
	fuzzBank(f, formats.BankCSV, "", "type,value\nmd5,"+aMD5, "value;type\n\"", "type\tvalue\tlabels\nmd5\t"+aMD5+"\ta|b", "\xff\xfet\x00y\x00")
}

func FuzzBankNDJSON(f *testing.F) {
	fuzzBank(f, formats.BankNDJSON, "", `{"type":"md5","value":"`+aMD5+`"}`, `{"id":"1","gone":true}`, `{"pdq":"`+aHash+`","pdq_quality":1e9}`, "{")
}

func FuzzBankThreatExchange(f *testing.F) {
	fuzzBank(f, formats.BankThreatExchange, "", tePage, `{"1":{"type":"HASH_MD5","raw_indicator":"`+aMD5+`"}}`, `{"data":{}}`, `{"tags":{"data":7}}`)
}

func FuzzBankTAT(f *testing.F) {
	fuzzBank(f, formats.BankTAT, "", tatPage, `{"results":[],"checkpoint":7}`, `{"hash_digest":"`+aMD5+`","algorithm":"MD5","updated_on":1e300}`)
}

func FuzzBankSTIX(f *testing.F) {
	fuzzBank(f, formats.BankSTIX, "", stixText, `{"type":"file","hashes":{}}`)
}

func FuzzBankMISP(f *testing.F) {
	fuzzBank(f, formats.BankMISP, "", mispText, `{"Attribute":[{}]}`, `{"type":"filename|md5","value":"|"}`)
}

func TestTheQualityThatTellsIsTheReferences(t *testing.T) {
	if concert.QualityLeast != pdq.QualityLeast {
		t.Errorf("banks take pictures from quality %d on, and what compares them from %d on", concert.QualityLeast, pdq.QualityLeast)
	}
}
