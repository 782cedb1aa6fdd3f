//go:build integration

package postgres

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/test/wait"
)

const holderEnv = "HYDRAULICS_TEST_POSTGRES_DIR"

// TestMain also is the process that a test kills.
func TestMain(m *testing.M) {
	dir := os.Getenv(holderEnv)
	if dir == "" {
		os.Exit(m.Run())
	}
	s, err := Start(context.Background(), options(dir))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(s.Port())
	select {} // until it is killed
}

func options(dir string) Options {
	return Options{Dir: dir, User: "kafka", Database: "topics", Roles: []string{"reader"}}
}

// folder gives a folder as an ordinary user has it: below one that others may
// not enter.
func folder(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "postgres")
	t.Cleanup(func() {
		if err := Remove(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func begin(t *testing.T, o Options) *Server {
	t.Helper()
	s, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func query(t *testing.T, s *Server, text string) string {
	t.Helper()
	return queryAs(t, s.DSN(), text)
}

func queryAs(t *testing.T, dsn, text string) (answer string) {
	t.Helper()
	if err := connect(t, dsn).QueryRow(t.Context(), text).Scan(&answer); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return answer
}

func connect(t *testing.T, dsn string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	return conn
}

func TestLife(t *testing.T) {
	dir := folder(t)
	s := begin(t, options(dir))
	for text, want := range map[string]string{
		"select current_user || '@' || current_database()": "kafka@topics", "show listen_addresses": "127.0.0.1",
		"show timezone": "UTC", "show server_encoding": "UTF8", "show unix_socket_directories": "",
		"select string_agg(auth_method, ',') from pg_hba_file_rules": "scram-sha-256",
	} {
		dsn := s.DSN()
		if strings.Contains(text, "unix_socket") || strings.Contains(text, "pg_hba") { // not for everyone
			dsn = s.AdminDSN()
		}
		if got := queryAs(t, dsn, text); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
	query(t, s, "with x as (select 1) select 'ok' from x")
	if _, err := connect(t, s.DSN()).Exec(t.Context(), "create table kept as select 7 as n"); err != nil {
		t.Fatal(err)
	}
	if _, err := pgx.Connect(t.Context(), strings.Replace(s.DSN(), s.password.Secret(), "otherpassword", 1)); err == nil || !strings.Contains(err.Error(), "password authentication failed") {
		t.Errorf("another password: %v", err)
	}
	if _, err := Start(t.Context(), options(dir)); err == nil || !strings.Contains(err.Error(), "in use by another process") {
		t.Errorf("a second server on the folder: %v", err)
	}
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := s.Stop(); err != nil {
		t.Errorf("a second Stop: %v", err)
	}
	if _, ok := orphan(s.home.data()); ok {
		t.Error("the server goes on after Stop")
	}
	began := time.Now()
	again := begin(t, options(dir))
	t.Logf("an old cluster starts in %v", time.Since(began))
	if got := query(t, again, "select n::text from kept"); got != "7" {
		t.Errorf("after a restart the table holds %s", got)
	}
}

// TestUserIsNoSuperuser tries what would make whoever has the user's password the
// server's account.
func TestUserIsNoSuperuser(t *testing.T) {
	s := begin(t, options(folder(t)))
	for _, text := range []string{
		"copy (select 1) to program 'cat'", "create temp table t(a text); copy t from '/etc/passwd'", "select pg_read_file('postgresql.conf')",
		"create role other superuser", "alter role kafka superuser", "grant pg_execute_server_program to kafka", "set role postgres", "alter system set port = 1",
	} {
		_, err := connect(t, s.DSN()).Exec(t.Context(), text)
		if refused, ok := errors.AsType[*pgconn.PgError](err); !ok || refused.Code != "42501" {
			t.Errorf("%s: %v, want 42501", text, err)
		}
	}
	query(t, s, "select set_config('role', 'reader', false)")
	if got := queryAs(t, s.AdminDSN(), "select current_setting('is_superuser')"); got != "on" {
		t.Errorf("the superuser's is_superuser is %s", got)
	}
}

// TestPasswordsStay keeps what was drawn for a folder, and lets a given password
// replace the user's for as long as it is given.
func TestPasswordsStay(t *testing.T) {
	dir := folder(t)
	s := begin(t, options(dir))
	drawn := []string{s.DSN(), s.AdminDSN()}
	if other := begin(t, options(folder(t))); other.password == s.password || other.adminPassword == s.adminPassword {
		t.Error("two folders have the same password")
	}
	text, err := os.ReadFile(filepath.Join(dir, PasswordsFile))
	if want := fmt.Sprintf("postgres=%s\nkafka=%s\n", s.adminPassword.Secret(), s.password.Secret()); err != nil || string(text) != want {
		t.Errorf("%q, %v; want %q", text, err, want)
	}
	for path, want := range map[string]os.FileMode{dir: 0o700, filepath.Join(dir, PasswordsFile): 0o600, s.home.base: 0o700} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v; want %v", path, info.Mode(), err, want)
		}
	}
	for _, given := range []connector.Password{"it's", ""} {
		port := s.Port()
		if err := s.Stop(); err != nil {
			t.Fatal(err)
		}
		o := options(dir)
		o.Port, o.Password = port, given
		s = begin(t, o)
		query(t, s, "select 'ok'")
		if same := s.DSN() == drawn[0] && s.AdminDSN() == drawn[1]; same != (given == "") {
			t.Errorf("given %q: the drawn passwords are used: %t", given.Secret(), same)
		}
	}
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, PasswordsFile)); err != nil {
		t.Fatal(err)
	}
	if _, err := Start(t.Context(), options(dir)); err == nil || !strings.Contains(err.Error(), "delete both folders") {
		t.Errorf("without the passwords: %v", err)
	}
}

// TestBegunAnew deletes a folder whose server's data are elsewhere.
func TestBegunAnew(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("not root: the data are in the folder itself")
	}
	dir := folder(t)
	s := begin(t, options(dir))
	first := s.Folder()
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if s = begin(t, options(dir)); s.Folder() != first {
		t.Errorf("%s is left behind, the new data are in %s", first, s.Folder())
	}
	query(t, s, "select 'ok'")
}

