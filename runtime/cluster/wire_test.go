package cluster

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// recorded is what Kafka Connect's own classes wrote, a line each; see
// testdata/Wire.java.
const recorded = "testdata/wire.txt"

// cases are what is checked with Kafka Connect's own classes, by name.
func cases() (metadata map[string]Metadata, assignments map[string]Assignment) {
	work := Work{{"a", Instance}, {"a", 0}, {"a", 1}, {"b", 7}}
	held := Assignment{Leader: "connect-1-é", LeaderURL: "http://10.0.0.1:8083/", ConfigOffset: math.MaxInt64, Assigned: work}
	metadata, assignments = map[string]Metadata{}, map[string]Assignment{}
	for _, v := range []Version{Eager, Compatible, Sessioned} {
		m := Metadata{Version: v, URL: "https://[::1]:8083/", ConfigOffset: 1 << 40}
		metadata[v.protocol()+"-new"] = m
		a := held
		a.Version = v
		assignments[v.protocol()+"-given"] = a
		assignments[v.protocol()+"-nothing"] = Assignment{Version: v, Leader: "l", LeaderURL: "u", ConfigOffset: -1}
		assignments[v.protocol()+"-mismatch"] = Assignment{Version: v, Failure: ConfigMismatch, Leader: "l", LeaderURL: "u", ConfigOffset: 5}
		if v != Eager {
			m.Held = &a
			metadata[v.protocol()+"-held"] = m
			m.Leaving = true
			metadata[v.protocol()+"-leaving"] = m
			a.Revoked, a.Delay = Work{{"b", Instance}, {"b", 0}, {"c", 3}}, 5*time.Minute
			assignments[v.protocol()+"-revoked"] = a
		}
	}
	return metadata, assignments
}

// encoded gives the lines of cases for Wire.java.
func encoded(t *testing.T) []string {
	t.Helper()
	var lines []string
	add := func(kind, name string, b []byte, err error) {
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, kind+" "+name+" "+hex.EncodeToString(b))
	}
	metadata, assignments := cases()
	for name, m := range metadata {
		b, err := m.Encode()
		add("metadata", name, b, err)
	}
	for name, a := range assignments {
		b, err := a.Encode()
		add("assignment", name, b, err)
	}
	slices.Sort(lines)
	return lines
}

// said writes what bytes say as Wire.java does.
func said(kind string, b []byte) (string, error) {
	if kind == "assignment" {
		a, err := DecodeAssignment(b)
		return fmt.Sprint(a.Version, fields(a)), err
	}
	m, err := DecodeMetadata(b)
	text := fmt.Sprint(m.Version, " ", m.URL, " ", m.ConfigOffset)
	if m.Held != nil {
		text += fields(*m.Held)
	}
	return text, err
}

func fields(a Assignment) string {
	return fmt.Sprintf(" %d %d %s %s %d %s %s %d", a.Version, a.Failure, a.Leader, a.LeaderURL, a.ConfigOffset,
		list(a.Assigned), list(a.Revoked), a.Delay.Milliseconds())
}

func list(w Work) string {
	var parts []string
	for _, p := range w {
		parts = append(parts, fmt.Sprintf("%s/%d", p.Connector, p.Task))
	}
	slices.Sort(parts)
	return "[" + strings.Join(parts, ",") + "]"
}

// Clauses: G1, G2.
func TestBytesAsJavaWritesThem(t *testing.T) {
	text, err := os.ReadFile(recorded)
	if err != nil {
		t.Fatal(err)
	}
	ours := map[string]string{}
	for _, line := range encoded(t) {
		words := strings.Fields(line)
		ours[words[0]+" "+words[1]] = words[2]
	}
	for line := range strings.Lines(string(text)) {
		words := strings.SplitN(strings.TrimSpace(line), " ", 4)
		name := words[0] + " " + words[1]
		t.Run(name, func(t *testing.T) {
			b, err := hex.DecodeString(words[2])
			if err != nil {
				t.Fatal(err)
			}
			if got, err := said(words[0], b); err != nil || got != words[3] {
				t.Errorf("read as %s (%v), want %s", got, err, words[3])
			}
			want := words[2]
			if strings.HasSuffix(name, "-leaving") {
				want += "01" // of which Java knows nothing
			}
			if ours[name] != want {
				t.Errorf("written as %s, want %s", ours[name], want)
			}
		})
		delete(ours, name)
	}
	if len(ours) > 0 {
		t.Errorf("Java has not written %v", ours)
	}
}

