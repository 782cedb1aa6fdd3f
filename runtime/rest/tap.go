package rest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/axiom-data-science/hydraulics/runtime"
	"github.com/axiom-data-science/hydraulics/runtime/herder"
	"github.com/axiom-data-science/hydraulics/runtime/internal/events"
	"github.com/axiom-data-science/hydraulics/runtime/internal/preview"
)

const (
	// usualRate and mostRate are how many records a tap shows a second.
	usualRate, mostRate = 5, 100
	// mostKept is how many records of before a tap shows.
	mostKept = 60
	// tapTick is how often a tap says what it has counted, and looks where tasks are.
	tapTick = time.Second
	// tapPatience is how long a reader may take to take one in.
	tapPatience = 30 * time.Second
	// beatTicks is after how many ticks without anything it says that it goes on.
	beatTicks = 10
)

// Tap is how records are looked at that pass through what a worker runs.
type Tap func(connector string, o runtime.LiveOptions) *runtime.LiveTap

// countsBody is what one worker's tap has counted.
type countsBody struct {
	Worker string `json:"worker"`
	preview.Counts
}

// noteBody is something to know beside the records.
type noteBody struct {
	Message string `json:"message"`
}

// getTap streams samples of the records that pass through a connector's tasks, of this
// worker and of those others that run some of them.
func getTap(s *Server, w http.ResponseWriter, r request) int {
	if s.o.Tap == nil {
		return fail(w, failed(http.StatusNotFound, "This worker has no tap."))
	}
	if err := strangers(r, "No records are shown"); err != nil {
		return fail(w, err)
	}
	o, err := tapOptions(r.URL.Query())
	t := &tapping{s: s, name: r.args[0], o: o, alone: s.o.Peers == nil || r.URL.Query().Has("forward"), others: map[string]context.CancelFunc{}, asked: map[string]bool{}, over: make(chan string), events: make(chan events.Event)}
	if err == nil {
		err = t.look()
	}
	if err == nil {
		err = t.stages()
	}
	if err != nil {
		return fail(w, err)
	}
	out, err := events.NewWriter(w, tapPatience)
	if err != nil || r.Method == http.MethodHead {
		return http.StatusOK
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer t.work.Wait()
	defer cancel()
	if err := t.run(ctx, r, out); err != nil {
		s.o.Log.Debug("tap: its reader is gone: "+err.Error(), "connector", t.name)
	}
	return http.StatusOK
}

// tapOptions reads what is to be shown.
func tapOptions(q url.Values) (runtime.LiveOptions, error) {
	o := runtime.LiveOptions{Task: runtime.AllTasks, Stage: q.Get("stage"), Rate: usualRate}
	var err error
	if text := q.Get("task"); text != "" {
		if o.Task, err = strconv.Atoi(text); err != nil || o.Task < 0 {
			return o, failed(http.StatusBadRequest, "task: %q is not the number of a task", text)
		}
	}
	if text := q.Get("rate"); text != "" {
		if o.Rate, err = strconv.ParseFloat(text, 64); err != nil || !(o.Rate > 0 && o.Rate <= mostRate) {
			return o, failed(http.StatusBadRequest, "rate: %q is not a number of records per second above 0, %d at most", text, mostRate)
		}
	}
	if text := q.Get("last"); text != "" {
		if o.Last, err = strconv.Atoi(text); err != nil || o.Last < 0 || o.Last > mostKept {
			return o, failed(http.StatusBadRequest, "last: %q is not a number of records, %d at most", text, mostKept)
		}
	}
	return o, nil
}

// tapping is a request for records. Its goroutines, one for each other worker, end with
// the request.
type tapping struct {
	s      *Server
	name   string
	o      runtime.LiveOptions
	alone  bool   // only what this worker runs
	worker string // this one, as statuses name it
	work   sync.WaitGroup
	events chan events.Event // from other workers

	away   map[string]bool               // URLs of the others that run tasks of the connector
	others map[string]context.CancelFunc // those that are asked
	asked  map[string]bool               // those that were asked at some time
	over   chan string                   // those whose streams have ended
}

// look finds where the tasks are.
func (t *tapping) look() error {
	status, err := t.s.o.Herder.Status(t.name)
	if err != nil {
		return err
	}
	t.away = map[string]bool{}
	there := false
	for _, task := range status.Tasks {
		if t.o.Task != runtime.AllTasks && t.o.Task != task.ID {
			continue
		}
		there = true
		if task.Here {
			t.worker = task.WorkerID
		} else if at := t.url(task.WorkerID); at != "" {
			t.away[at] = true
		}
	}
	delete(t.away, t.url(t.worker)) // what it said itself of tasks that it has no more
	if !there && t.o.Task != runtime.AllTasks {
		return &herder.Error{Reason: herder.NotFound, Text: fmt.Sprintf("Connector %s has no task %d", t.name, t.o.Task)}
	}
	return nil
}

// url gives the address of the worker that a status names, empty where it is not known.
func (t *tapping) url(worker string) string {
	if t.alone {
		return ""
	}
	return t.s.o.Peers.View().URL(worker)
}

// stages refuses a stage that none of the tasks here has.
func (t *tapping) stages() error {
	if t.o.Stage == "" {
		return nil
	}
	var names []string
	for _, s := range t.s.o.Herder.Snapshots() {
		if s.Connector != t.name {
			continue
		}
		for _, stage := range s.Stages {
			if !preview.Tapped(stage.Name) {
				continue
			}
			if preview.Named(stage.Name, t.o.Stage) {
				return nil
			}
			names = append(names, stage.Name)
		}
	}
	if len(names) == 0 {
		return nil // nothing of it runs here by now
	}
	slices.Sort(names)
	return failed(http.StatusBadRequest, "stage: %s has none with %q in its name, there are %s", t.name, t.o.Stage, strings.Join(slices.Compact(names), ", "))
}

// run sends what is seen until the reader is gone, the connector is deleted or the
// worker stops.
func (t *tapping) run(ctx context.Context, r request, out *events.Writer) error {
	tap := t.s.o.Tap(t.name, t.o)
	defer tap.Close()
	tick := time.NewTicker(tapTick)
	defer tick.Stop()
	t.follow(ctx, r)
	var told preview.Counts
	for quiet := 0; ; {
		var err error
		select {
		case <-ctx.Done():
			return nil
		case <-t.s.closing:
			return out.Write(event("end", noteBody{"The worker stops."}))
		case <-tap.Ended():
			return out.Write(event("end", noteBody{"The connector was deleted."}))
		case <-tap.Ready():
			if sample := tap.Next(); sample != nil {
				err = out.Write(event("record", sample))
			}
		case e := <-t.events:
			err = out.Write(e)
		case at := <-t.over:
			delete(t.others, at) // the next tick asks again
		case <-tick.C:
			quiet++
			counts := tap.Counts()
			switch {
			case counts != told:
				told, quiet = counts, 0
				err = out.Write(event("counts", countsBody{t.worker, counts}))
			case quiet%beatTicks == 0:
				err = out.Beat()
			}
			if err := t.look(); err != nil { // it, or its task, is deleted
				return out.Write(event("end", noteBody{err.Error()}))
			}
			t.follow(ctx, r)
		}
		if err != nil {
			return err
		}
	}
}

// event makes an event of a value.
func event(name string, v any) events.Event {
	data, err := json.Marshal(v)
	if err != nil {
		return event("note", noteBody{err.Error()})
	}
	return events.Event{Name: name, Data: data}
}

// follow asks those other workers that run tasks of the connector by now, and no more
// those that do not.
func (t *tapping) follow(ctx context.Context, r request) {
	for at, cancel := range t.others {
		if !t.away[at] {
			cancel()
			delete(t.others, at)
		}
	}
	for _, at := range slices.Sorted(maps.Keys(t.away)) {
		if t.others[at] != nil {
			continue
		}
		one, cancel := context.WithCancel(ctx)
		again := t.asked[at]
		t.others[at], t.asked[at] = cancel, true
		t.work.Go(func() {
			defer cancel()
			begun, err := t.other(one, r, at, again)
			if err != nil && one.Err() == nil {
				t.pass(one, event("note", noteBody{"worker " + at + ": " + err.Error()}))
			}
			if begun { // one that refuses is asked again when its tasks have moved
				select {
				case t.over <- at:
				case <-one.Done():
				}
			}
		})
	}
}

// pass gives the request's goroutine an event.
func (t *tapping) pass(ctx context.Context, e events.Event) {
	select {
	case t.events <- e:
	case <-ctx.Done():
	}
}

// other passes on what another worker has to show, but for the end of its stream, and
// tells whether that has begun.
func (t *tapping) other(ctx context.Context, r request, at string, again bool) (begun bool, err error) {
	q := r.URL.Query()
	q.Set("forward", "false")
	if again {
		q.Del("last")
	}
	out, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(at, "/")+location(t.name)+"/tap?"+q.Encode(), nil)
	if err != nil {
		return false, err
	}
	out.Header.Set("Accept", events.Type)
	if login := r.Header.Get("Authorization"); login != "" {
		out.Header.Set("Authorization", login)
	}
	res, err := t.s.o.Peers.Do(out)
	if err != nil {
		return false, err
	}
	defer func() { _ = res.Body.Close() }() // it was read
	if res.StatusCode != http.StatusOK {
		const most = 1 << 16
		data, err := io.ReadAll(io.LimitReader(res.Body, most))
		var said errorBody
		switch {
		case err != nil:
			return false, err
		case res.StatusCode == http.StatusNotFound:
			return false, errors.New("it has no tap: is it one of Java's?")
		case json.Unmarshal(data, &said) == nil && said.Message != "":
			return false, errors.New(said.Message)
		}
		return false, errors.New(res.Status)
	}
	return true, events.Read(res.Body, func(e events.Event) error {
		if e.Name != "end" {
			t.pass(ctx, e)
		}
		return ctx.Err()
	})
}
