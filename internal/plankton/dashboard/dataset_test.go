package dashboard_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
	simulated "github.com/axiom-data-science/hydraulics/internal/embedded/dashboard"
	"github.com/axiom-data-science/hydraulics/internal/plankton/dashboard"
	"github.com/axiom-data-science/hydraulics/internal/plankton/ifcb"
)

// TestDataset lists the bins of a period, leaves out a flagged one, and reads images and facts, in both generations.
func TestDataset(t *testing.T) {
	dir := t.TempDir()
	instrument, err := simulated.NewInstrument(simulated.InstrumentOptions{Dir: dir, Seed: 1, ImagesPerBin: 2})
	if err != nil {
		t.Fatal(err)
	}
	start := time.Date(2024, 5, 1, 23, 30, 0, 0, time.UTC)
	var taken []ifcb.BinID
	for i := range 3 {
		id, err := instrument.Take(start.Add(time.Duration(i) * 20 * time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		taken = append(taken, id)
	}
	notes := fmt.Sprintf("pid,skip\n%s,1\n", taken[1])
	if err := os.WriteFile(filepath.Join(dir, simulated.NotesFile), []byte(notes), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, generation := range []int{1, 2} {
		t.Run(fmt.Sprintf("generation %d", generation), func(t *testing.T) {
			handler, err := simulated.New(simulated.Options{Dir: dir, Generation: generation, Dataset: "pier"})
			if err != nil {
				t.Fatal(err)
			}
			server := httptest.NewServer(handler)
			defer server.Close()
			client := dashboard.NewClient(dashboard.Options{Agent: "test"})
			defer client.Close()
			address, err := dashboard.ParseAddress(server.URL+"/pier/", "")
			if err != nil {
				t.Fatal(err)
			}
			data, err := dashboard.Detect(t.Context(), client, address, "auto")
			if err != nil {
				t.Fatal(err)
			}
			bins, err := data.Bins(t.Context(), start.Add(time.Minute), time.Time{})
			if diff := cmp.Diff(names(taken[1:]), names(bins)); diff != "" || err != nil {
				t.Errorf("bins, %v (-want +got):\n%s", err, diff)
			}
			shown, err := data.Shown(t.Context(), bins)
			if diff := cmp.Diff(names(taken[2:]), names(shown)); diff != "" || err != nil {
				t.Errorf("without the flagged one, %v (-want +got):\n%s", err, diff)
			}
			checkBin(t, data, taken[0])
		})
	}
}

// checkBin reads a bin from its zip, and without one image by image.
func checkBin(t *testing.T, data *dashboard.Dataset, id ifcb.BinID) {
	t.Helper()
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	for name, limit := range map[string]int64{"zip": 1 << 20, "single images": 1} {
		b, err := data.Open(t.Context(), id, dashboard.OpenOptions{MaxZip: limit, Header: true, Log: log})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff([]int{1, 2}, b.Numbers); diff != "" || len(b.Table) != 2 || len(b.Header.Keys()) == 0 || b.Short != nil {
			t.Errorf("%s: %d lines, %d keys, %v, numbers (-want +got):\n%s", name, len(b.Table), len(b.Header.Keys()), b.Short, diff)
		}
		for i, number := range b.Numbers {
			png, width, height, err := b.Image(t.Context(), number)
			if err != nil || len(png) == 0 || width != b.Table[i].Width || height != b.Table[i].Height {
				t.Errorf("%s: image %d: %d bytes, %d x %d, %v", name, number, len(png), width, height, err)
			}
		}
		if _, _, _, err := b.Image(t.Context(), 3); !dashboard.IsGone(err) || err == nil {
			t.Errorf("%s: an image that is not there: %v", name, err)
		}
		b.Close()
	}
	table, header, err := data.Facts(t.Context(), id, log)
	if err != nil || len(table) != 2 || len(header.Keys()) == 0 {
		t.Errorf("facts: %d lines, %d keys, %v", len(table), len(header.Keys()), err)
	}
	absent, err := ifcb.NewBinID(901, id.Time().Add(time.Second))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := data.Open(t.Context(), absent, dashboard.OpenOptions{MaxZip: 1 << 20, Log: log}); err == nil || connector.KindOf(err) != connector.KindUnmarked {
		t.Errorf("a bin that is not there: %v", err)
	}
}

func names(bins []ifcb.BinID) []string {
	var list []string
	for _, id := range bins {
		list = append(list, id.String())
	}
	return list
}
