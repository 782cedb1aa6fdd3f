package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/embedded/dashboard"
	"github.com/axiom-data-science/hydraulics/internal/embedded/registryd"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/internal/plankton/ifcb"
	"github.com/axiom-data-science/hydraulics/internal/registry"
	"github.com/axiom-data-science/hydraulics/internal/test/drawn"
	"github.com/axiom-data-science/hydraulics/internal/test/kafkatest"
)

// pier is a dashboard with synthetic bins of two images each, one every ten
// minutes, and a broker to publish them to.
type pier struct {
	t          *testing.T
	dir        string
	url        string
	broker     string
	offsets    string
	instrument *drawn.Instrument
	bins       []ifcb.BinID
}

func newPier(t *testing.T, generation, bins int) *pier {
	t.Helper()
	p := &pier{t: t, dir: t.TempDir(), broker: kafkatest.Start(t), offsets: filepath.Join(t.TempDir(), "offsets")}
	p.instrument = drawn.NewInstrument(p.dir, 901, 2)
	p.take(bins)
	handler, err := dashboard.New(dashboard.Options{Dir: p.dir, Generation: generation, Dataset: "pier"})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	p.url = server.URL + "/pier/"
	return p
}

// take adds bins after those that are there.
func (p *pier) take(n int) {
	p.t.Helper()
	for range n {
		p.bins = append(p.bins, p.instrument.Take(p.t, time.Date(2019, 7, 28, 21, 10*len(p.bins), 0, 0, time.UTC)))
	}
}

// run runs a command and gives what it said last.
func (p *pier) run(cmd *cobra.Command, args ...string) (string, error) {
	p.t.Helper()
	var out, logs strings.Builder
	cmd.SetOut(&out)
	cmd.SetErr(&logs)
	cmd.SilenceUsage, cmd.SilenceErrors = true, true
	cmd.SetArgs(append(args, "--offsets", p.offsets))
	err := cmd.ExecuteContext(p.t.Context())
	if p.t.Failed() || testing.Verbose() {
		p.t.Log(logs.String())
	}
	said, _, _ := strings.Cut(out.String(), ";")
	return said, err
}

// images reads the topic: how often each key is there, and the last value.
func (p *pier) images() (times map[string]int, last map[string][]byte) {
	p.t.Helper()
	c, err := kafka.Open(p.t.Context(), kafka.Options{Bootstrap: []string{p.broker}})
	if err != nil {
		p.t.Fatal(err)
	}
	defer c.Close()
	n, err := c.Partitions(p.t.Context(), "images")
	if err != nil {
		p.t.Fatal(err)
	}
	times, last = map[string]int{}, map[string][]byte{}
	for i := range n {
		err := c.ReadPartition(p.t.Context(), connector.TopicPartition{Topic: "images", Partition: i}, 0, func(m kafka.Message) error {
			times[string(m.Key)]++
			last[string(m.Key)] = m.Value
			return nil
		})
		if err != nil {
			p.t.Fatal(err)
		}
	}
	return times, last
}

// once is one of each image of some bins.
func (p *pier) once(bins ...ifcb.BinID) map[string]int {
	p.t.Helper()
	want := map[string]int{}
	for _, id := range bins {
		b, err := ifcb.Open(filepath.Join(p.dir, id.Day(), id.String()+".adc"))
		if err != nil {
			p.t.Fatal(err)
		}
		for _, roi := range b.Served() {
			want[id.Target(roi.Number).String()] = 1
		}
		b.Close()
	}
	return want
}

func TestIngest(t *testing.T) {
	tests := []struct {
		name  string
		make  func() *cobra.Command
		words []string
		want  func(bins []ifcb.BinID) []ifcb.BinID
	}{
		{"feed", newIngestCommand, []string{"feed"}, func(b []ifcb.BinID) []ifcb.BinID { return b[2:4] }},
		{"station", newIngestCommand, []string{"station"}, func(b []ifcb.BinID) []ifcb.BinID { return b[:2] }},
		{"publish-feed-images", newPublishFeedImagesCommand, nil, func(b []ifcb.BinID) []ifcb.BinID { return b[2:4] }},
		{"publish-station-images", newPublishStationImagesCommand, nil, func(b []ifcb.BinID) []ifcb.BinID { return b[:2] }},
	}
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newPier(t, 1+i%2, 4)
			args := append(tt.words, p.url, "images", p.broker)
			two, all := append(args[:len(args):len(args)], "--nbins", "2"), append(args[:len(args):len(args)], "--nbins", "-1")
			want := p.once(tt.want(p.bins)...)
			for run := range 2 {
				said, err := p.run(tt.make(), two...)
				if err != nil {
					t.Fatal(err)
				}
				if wanted := []string{"4 images of 2 bins published to images", "0 images of 0 bins published to images"}[run]; said != wanted {
					t.Errorf("run %d says %q, want %q", run+1, said, wanted)
				}
				got, _ := p.images()
				if d := cmp.Diff(want, got); d != "" {
					t.Errorf("run %d: %s", run+1, d)
				}
			}
			p.take(1) // what comes later is taken as well, what was is not again
			if _, err := p.run(tt.make(), all...); err != nil {
				t.Fatal(err)
			}
			got, _ := p.images()
			if d := cmp.Diff(p.once(p.bins...), got); d != "" {
				t.Error(d)
			}
		})
	}
}

