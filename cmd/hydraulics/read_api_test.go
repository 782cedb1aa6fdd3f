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

	"github.com/jackc/pgx/v5"

	"github.com/axiom-data-science/hydraulics/internal/pg/migrations"
	"github.com/axiom-data-science/hydraulics/internal/test/pgtest"
)

func TestReadAPI(t *testing.T) {
	server, err := pgtest.Start()
	if err != nil {
		t.Skip(err)
	}
	defer func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	}()
	conn, err := pgx.Connect(t.Context(), server.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	if err := migrations.Up(t.Context(), conn, os.DirFS("../../configs/migrations")); err != nil {
		t.Fatal(err)
	}
	pgtest.Exec(t, conn, "INSERT INTO ifcb_sample_stats VALUES (1564349199, 'IFCB104', 2, 'a', 0.5, 'm:1', 0, 1, 2, true)")
	file := filepath.Join(t.TempDir(), "read-api.conf")
	text := "db-uri = \"" + server.URL() + "\"\ndb-schema = \"public\"\ndb-anon-role = \"web_anon\"\nlog-level = \"info\"\nserver-host = \"127.0.0.1\"\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	out, in := io.Pipe()
	cmd := newReadAPICommand()
	cmd.SetArgs([]string{file, "--server-port", "0"})
	cmd.SetOut(in)
	cmd.SetErr(io.Discard)
	done := make(chan error, 1)
	go func() { done <- cmd.ExecuteContext(ctx); _ = in.Close() }()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("%v: %v", err, <-done)
	}
	_, address, _ := strings.Cut(strings.TrimSpace(line), "read api: ")
	for target, want := range map[string]string{
		"ifcb_sample_stats?hab=is.true&order=time.desc&limit=5&select=roi": `[{"roi":2}]`,
		"ifcb_sample_stats_time?select=time":                               `[{"time":"2019-07-28T21:26:39+00:00"}]`,
	} {
		answer, err := http.Get(address + target)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if err != nil || string(body) != want {
			t.Errorf("%s: got %s (%v), want %s", target, body, err, want)
		}
	}
	foreign, err := http.NewRequestWithContext(t.Context(), "GET", address+"ifcb_sample_stats", nil)
	if err != nil {
		t.Fatal(err)
	}
	foreign.Host = "elsewhere.example"
	answer, err := http.DefaultClient.Do(foreign)
	if err != nil {
		t.Fatal(err)
	}
	if _ = answer.Body.Close(); answer.StatusCode != http.StatusForbidden {
		t.Errorf("by another name: %d", answer.StatusCode)
	}
	stop()
	if err := <-done; err != nil {
		t.Errorf("stop: %v", err)
	}
}

func TestReadAPIRefuses(t *testing.T) {
	cmd := newReadAPICommand()
	cmd.SetArgs([]string{"--db-uri", "", "--server-port", "0"})
	cmd.SetOut(io.Discard)
	cmd.SetErr(io.Discard)
	if err := cmd.ExecuteContext(t.Context()); err == nil || !strings.Contains(err.Error(), "db-uri is missing") {
		t.Errorf("got %v", err)
	}
}
