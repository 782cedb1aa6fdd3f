package cli

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"testing"

	"github.com/axiom-data-science/hydraulics/internal/test/kafkatest"
	"github.com/axiom-data-science/hydraulics/internal/test/wait"
)

// browser asks a worker's page in a session that it has by a ticket.
type browser struct {
	t *testing.T
	*http.Client
	page string
}

// enter opens the page of a worker with its ticket.
func enter(t *testing.T, w *Worker) browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	b := browser{t, &http.Client{Jar: jar}, w.PageURL()}
	ticket, _ := w.Pass()
	if status, answer := b.asks("GET", strings.TrimPrefix(ticket, b.page), ""); status != http.StatusOK {
		t.Fatalf("the page answers %d %s", status, answer)
	}
	return b
}

// begins sends a request whose answer is to be read.
func (b browser) begins(method, path, body string) *http.Response {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.page+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	res, err := b.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	return res
}

func (b browser) asks(method, path, body string) (status int, answer string) {
	b.t.Helper()
	res := b.begins(method, path, body)
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return res.StatusCode, string(data)
}

// A session of one worker's page changes what the leader alone may change, restarts what
// another worker runs, and sees the records there.
func TestSessionInACluster(t *testing.T) {
	leader, other := startTwoWith(t, WorkerOptions{Ticket: true}, kafkatest.Start(t), "inter.worker.key.ttl.ms=1000")
	if status, answer := ask(t, other, "PUT", "/connectors/n/config", fmt.Sprintf(numbers, 2)); status != http.StatusUnauthorized {
		t.Errorf("who has no session is answered %d %s", status, answer)
	}
	b := enter(t, other)
	expectFrom := func(want int, method, path, body string) {
		t.Helper()
		if status, answer := b.asks(method, path, body); status != want {
			t.Fatalf("%s %s: %d, want %d: %s", method, path, status, want, answer)
		}
	}
	expectFrom(http.StatusCreated, "PUT", "/api/connectors/n/config", fmt.Sprintf(numbers, 2))
	at := expect(t, "n", "RUNNING", 2, leader, other)
	if len(at) != 2 {
		t.Fatalf("the tasks are at %v", at)
	}
	for task := range 2 {
		expectFrom(http.StatusNoContent, "POST", fmt.Sprintf("/api/connectors/n/tasks/%d/restart", task), "")
	}
	expect(t, "n", "RUNNING", 2, leader, other)
	wait.Until(t, "the view has both workers", func() bool { return len(other.member.View().Peers) == 2 })
	for task := range 2 {
		func() {
			res := b.begins("GET", fmt.Sprintf("/api/connectors/n/tap?task=%d", task), "")
			defer func() { _ = res.Body.Close() }()
			seen := make([]byte, len("event: record"))
			if _, err := io.ReadFull(res.Body, seen); err != nil || string(seen) != "event: record" {
				t.Errorf("task %d: the tap begins with %q (%v)", task, seen, err)
			}
		}()
	}
	_, token := other.Pass()
	r, err := http.NewRequestWithContext(t.Context(), "DELETE", other.RESTURL()+"/connectors/n", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := res.Body.Close(); err != nil || res.StatusCode != http.StatusNoContent {
		t.Errorf("with the token: %s (%v)", res.Status, err)
	}
}
