package serving

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc/mem"

	"github.com/axiom-data-science/hydraulics/connector"
)

// web is a server that is talked to over HTTP.
type web struct {
	Target
	client  http.Client
	timeout time.Duration
}

func newWeb(t Target, opts Options) web {
	transport := opts.Transport
	if transport == nil {
		own := http.DefaultTransport.(*http.Transport).Clone()
		own.MaxIdleConnsPerHost = max(opts.Connections, own.MaxIdleConnsPerHost)
		transport = own
	}
	return web{Target: t, client: http.Client{Transport: transport}, timeout: opts.Timeout}
}

// Close drops idle connections.
func (w *web) Close() error {
	w.client.CloseIdleConnections()
	return nil
}

// answered is a good answer.
type answered struct {
	header http.Header
	body   []byte
}

// get reads a JSON answer.
func (w *web) get(ctx context.Context, u *url.URL, into any) error {
	a, err := w.do(ctx, u, nil, nil)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(a.body, into); err != nil {
		return connector.Fatal(fmt.Errorf("model server %s: its answer is no JSON (%w): %s", u.Redacted(), err, excerpt(a.body)))
	}
	return nil
}

// do sends a request, a POST where there is a body. Its errors have their kind.
func (w *web) do(ctx context.Context, u *url.URL, header http.Header, body mem.BufferSlice) (answered, error) {
	fail := func(err error) error { return fmt.Errorf("model server %s: %w", u.Redacted(), err) }
	outer := ctx
	ctx, cancel := context.WithTimeout(ctx, w.timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return answered{}, connector.Fatal(fail(errors.New("the URL cannot be used")))
	}
	if body != nil {
		req.Method, req.Header = http.MethodPost, header
		req.Body, req.ContentLength = body.Reader(), int64(body.Len())
		req.GetBody = func() (io.ReadCloser, error) { return body.Reader(), nil } // an idle connection may turn out closed
	}
	res, err := w.client.Do(req)
	if err != nil {
		if e, ok := errors.AsType[*url.Error](err); ok {
			err = e.Err // without the URL, which may hold a password
		}
		if errors.Is(err, context.DeadlineExceeded) {
			err = timedOut(outer, w.timeout, err)
		}
		return answered{}, connector.Coded("H4006", connector.Retriable(fail(err)))
	}
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err != nil {
		if errors.Is(err, context.DeadlineExceeded) {
			err = timedOut(outer, w.timeout, err)
		}
		return answered{}, connector.Retriable(fail(fmt.Errorf("its answer breaks off: %w", err)))
	}
	if len(data) > maxAnswer {
		return answered{}, connector.Coded("H4007", connector.Fatal(fail(fmt.Errorf("its answer is larger than %d bytes", maxAnswer))))
	}
	return answered{res.Header, data}, judge(res, data, body != nil)
}

// judge gives the error of an answer that is not good.
func judge(res *http.Response, data []byte, posted bool) error {
	html := bytes.HasPrefix(bytes.TrimSpace(data[:min(len(data), 512)]), []byte("<"))
	if res.StatusCode == http.StatusOK && !html {
		return nil
	}
	shown := res.Request.URL.Redacted()
	err := fmt.Errorf("model server %s: status %d: %s", shown, res.StatusCode, excerpt(data))
	switch code := res.StatusCode; {
	case code == http.StatusTooManyRequests || code == http.StatusRequestTimeout || code >= 500:
		var opts []connector.RetryOption
		if seconds, err := strconv.Atoi(res.Header.Get("Retry-After")); err == nil && seconds > 0 {
			opts = append(opts, connector.After(time.Duration(min(seconds, 3600))*time.Second))
		}
		return connector.Coded("H4006", connector.Retriable(err, opts...))
	case html && code < 400:
		// A proxy or a log-in page of the network is in the way.
		return connector.Coded("H4006", connector.Retriable(fmt.Errorf("model server %s: it answered a web page (status %d), not JSON: %s", shown, code, excerpt(data))))
	case posted && code == http.StatusRequestEntityTooLarge:
		return connector.Data(marked{err, ErrTooLarge})
	case posted && (code == http.StatusBadRequest || code == http.StatusUnprocessableEntity):
		return connector.Data(err)
	case code == http.StatusNotFound:
		return connector.Coded("H4011", connector.Fatal(marked{err, errNotFound}))
	}
	return connector.Coded("H4007", connector.Fatal(err))
}

// errNotFound is in the error of a model, version or method that is not there.
var errNotFound = errors.New("not found")

// gone makes the error of a request for a version retriable when that version is
// not there any more: it was unloaded since it was asked for.
func gone(version string, err error) error {
	if version != "" && errors.Is(err, errNotFound) {
		return connector.Retriable(err)
	}
	return err
}

// excerpt gives the beginning of an answer in one line.
func excerpt(data []byte) string {
	const limit = 160
	text := strings.Join(strings.Fields(strings.ToValidUTF8(string(data[:min(len(data), limit)]), "?")), " ")
	if len(data) > limit {
		text += " ..."
	}
	if text == "" {
		return "(empty)"
	}
	return text
}
