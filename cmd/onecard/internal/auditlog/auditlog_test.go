package auditlog_test

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"pbochsm/cmd/onecard/internal/auditlog"
	"pbochsm/mac"
)

const (
	head   = `{"audit":"pbochsm 1","store":"26435F","segment":1,"seal":0,"records":0,"previous":"00"}` + "\n"
	seal   = `{"seal":1,"records":1,"hash":"B1F0","tag":"77A2"}` + "\n"
	load   = `{"at":"2026-11-28T05:07:52.120913Z","outcome":"made","operation":"load","key":"01/02/03","factors":["3500000000000000","6200000000000001"],"random":"11223344","online-counter":"0A0B","balance":"00000000","amount":"00001000","type":"02","terminal":"001122334455","date":"20261128","time":"130752"}` + "\n"
	unload = `{"at":"2026-11-28T05:07:53.000000Z","outcome":"made","operation":"unload","key":"01/01/00","factors":["6200000000000001"],"random":"11223345","online-counter":"FFFE","balance":"00000001","amount":"FFFFFFFF","terminal":"001122334455","date":"20261128","time":"130753"}` + "\n"
)

// A journal is a log that a test writes.
type journal struct {
	t    *testing.T
	name string
}

func newJournal(t *testing.T) *journal {
	t.Helper()
	return &journal{t, filepath.Join(t.TempDir(), "audit-00000001.jsonl")}
}

func (j *journal) write(text string) *journal {
	j.t.Helper()
	if err := os.WriteFile(j.name, []byte(text), 0o600); err != nil {
		j.t.Fatal(err)
	}
	return j
}

