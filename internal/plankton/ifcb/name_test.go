package ifcb_test

import (
	"testing"
	"time"

	"github.com/axiom-data-science/hydraulics/internal/plankton/ifcb"
)

func TestParseBinID(t *testing.T) {
	tests := []struct {
		name, in                 string
		lid, instrument, day, at string
		schema                   ifcb.Schema
		bad                      bool
	}{
		{name: "new", in: "D20190728T212639_IFCB104", lid: "D20190728T212639_IFCB104", instrument: "IFCB104",
			day: "D20190728", at: "2019-07-28T21:26:39Z", schema: ifcb.SchemaV2},
		{name: "leading zero stays", in: "D20130526T095207_IFCB013", lid: "D20130526T095207_IFCB013", instrument: "IFCB013",
			day: "D20130526", at: "2013-05-26T09:52:07Z", schema: ifcb.SchemaV2},
		{name: "old", in: "IFCB5_2012_028_081515", lid: "IFCB5_2012_028_081515", instrument: "IFCB5",
			day: "IFCB5_2012_028", at: "2012-01-28T08:15:15Z", schema: ifcb.SchemaV1},
		{name: "old, leap day", in: "IFCB1_2012_060_000000", lid: "IFCB1_2012_060_000000", instrument: "IFCB1",
			day: "IFCB1_2012_060", at: "2012-02-29T00:00:00Z", schema: ifcb.SchemaV1},
		{name: "renamed by iRfcb", in: "I20120128T081515_IFCB005", lid: "IFCB5_2012_028_081515", instrument: "IFCB5",
			day: "IFCB5_2012_028", at: "2012-01-28T08:15:15Z", schema: ifcb.SchemaV1},
		{name: "pid on another host", in: "http://other.example/mvco/D20190728T212639_IFCB104",
			lid: "D20190728T212639_IFCB104", instrument: "IFCB104", day: "D20190728", at: "2019-07-28T21:26:39Z", schema: ifcb.SchemaV2},
		{name: "empty", in: "", bad: true},
		{name: "no such month", in: "D20191328T212639_IFCB104", bad: true},
		{name: "day 366 of a common year", in: "IFCB5_2011_366_081515", bad: true},
		{name: "traversal", in: "../../etc/passwd", bad: true},
		{name: "with a product", in: "D20190728T212639_IFCB104_blob", bad: true},
		{name: "two digits", in: "D20190728T212639_IFCB04", bad: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			id, err := ifcb.ParseBinID(tt.in)
			if tt.bad {
				if err == nil {
					t.Fatalf("%q parsed as %s", tt.in, id)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := id.String(); got != tt.lid {
				t.Errorf("lid %s, want %s", got, tt.lid)
			}
			if got := id.IFCB(); got != tt.instrument {
				t.Errorf("ifcb %s, want %s", got, tt.instrument)
			}
			if got := id.Day(); got != tt.day {
				t.Errorf("day %s, want %s", got, tt.day)
			}
			if got := id.Time().Format(time.RFC3339); got != tt.at {
				t.Errorf("time %s, want %s", got, tt.at)
			}
			if got := id.Schema(); got != tt.schema {
				t.Errorf("schema %d, want %d", got, tt.schema)
			}
			again, err := ifcb.NewBinID(id.Instrument(), id.Time())
			if err != nil || again != id {
				t.Errorf("NewBinID gives %v, %v", again, err)
			}
		})
	}
}

// The seed read bin times in the host's zone; the right time does not depend on it.
func TestTimeIsUTCInEveryZone(t *testing.T) {
	local := time.Local
	t.Cleanup(func() { time.Local = local })
	for _, zone := range []*time.Location{time.UTC, time.FixedZone("PDT", -7*3600), time.FixedZone("NZ", 13*3600)} {
		time.Local = zone
		id, err := ifcb.ParseBinID("D20190728T212639_IFCB104")
		if err != nil {
			t.Fatal(err)
		}
		if got := id.Time().Unix(); got != 1564349199 {
			t.Errorf("in %s: %d, want 1564349199", zone, got)
		}
		date, err := ifcb.ParseDate("2019-07-28T21:26:39")
		if err != nil || date.Unix() != 1564349199 {
			t.Errorf("date in %s: %v, %v", zone, date, err)
		}
	}
}

func TestParseTargetID(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"new", "D20190728T212639_IFCB104_00002", "D20190728T212639_IFCB104_00002"},
		{"old", "IFCB5_2012_028_081515_00003", "IFCB5_2012_028_081515_00003"},
		{"unpadded", "D20190728T212639_IFCB104_2", "D20190728T212639_IFCB104_00002"},
		{"url", "https://x.example/data/D20190728T212639_IFCB104_12345", "D20190728T212639_IFCB104_12345"},
		{"number 0", "D20190728T212639_IFCB104_00000", ""},
		{"negative", "D20190728T212639_IFCB104_-1", ""},
		{"bin only", "D20190728T212639_IFCB104", ""},
		{"old bin only", "IFCB5_2012_028_081515", ""},
		{"huge", "D20190728T212639_IFCB104_99999999999", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			id, err := ifcb.ParseTargetID(tt.in)
			if (err == nil) != (tt.want != "") || (err == nil && id.String() != tt.want) {
				t.Fatalf("got %s, %v, want %q", id, err, tt.want)
			}
		})
	}
}

func TestParseDate(t *testing.T) {
	for _, in := range []string{
		"2019-07-28T21:26:39Z", "2019-07-28T21:26:39+00:00", "2019-07-28T21:26:39.000Z", "2019-07-28 21:26:39+00:00",
		"2019-07-28T23:26:39+02:00", "2019-07-28 21:26:39",
	} {
		got, err := ifcb.ParseDate(in)
		if err != nil || got.Unix() != 1564349199 || got.Location() != time.UTC {
			t.Errorf("%s: %v, %v", in, got, err)
		}
	}
	if _, err := ifcb.ParseDate("28.7.2019"); err == nil {
		t.Error("28.7.2019 is accepted")
	}
}
