package main

import (
	"bufio"
	"context"
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

func TestSimulateDashboard(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cmd := newSimulateCommand()
	out, in := io.Pipe()
	cmd.SetOut(in)
	cmd.SetErr(io.Discard)
	cmd.SetArgs([]string{"dashboard", "--listen", "127.0.0.1:0", "--dataset", "pier", "--images-per-bin", "1", "--backlog", "1"})
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
	answer, err := http.Get(strings.TrimSuffix(url, "pier/") + "api/list_datasets")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || strings.TrimSpace(string(body)) != `{"datasets":["pier"]}` {
		t.Errorf("%s, %v", body, err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestSimulateBadOptions(t *testing.T) {
	for _, args := range [][]string{
		{"images"}, {"images", "--out", t.TempDir(), "--per-class", "0"},
		{"dashboard", "--generation", "3", "--listen", "127.0.0.1:0"}, {"dashboard", "--bins", filepath.Join(t.TempDir(), "no")},
		{"dashboard", "--interval", "1ms"},
	} {
		cmd := newSimulateCommand()
		cmd.SilenceUsage, cmd.SilenceErrors = true, true
		cmd.SetArgs(args)
		if err := cmd.Execute(); err == nil {
			t.Errorf("%v is accepted", args)
		}
	}
}
