package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/internal/embedded/dashboard"
	"github.com/axiom-data-science/hydraulics/internal/embedded/registryd"
	"github.com/axiom-data-science/hydraulics/internal/plankton/ifcb"
)

// gaps runs the command and gives what it writes.
func (p *pier) gaps(args ...string) (string, error) {
	p.t.Helper()
	var out strings.Builder
	cmd := newIFCBCommand()
	cmd.SetOut(&out)
	cmd.SilenceUsage, cmd.SilenceErrors = true, true
	cmd.SetArgs(append([]string{"gaps", "bins", p.broker}, args...))
	err := cmd.ExecuteContext(p.t.Context())
	return out.String(), err
}

func TestGaps(t *testing.T) {
	for _, form := range []string{"avro", "json"} {
		t.Run(form, func(t *testing.T) {
			p := newPier(t, 2, 4)
			ingest, gaps := []string{"station", p.url, "images", p.broker, "--nbins", "-1", "--bins-topic", "bins"}, []string{}
			if form == "avro" {
				server, err := registryd.Start(t.Context(), new(registryd.MemoryLog), registryd.Options{})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(server.Stop)
				gaps = []string{"--registry", server.URL()}
				ingest = append(ingest, "--format", "avro", "--registry", server.URL())
			}
			if err := os.Remove(filepath.Join(p.dir, p.bins[1].Day(), p.bins[1].String()+".roi")); err != nil {
				t.Fatal(err)
			}
			said, err := p.run(newIngestCommand(), ingest...)
			if err == nil || said != "6 images of 3 bins published to images" {
				t.Errorf("ingest says %q and ends with %v", said, err)
			}
			p.take(1) // the dashboard has it, the topic does not

			text, err := p.gaps(gaps...)
			if err != nil || !strings.Contains(text, p.bins[1].String()+"  pier     failed  0 of 2  ") || !strings.HasSuffix(text, "\n1 of 4 bins have a gap\n") {
				t.Errorf("%v\n%s", err, text)
			}
			_, err = p.gaps(append(gaps, "--fail")...)
			if err == nil || !strings.Contains(err.Error(), "1 of 4 bins have a gap") {
				t.Errorf("--fail: %v", err)
			}
			if _, err = p.gaps(append(gaps, "--fail", "--until", "2019-07-28T21:10:00Z")...); err != nil {
				t.Errorf("--fail, before the gap: %v", err)
			}
			if text, err = p.gaps(append(gaps, "--dataset", "other")...); err != nil || text != "0 of 0 bins have a gap\n" {
				t.Errorf("another dataset: %v\n%s", err, text)
			}

			for name, place := range map[string][]string{"dashboard": {p.url}, "folder": {p.dir, "--dataset", "pier"}} {
				text, err = p.gaps(append(append(gaps, "--format", "csv", "--from", "2019-07-28", "--until", "2019-07-28", "--dashboard"), place...)...)
				if err != nil {
					t.Fatal(err)
				}
				rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
				if err != nil {
					t.Fatal(err)
				}
				var got [][]string
				for _, row := range rows {
					got = append(got, []string{row[0], row[4], row[5], row[6], row[7]})
				}
				want := [][]string{{"pid", "time", "status", "expected", "ingested"},
					{p.bins[1].String(), "2019-07-28T21:10:00Z", "failed", "2", "0"},
					{p.bins[4].String(), "2019-07-28T21:40:00Z", "missing", "", "0"}}
				if d := cmp.Diff(want, got); d != "" {
					t.Errorf("beside the %s: %s", name, d)
				}
			}

			text, err = p.gaps(append(gaps, "--format", "json", "--dashboard", p.url)...)
			var list struct {
				Bins int
				Gaps []struct{ PID string }
			}
			if err == nil {
				err = json.Unmarshal([]byte(text), &list)
			}
			if err != nil || list.Bins != 5 || len(list.Gaps) != 2 || list.Gaps[1].PID != p.bins[4].String() {
				t.Errorf("%v\n%s", err, text)
			}
		})
	}
}

// Bins that the dashboard flags to be skipped are missed by nobody, whether the source has come to them or not.
func TestGapsLeavesOutFlaggedBins(t *testing.T) {
	for _, generation := range []int{1, 2} {
		t.Run(fmt.Sprintf("generation %d", generation), func(t *testing.T) {
			p := newPier(t, generation, 4)
			flag := func(bins ...ifcb.BinID) {
				t.Helper()
				text := "pid,skip\n"
				for _, id := range bins {
					text += id.String() + ",1\n"
				}
				if err := os.WriteFile(filepath.Join(p.dir, dashboard.NotesFile), []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			flag(p.bins[1])
			if said, err := p.run(newIngestCommand(), "station", p.url, "images", p.broker, "--nbins", "-1", "--bins-topic", "bins"); err != nil {
				t.Fatal(said, err)
			}
			p.take(3)
			flag(p.bins[1], p.bins[4], p.bins[6])
			for want, args := range map[string][]string{
				p.bins[5].String() + "  pier     missing  0 of ?  the dashboard lists it, the topic does not know it\n1 of 7 bins have a gap\n": nil,
				"3 of 7 bins have a gap\n": {"--include-skipped"},
			} {
				text, err := p.gaps(append(args, "--dashboard", p.url)...)
				if err != nil || !strings.HasSuffix(text, want) {
					t.Errorf("%v: %v\n%s\nwant at its end\n%s", args, err, text, want)
				}
			}
		})
	}
}

// Runs of beads are no gaps, unless they are asked for; a bin that only a folder has is said to be the folder's.
func TestGapsLeavesOutOtherRuns(t *testing.T) {
	p := newPier(t, 2, 2)
	stem := filepath.Join(p.dir, p.bins[1].Day(), p.bins[1].String())
	header, err := os.ReadFile(stem + ".hdr")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(stem+".hdr", []byte(strings.Replace(string(header), "sampleType: Normal", "sampleType: Beads", 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(stem + ".roi"); err != nil {
		t.Fatal(err)
	}
	if said, err := p.run(newIngestCommand(), "station", p.url, "images", p.broker, "--nbins", "-1", "--bins-topic", "bins"); err == nil {
		t.Fatalf("a bin without images is ingested: %s", said)
	}
	p.take(1)
	for want, args := range map[string][]string{
		p.bins[len(p.bins)-1].String() + "  pier     missing  0 of ?  the folder has it, the topic does not know it\n1 of 2 bins have a gap\n": nil,
		"2 of 3 bins have a gap\n": {"--include-other-runs"},
	} {
		text, err := p.gaps(append(args, "--dashboard", p.dir, "--dataset", "pier")...)
		if err != nil || !strings.HasSuffix(text, want) {
			t.Errorf("%v: %v\n%s\nwant at its end\n%s", args, err, text, want)
		}
	}
}

func TestGapsIsRefused(t *testing.T) {
	p := newPier(t, 1, 1)
	if _, err := p.run(newIngestCommand(), "feed", p.url, "bins", p.broker); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		args []string
		want string
	}{
		{"another topic", nil, "it is no record of a bin: is it the topic of bins.topic?"},
		{"format", []string{"--format", "xml"}, `"xml" is none of text, csv and json`},
		{"date", []string{"--from", "yesterday"}, `--from: date "yesterday"`},
		{"end before start", []string{"--from", "2020-01-02", "--until", "2020-01-01"}, "--until: it is before --from"},
		{"no dataset", []string{"--dashboard", "http://127.0.0.1:1"}, "names no dataset"},
		{"no folder", []string{"--dashboard", filepath.Join(p.dir, "none")}, "none"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := p.gaps(tt.args...); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
}
