package distributed

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime/cluster"
	"github.com/axiom-data-science/hydraulics/runtime/herder"
)

// Leads is nil where this worker leads the cluster. Else it says who does, if that is
// known.
func (m *Member) Leads() error {
	p := m.Placement()
	switch {
	case p.Leads():
		return nil
	case p.LeaderURL == "":
		return &herder.Error{Reason: herder.Conflict, Text: "Cannot complete request momentarily due to no known leader URL, likely because a rebalance was underway."}
	}
	return &herder.Elsewhere{URL: p.LeaderURL}
}

// Owner says which worker runs a task, or that the leader knows.
func (m *Member) Owner(id herder.TaskID) error {
	if err := m.Leads(); err != nil {
		return err
	}
	url, known := m.group.Owner(cluster.Part(id))
	if !known || url == m.o.URL {
		return herder.ErrRebalance
	}
	return &herder.Elsewhere{URL: url}
}

// submitPatience is how long the leader may take to answer, as for other requests.
const submitPatience = 90 * time.Second

// Submit sends the leader the tasks of a connector, signed. What keeps it from taking
// them may pass.
func (m *Member) Submit(ctx context.Context, name string, tasks []connector.Props) error {
	body, err := encodeTasks(tasks)
	if err != nil {
		return err
	}
	status, err := m.submit(ctx, name, body)
	if status == http.StatusForbidden { // the key may be a newer one
		if err := m.store.ToEnd(ctx); err != nil {
			return connector.Retriable(err)
		}
		_, err = m.submit(ctx, name, body)
	}
	if err != nil {
		return connector.Retriable(fmt.Errorf("tasks for the leader of the cluster: %w", err))
	}
	return nil
}

func (m *Member) submit(ctx context.Context, name string, body []byte) (status int, err error) {
	ctx, cancel := context.WithTimeout(ctx, submitPatience) // another worker may lead by then
	defer cancel()
	p := m.Placement()
	if p.LeaderURL == "" {
		return 0, errors.New("there is none while a rebalance is on")
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(p.LeaderURL, "/")+"/connectors/"+url.PathEscape(name)+"/tasks", bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json")
	if p.Version == cluster.Sessioned {
		if err := m.signs(r.Header, body); err != nil {
			return 0, err
		}
	}
	res, err := m.o.HTTP.Do(r)
	if err != nil {
		return 0, err
	}
	defer func() { _ = res.Body.Close() }() // it was read
	said, err := io.ReadAll(io.LimitReader(res.Body, 1<<16))
	if err == nil && res.StatusCode >= 300 {
		err = fmt.Errorf("%s: %s", res.Status, said)
	}
	return res.StatusCode, err
}

// encodeTasks gives configurations of tasks as workers send them to each other.
func encodeTasks(tasks []connector.Props) ([]byte, error) {
	list := make([]map[string]*string, len(tasks))
	for i, t := range tasks {
		list[i] = make(map[string]*string, len(t))
		for key := range t {
			list[i][key] = nil
			if text, ok := t.Text(key); ok {
				list[i][key] = &text
			}
		}
	}
	return json.Marshal(list)
}