func TestOrderDoesNotMatter(t *testing.T) {
	b, err := Assignment{Version: Compatible, Assigned: Work{{"b", 1}, {"a", 0}, {"b", 1}, {"a", Instance}}}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	a, err := DecodeAssignment(b)
	if want := (Work{{"a", Instance}, {"a", 0}, {"b", 1}}); err != nil || !slices.Equal(a.Assigned, want) {
		t.Errorf("%v, %v, want %v", a.Assigned, err, want)
	}
}

func TestBytesOfLaterVersions(t *testing.T) {
	b, err := Assignment{Version: 3, Leader: "l", Delay: time.Second}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	a, err := DecodeAssignment(append(b, 1, 2, 3))
	if err != nil || a.Leader != "l" || a.Delay != time.Second {
		t.Errorf("%+v, %v", a, err)
	}
}

func TestRefusedBytes(t *testing.T) {
	a, err := Assignment{Version: Sessioned, Leader: "leader", Assigned: Work{{"name", 0}}, Delay: time.Second}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	m, err := Metadata{Version: Sessioned, URL: "url", Held: &Assignment{Leader: "leader"}}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	change := func(b []byte, from, to string) []byte { return bytes.Replace(b, []byte(from), []byte(to), 1) }
	for name, c := range map[string]struct {
		b        []byte
		metadata bool
		want     string
	}{
		"nothing":                {nil, false, "assignment: it is cut off"},
		"no metadata":            {nil, true, "metadata of a worker: it is cut off"},
		"cut off":                {a[:len(a)-1], false, "it is cut off"},
		"metadata that end":      {m[:len(m)-1], true, "it is cut off"},
		"an assignment that end": {change(m, "\x00\x06leader", "\x7f\xffleader"), true, "assignment: it is cut off"},
		"a version before all":   {change(a, "\x00\x02", "\xff\xff"), false, "version -1 is none of Kafka Connect's"},
		"no leader":              {change(a, "\x00\x06leader", "\xff\xffleader"), false, "a text is missing"},
		"no text":                {change(a, "name", "\xff\xff\xff\xff"), false, "is not UTF-8"},
		"no task":                {change(a, "name\x00\x00\x00\x01\x00\x00\x00\x00", "name\x00\x00\x00\x01\xff\xff\xff\x00"), false, "name has no task -256"},
		"many":                   {change(a, "name\x00\x00\x00\x01", "name\x7f\xff\xff\xff"), false, "it is cut off"},
	} {
		t.Run(name, func(t *testing.T) {
			var err error
			if c.metadata {
				_, err = DecodeMetadata(c.b)
			} else {
				_, err = DecodeAssignment(c.b)
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
	long := strings.Repeat("x", math.MaxInt16+1)
	for name, err := range map[string]error{
		"url":       second(Metadata{URL: long}.Encode()),
		"connector": second(Metadata{Version: Compatible, Held: &Assignment{Assigned: Work{{long, 0}}}}.Encode()),
	} {
		if err == nil || !strings.Contains(err.Error(), "a text of 32768 bytes is too long for the group protocol (32767)") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func second(_ []byte, err error) error { return err }

// No bytes make a worker panic, or be read otherwise once they are written again.
func FuzzDecode(f *testing.F) {
	for _, line := range encoded(&testing.T{}) {
		b, err := hex.DecodeString(strings.Fields(line)[2])
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if m, err := DecodeMetadata(b); err == nil && m.Version <= Sessioned {
			again, err := m.Encode()
			if err != nil {
				t.Fatal(err)
			}
			if m.Held != nil {
				m.Held.Version = m.Version
			}
			if m.Version == Eager {
				m.Held, m.Leaving = nil, false
			}
			back, err := DecodeMetadata(again)
			if d := diff(m, back); err != nil || d != "" {
				t.Errorf("%v: %s", err, d)
			}
		}
		if a, err := DecodeAssignment(b); err == nil && a.Version <= Sessioned {
			again, err := a.Encode()
			if err != nil {
				t.Fatal(err)
			}
			if a.Version == Eager {
				a.Revoked, a.Delay = nil, 0
			}
			back, err := DecodeAssignment(again)
			if d := diff(a, back); err != nil || d != "" {
				t.Errorf("%v: %s", err, d)
			}
		}
	})
}

func TestProtocolNames(t *testing.T) {
	for _, v := range []Version{Eager, Compatible, Sessioned} {
		if got, err := versionOf(v.protocol()); err != nil || got != v {
			t.Errorf("%s is version %d, %v", v.protocol(), got, err)
		}
	}
	if _, err := versionOf("range"); err == nil || err.Error() != `protocol "range" is none of Kafka Connect's` {
		t.Errorf("%v", err)
	}
}