// The value is the original's: a JSON object without schema.
func TestIngestValue(t *testing.T) {
	p := newPier(t, 2, 1)
	if _, err := p.run(newPublishFeedImagesCommand(), p.url, "images", p.broker); err != nil {
		t.Fatal(err)
	}
	_, values := p.images()
	for key, value := range values {
		var got struct {
			IFCB     string `json:"ifcb_id"`
			Datetime int64  `json:"datetime"`
			ROI      int    `json:"roi"`
			Image    string `json:"image"`
		}
		d := json.NewDecoder(strings.NewReader(string(value)))
		d.DisallowUnknownFields()
		if err := d.Decode(&got); err != nil {
			t.Fatalf("%s: %v", value, err)
		}
		if name := fmt.Sprintf("D20190728T210000_IFCB901_%05d", got.ROI); key != name || got.IFCB != "IFCB901" || got.Datetime != 1564347600 {
			t.Errorf("%s: %s %d, want %s", key, got.IFCB, got.Datetime, name)
		}
		png, err := base64.StdEncoding.DecodeString(got.Image)
		if err != nil {
			t.Error(err)
		}
		if _, _, err := ifcb.CheckPNG(png); err != nil {
			t.Errorf("%s: %v", key, err)
		}
	}
	if len(values) != 2 {
		t.Errorf("%d images, want 2", len(values))
	}
}

// With --format avro the schema is registered under the topic's name.
func TestIngestAvro(t *testing.T) {
	p := newPier(t, 1, 1)
	server, err := registryd.Start(t.Context(), new(registryd.MemoryLog), registryd.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	if _, err := p.run(newIngestCommand(), "feed", p.url, "images", p.broker, "--format", "avro", "--registry", server.URL()); err != nil {
		t.Fatal(err)
	}
	_, values := p.images()
	for key, value := range values {
		if len(value) < 5 || value[0] != 0 {
			t.Errorf("%s: its value is not Avro: %.20q", key, value)
		}
	}
	client, err := registry.New(registry.Options{URLs: []string{server.URL()}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	schema, err := client.Latest(t.Context(), "images-value")
	if err != nil || !strings.Contains(schema.Text, `"ml_analyzed"`) || len(values) != 2 {
		t.Errorf("%d images of schema %s, %v", len(values), schema.Text, err)
	}
}

func TestIngestIsRefused(t *testing.T) {
	p := newPier(t, 2, 1)
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	tests := []struct {
		name string
		args []string
		want []string
	}{
		{"no dashboard", []string{"feed", "ifcb.example.org/pier", "images", p.broker}, []string{"ingest feed: ", "dashboard.url", "http or https"}},
		{"unknown format", []string{"feed", p.url, "images", p.broker, "--format", "xml"}, []string{`--format: "xml" is neither json nor avro`}},
		{"avro without registry", []string{"feed", p.url, "images", p.broker, "--format", "avro"}, []string{"--registry URL"}},
		{"json with registry", []string{"feed", p.url, "images", p.broker, "--registry", "http://localhost"}, []string{"--format avro"}},
		{"too few bins", []string{"station", p.url, "images", p.broker, "--nbins", "-2"}, []string{"nbins"}},
		{"dashboard down", []string{"station", gone.URL + "/pier", "images", p.broker, "--patience", "1ms"},
			[]string{"ingest station: given up after 1ms without progress", gone.URL, "the same command goes on"}},
		{"kafka down", []string{"feed", p.url, "images", strings.TrimPrefix(gone.URL, "http://"), "--patience", "1ms"},
			[]string{"given up after 1ms without progress", "kafka"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := p.run(newIngestCommand(), tt.args...)
			if err == nil {
				t.Fatal("it is done")
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is not in: %v", want, err)
				}
			}
		})
	}
}

// A bin without images is told in the end, and does not hold up others.
func TestIngestLosesABin(t *testing.T) {
	p := newPier(t, 2, 3)
	want := p.once(p.bins[0], p.bins[2])
	if err := os.Remove(filepath.Join(p.dir, p.bins[1].Day(), p.bins[1].String()+".roi")); err != nil {
		t.Fatal(err)
	}
	_, err := p.run(newPublishStationImagesCommand(), p.url, "images", p.broker)
	if err == nil || !strings.Contains(err.Error(), "1 bins and 0 single images could not be had") {
		t.Errorf("it ends with %v", err)
	}
	got, _ := p.images()
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
