package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSimulateImages(t *testing.T) {
	dir := t.TempDir()
	cmd := newSimulateCommand()
	var out strings.Builder
	cmd.SetOut(&out)
	cmd.SetArgs([]string{"images", "--out", dir, "--per-class", "1", "--seed", "4"})
	if err := cmd.Execute(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "demo-sphere", "demo-sphere_00001.png")); err != nil {
		t.Error(err)
	}
	if !strings.HasPrefix(out.String(), "8 images of 8 classes") {
		t.Errorf("it says %q", out.String())
	}
}

// simulateDashboard runs `hydraulics simulate dashboard` until the test ends and gives the root of its URLs.
func simulateDashboard(t *testing.T, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cmd := newSimulateCommand()
	out, in := io.Pipe()
	cmd.SetOut(in)
	cmd.SetErr(io.Discard)
	cmd.SetArgs(append([]string{"dashboard", "--listen", "127.0.0.1:0", "--dataset", "pier", "--images-per-bin", "1", "--backlog", "1"}, args...))
	done := make(chan error, 1)
	go func() {
		err := cmd.ExecuteContext(ctx)
		in.CloseWithError(err)
		done <- err
	}()
	said, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	_, url, ok := strings.Cut(strings.TrimSpace(said), ": ")
	if !ok {
		t.Fatalf("it says %q", said)
	}
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return strings.TrimSuffix(url, "pier/")
}

func TestSimulateDashboard(t *testing.T) {
	answer, err := http.Get(simulateDashboard(t) + "api/list_datasets")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || strings.TrimSpace(string(body)) != `{"datasets":["pier"]}` {
		t.Errorf("%s, %v", body, err)
	}
}

func TestSimulateFaults(t *testing.T) {
	root := simulateDashboard(t, "--fault", "429=1@list_datasets", "--fault", "500=1@most_recent", "--retry-after", "3s")
	for path, want := range map[string]string{"api/list_datasets": "429 3", "api/most_recent_bin": "500 ", "pier/": "200 "} {
		answer, err := http.Get(root + path)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if got := fmt.Sprint(answer.StatusCode, " ", answer.Header.Get("Retry-After")); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}

func TestSimulateBadOptions(t *testing.T) {
	for _, args := range [][]string{
		{"images"}, {"images", "--out", t.TempDir(), "--per-class", "0"},
		{"dashboard", "--generation", "3", "--listen", "127.0.0.1:0"}, {"dashboard", "--bins", filepath.Join(t.TempDir(), "no")},
		{"dashboard", "--interval", "1ms"}, {"dashboard", "--instrument", "1000"}, {"dashboard", "--fault", "flood=1", "--listen", "127.0.0.1:0"},
	} {
		cmd := newSimulateCommand()
		cmd.SilenceUsage, cmd.SilenceErrors = true, true
		cmd.SetArgs(args)
		if err := cmd.Execute(); err == nil {
			t.Errorf("%v is accepted", args)
		}
	}
}