// TestTakenOver kills the process that started the server.
func TestTakenOver(t *testing.T) {
	dir := folder(t)
	kill := func() int {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), holderEnv+"="+dir)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		line, err := bufio.NewReader(out).ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it ends only when the server holds none of its pipes
		port, err := strconv.Atoi(strings.TrimSpace(line))
		if err != nil {
			t.Fatal(err)
		}
		return port
	}
	port := kill()
	o := options(dir)
	s := begin(t, o)
	if s.Port() != port {
		t.Errorf("port %d, want %d of the server that was there", s.Port(), port)
	}
	query(t, s, "select 'ok'")
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	port = kill()
	var err error
	if o.Port, err = freePort(); err != nil {
		t.Fatal(err)
	}
	s = begin(t, o)
	if s.Port() != o.Port {
		t.Errorf("port %d, want %d", s.Port(), o.Port)
	}
	query(t, s, "select 'ok'")
	if !portIsFree(port) {
		t.Errorf("the server of the killed process still listens on %d", port)
	}
}

func TestBusyPort(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	o := options(folder(t))
	o.Port = l.Addr().(*net.TCPAddr).Port
	if _, err := Start(t.Context(), o); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("port %d", o.Port)) {
		t.Errorf("%v", err)
	}
	o.Port = 0
	begin(t, o)
}

// TestKilledServer restarts over the pid file of a server that was killed.
func TestKilledServer(t *testing.T) {
	dir := folder(t)
	s := begin(t, options(dir))
	p, err := os.FindProcess(s.pid)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Kill(); err != nil {
		t.Fatal(err)
	}
	if !gone(t.Context(), s.home.data(), wait.Patience) {
		t.Fatal("the server survives SIGKILL")
	}
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	query(t, begin(t, options(dir)), "select 'ok'")
}

// TestDownload fetches the bundle. It needs the network.
func TestDownload(t *testing.T) {
	if os.Getenv("HYDRAULICS_TEST_DOWNLOAD") == "" {
		t.Skip("HYDRAULICS_TEST_DOWNLOAD is not set: it fetches PostgreSQL over the network")
	}
	cache, err := os.MkdirTemp("", "hydraulics-bundle-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(cache) })
	if err := os.Chmod(cache, 0o755); err != nil {
		t.Fatal(err)
	}
	o := options(folder(t))
	o.Download, o.Cache = true, cache
	for _, what := range []string{"fetched", "from the cache"} {
		began := time.Now()
		s := begin(t, o)
		t.Logf("%s: %s in %v", what, query(t, s, "show server_version"), time.Since(began))
		if err := s.Stop(); err != nil {
			t.Fatal(err)
		}
	}
}