// randoms are those of the records that f gives.
func randoms(t *testing.T, f *auditlog.Follower, since time.Time) string {
	t.Helper()
	text, err := tryRandoms(f, since)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func tryRandoms(f *auditlog.Follower, since time.Time) (string, error) {
	var all []string
	err := f.Each(since, func(r *auditlog.Record) error {
		all = append(all, string('0'+rune(r.Random[3]&15)))
		return nil
	})
	return strings.Join(all, ""), err
}

// What is recorded is read as it is, all fields of it.
func TestRecord(t *testing.T) {
	j := newJournal(t).write(head + load + unload + seal)
	var all []auditlog.Record
	err := auditlog.Follow(j.name).Each(time.Time{}, func(r *auditlog.Record) error {
		all = append(all, *r)
		return nil
	})
	want := []auditlog.Record{
		{
			At: time.Date(2026, 11, 28, 5, 7, 52, 120913000, time.UTC), Kind: mac.KindLoad, Key: mac.KeyID{Set: 1, Version: 2, Algorithm: 3},
			Factors: []mac.Factor{{0x35}, {0x62, 0, 0, 0, 0, 0, 0, 1}}, Random: [4]byte{0x11, 0x22, 0x33, 0x44}, Counter: 0x0A0B,
			Amount: 0x1000, Type: mac.TypeLoadEP, Terminal: mac.TerminalID{0, 0x11, 0x22, 0x33, 0x44, 0x55},
			Date: mac.BCDDate{0x20, 0x26, 0x11, 0x28}, Time: mac.BCDTime{0x13, 0x07, 0x52},
		},
		{
			At: time.Date(2026, 11, 28, 5, 7, 53, 0, time.UTC), Kind: mac.KindUnload, Key: mac.KeyID{Set: 1, Version: 1},
			Factors: []mac.Factor{{0x62, 0, 0, 0, 0, 0, 0, 1}}, Random: [4]byte{0x11, 0x22, 0x33, 0x45}, Counter: 0xFFFE,
			Amount: 0xFFFFFFFF, Terminal: mac.TerminalID{0, 0x11, 0x22, 0x33, 0x44, 0x55},
			Date: mac.BCDDate{0x20, 0x26, 0x11, 0x28}, Time: mac.BCDTime{0x13, 0x07, 0x53},
		},
	}
	if err != nil || !reflect.DeepEqual(all, want) {
		t.Errorf("read %+v, %v", all, err)
	}
}

// What no seal follows is not read, what was read is not read again, and a new
// segment is found.
func TestFollow(t *testing.T) {
	j := newJournal(t)
	f := auditlog.Follow(filepath.Dir(j.name))
	for _, step := range []struct{ text, want string }{
		{"", ""},
		{head[:10], ""},
		{head + load, ""},
		{head + load + seal[:20], ""},
		{head + load + seal, "4"},
		{head + load + seal + unload + load[:40], ""},
		{head + load + seal + seal, ""}, // the daemon took its last write back
		{head + load + seal + seal + unload + load + seal, "54"},
		{head + load + seal + seal + unload + load + seal, ""},
	} {
		j.write(step.text)
		if got := randoms(t, f, time.Time{}); got != step.want {
			t.Errorf("of %d bytes: %q, want %q", len(step.text), got, step.want)
		}
	}
	next := &journal{t, strings.Replace(j.name, "1.jsonl", "2.jsonl", 1)}
	next.write(strings.Replace(head, `"segment":1`, `"segment":2`, 1) + unload + seal)
	if got := randoms(t, f, time.Time{}); got != "5" {
		t.Errorf("of a new segment: %q", got)
	}
	if err := os.Remove(j.name); err != nil { // moved to an archive
		t.Fatal(err)
	}
	if got := randoms(t, f, time.Time{}); got != "" {
		t.Errorf("after the first segment has gone: %q", got)
	}
	next.write(head)
	if _, err := tryRandoms(f, time.Time{}); !errors.Is(err, auditlog.ErrShorter) {
		t.Errorf("a log that lost its end: %v", err)
	}
}

func TestSince(t *testing.T) {
	j := newJournal(t).write(head + load + unload + seal)
	since := time.Date(2026, 11, 28, 5, 7, 53, 0, time.UTC)
	if got := randoms(t, auditlog.Follow(j.name), since); got != "5" {
		t.Errorf("since the second record: %q", got)
	}
	if err := os.Chtimes(j.name, since, since); err != nil {
		t.Fatal(err)
	}
	if got := randoms(t, auditlog.Follow(j.name), since.Add(time.Second)); got != "" {
		t.Errorf("of a file that was not touched since: %q", got)
	}
}

func TestOtherRecords(t *testing.T) {
	j := newJournal(t).write(head +
		strings.Replace(load, "made", "wrong", 1) + strings.Replace(load, "made", "spent", 1) +
		strings.Replace(load, `"load"`, `"purchase"`, 1) + unload + seal)
	if got := randoms(t, auditlog.Follow(j.name), time.Time{}); got != "5" {
		t.Errorf("wrong, spent and purchases are read: %q", got)
	}
}

// A file that is something else is an error that says so.
func TestNoLog(t *testing.T) {
	for name, text := range map[string]string{
		"something else": "hello\n",
		"no head":        load + seal,
		"half a record":  head + load[:60] + "\n" + seal,
		"long line":      head + strings.Repeat("x", 5000) + "\n",
		"longer line":    head + strings.Repeat("x", 100000) + "\n",
		"no factors":     head + strings.Replace(load, `["3500000000000000","6200000000000001"]`, `[]`, 1) + seal,
		"short factor":   head + strings.Replace(load, "6200000000000001", "62", 1) + seal,
		"key":            head + strings.Replace(load, "01/02/03", "01-02-03", 1) + seal,
		"counter":        head + strings.Replace(load, "0A0B", "0A0G", 1) + seal,
		"no amount":      head + strings.Replace(load, `"amount"`, `"sum"`, 1) + seal,
		"load, no type":  head + strings.Replace(load, `"type"`, `"typ"`, 1) + seal,
		"members, types": head + strings.Replace(load, `"11223344"`, `11223344`, 1) + seal,
	} {
		got, err := tryRandoms(auditlog.Follow(newJournal(t).write(text).name), time.Time{})
		if !errors.Is(err, auditlog.ErrNoLog) || got != "" {
			t.Errorf("%s: read %q, %v", name, got, err)
		}
	}
	folder := t.TempDir() // of a daemon that has made nothing yet
	if got, err := tryRandoms(auditlog.Follow(folder), time.Time{}); err != nil || got != "" {
		t.Errorf("an empty folder: %q, %v", got, err)
	}
	if err := os.WriteFile(filepath.Join(folder, "syslog"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := tryRandoms(auditlog.Follow(folder), time.Time{}); !errors.Is(err, auditlog.ErrNoLog) {
		t.Errorf("another folder: %v", err)
	}
	if _, err := tryRandoms(auditlog.Follow(filepath.Join(t.TempDir(), "nowhere")), time.Time{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
	failed := errors.New("failed")
	f := auditlog.Follow(newJournal(t).write(head + load + seal).name)
	if err := f.Each(time.Time{}, func(*auditlog.Record) error { return failed }); !errors.Is(err, failed) {
		t.Errorf("a visit that fails: %v", err)
	}
	if got := randoms(t, f, time.Time{}); got != "4" {
		t.Errorf("after a visit that failed: %q", got)
	}
}
