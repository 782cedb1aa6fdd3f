package dashboard

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
)

const (
	// maxText bounds an answer that is read into memory, bytes: a table of half a million bins has about 60 MB.
	maxText = 128 << 20
	// maxRetryAfter bounds what a server may ask for.
	maxRetryAfter = time.Hour
	// maxKept is how many listings are kept to ask whether they have changed, and maxKeptBytes how large each may be.
	maxKept      = 32
	maxKeptBytes = 4 << 20
)

// errNotFound is a 404 or 410.
var errNotFound = errors.New("not found")

// errNotModified is a 304.
var errNotModified = errors.New("not modified")

// errPage is a web page where data was expected: a login, a portal, another server.
var errPage = errors.New("the answer is an HTML page")

// What a client does unless its options say otherwise.
const (
	DefaultTimeout     = time.Minute
	DefaultConnections = 2
)

// Options of a client.
type Options struct {
	Timeout     time.Duration // how long a dashboard may be silent, before an answer and within one
	Connections int           // to one host, of the whole process
	Agent       string        // who asks, and in which version
	Access
}

// Client makes requests that never hang and never read without bound. It is for one goroutine at a time.
type Client struct {
	http    *http.Client
	options Options
	kept    map[string]keptListing
}

// NewClient makes a client. It does not connect.
func NewClient(o Options) *Client {
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	if o.Connections == 0 {
		o.Connections = DefaultConnections
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxConnsPerHost = o.Connections
	if o.Proxy != nil {
		transport.Proxy = http.ProxyURL(o.Proxy)
	}
	if o.Roots != nil {
		transport.TLSClientConfig = &tls.Config{RootCAs: o.Roots, MinVersion: tls.VersionTLS12}
	}
	return &Client{http: &http.Client{Transport: transport, CheckRedirect: o.checkRedirect}, options: o, kept: map[string]keptListing{}}
}

// keptListing is an answer and what a server calls that version of it.
type keptListing struct {
	etag, modified string
	data           []byte
}

// Close ends idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// body is an answer whose reading ends when the server is silent for too long.
type body struct {
	io.ReadCloser
	ctx     context.Context
	cancel  context.CancelCauseFunc
	silence *time.Timer
	timeout time.Duration
	header  http.Header
	leave   func()
}

func (b *body) Read(p []byte) (int, error) {
	b.silence.Reset(b.timeout)
	n, err := b.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) && b.ctx.Err() != nil {
		err = context.Cause(b.ctx)
	}
	return n, err
}

func (b *body) Close() error {
	b.silence.Stop()
	b.cancel(nil)
	err := b.ReadCloser.Close()
	b.leave()
	return err
}

// get asks for a URL. An answer other than 200 is an error: errNotFound, or one marked retriable (with the time the
// server asks for) or fatal. A web page is errPage.
func (c *Client) get(ctx context.Context, url string, headers ...string) (*body, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		cancel(nil)
		return nil, connector.Fatal(err)
	}
	maps.Copy(request.Header, c.options.Login)
	request.Header.Set("User-Agent", c.options.Agent)
	for i := 0; i < len(headers); i += 2 {
		if headers[i+1] != "" {
			request.Header.Set(headers[i], headers[i+1])
		}
	}
	leave, err := hosts.enter(ctx, request.URL.Host, c.options.Connections)
	if err != nil {
		cancel(nil)
		return nil, connector.Retriable(err)
	}
	silence := time.AfterFunc(c.options.Timeout, func() { cancel(fmt.Errorf("the dashboard is silent for %s", c.options.Timeout)) })
	answer, err := c.http.Do(request)
	if err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		silence.Stop()
		cancel(nil)
		leave()
		return nil, requestError(url, err)
	}
	b := &body{ReadCloser: answer.Body, ctx: ctx, cancel: cancel, silence: silence, timeout: c.options.Timeout, header: answer.Header, leave: leave}
	if err := c.checkAnswer(answer); err != nil && !(errors.Is(err, errPage) && b.isData()) {
		b.Close()
		return nil, fmt.Errorf("%s: %w", url, err)
	}
	return b, nil
}

// isData tells whether what is called a page is none: some servers call text so that they have no type for.
func (b *body) isData() bool {
	const enough = 512
	start := bufio.NewReaderSize(b.ReadCloser, enough)
	begins, err := start.Peek(enough)
	if err != nil && !errors.Is(err, io.EOF) {
		return false
	}
	b.ReadCloser = struct {
		io.Reader
		io.Closer
	}{start, b.ReadCloser}
	begins = bytes.TrimSpace(bytes.TrimPrefix(begins, []byte("\ufeff")))
	return len(begins) > 0 && begins[0] != '<'
}

func (c *Client) checkAnswer(answer *http.Response) error {
	status := fmt.Errorf("the dashboard answers %s", answer.Status)
	switch code := answer.StatusCode; {
	case code == http.StatusOK:
		if kind, _, _ := mime.ParseMediaType(answer.Header.Get("Content-Type")); kind == "text/html" {
			return errPage
		}
		return nil
	case code == http.StatusNotModified:
		return errNotModified
	case code == http.StatusNotFound || code == http.StatusGone:
		return errNotFound
	case code == http.StatusTooManyRequests || code == http.StatusRequestTimeout || code >= 500:
		return connector.Coded("H7001", connector.Retriable(status, connector.After(retryAfter(answer.Header.Get("Retry-After"), time.Now()))))
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		return connector.Coded("H7002", connector.Fatal(fmt.Errorf("%w: %s", status, c.options.refused())))
	case code == http.StatusProxyAuthRequired:
		return connector.Fatal(fmt.Errorf("%w: the proxy wants a login, which proxy.url can hold", status))
	}
	return status
}

// retryAfter reads seconds or a date; 0 for neither.
func retryAfter(text string, now time.Time) time.Duration {
	wait := time.Duration(0)
	if seconds, err := strconv.ParseInt(strings.TrimSpace(text), 10, 32); err == nil {
		wait = time.Duration(seconds) * time.Second
	} else if at, err := http.ParseTime(text); err == nil {
		wait = at.Sub(now)
	}
	return min(max(wait, 0), maxRetryAfter)
}

// bytes reads an answer of at most limit bytes. One that breaks off is retriable.
func (c *Client) bytes(ctx context.Context, url string, limit int64) ([]byte, error) {
	b, err := c.get(ctx, url)
	if err != nil {
		return nil, err
	}
	return b.all(url, limit)
}

// all reads an answer to its end.
func (b *body) all(url string, limit int64) ([]byte, error) {
	defer b.Close()
	var data bytes.Buffer
	n, err := data.ReadFrom(io.LimitReader(b, limit+1))
	switch {
	case err != nil:
		return nil, connector.Retriable(fmt.Errorf("%s: after %d bytes: %w", url, n, err))
	case n > limit:
		return nil, fmt.Errorf("%s: more than %d bytes", url, limit)
	}
	return data.Bytes(), nil
}

// json reads an answer into v. Text that is no such JSON is an error: wrong server, or a new version of it.
func (c *Client) json(ctx context.Context, url string, v any) error {
	data, err := c.bytes(ctx, url, maxText)
	if err != nil {
		return err
	}
	return decode(url, data, v)
}

// list is json for a listing that is asked for again and again: it comes anew only when it has changed.
func (c *Client) list(ctx context.Context, url string, v any) error {
	data, err := c.listing(ctx, url)
	if err != nil {
		return err
	}
	return decode(url, data, v)
}

// listing gives an answer, that of the last time when the server says it is the same.
func (c *Client) listing(ctx context.Context, url string) ([]byte, error) {
	before, known := c.kept[url]
	b, err := c.get(ctx, url, "If-None-Match", before.etag, "If-Modified-Since", before.modified)
	if known && errors.Is(err, errNotModified) {
		return before.data, nil
	}
	if err != nil {
		return nil, err
	}
	data, err := b.all(url, maxText)
	if err != nil {
		return nil, err
	}
	now := keptListing{b.header.Get("ETag"), b.header.Get("Last-Modified"), data}
	if now.etag == "" && now.modified == "" || len(data) > maxKeptBytes {
		delete(c.kept, url)
		return data, nil
	}
	for other := range c.kept { // any will do: those that are asked for again come back
		if len(c.kept) < maxKept {
			break
		}
		delete(c.kept, other)
	}
	c.kept[url] = now
	return data, nil
}

func decode(url string, data []byte, v any) error {
	if err := json.Unmarshal(data, v); err != nil {
		return fmt.Errorf("%s: %w: %w", url, errNotJSON, err)
	}
	return nil
}

var errNotJSON = errors.New("the answer is not the JSON of a dashboard")

// download streams an answer into a file that vanishes when it is closed.
func (c *Client) download(ctx context.Context, url string, limit int64) (*os.File, int64, error) {
	b, err := c.get(ctx, url)
	if err != nil {
		return nil, 0, err
	}
	defer b.Close()
	file, err := os.CreateTemp("", "hydraulics-ifcb-*.zip")
	if err != nil {
		return nil, 0, connector.Retriable(fmt.Errorf("temporary file for %s: %w", url, err))
	}
	os.Remove(file.Name()) // on Unix it lives on until it is closed, and no kill -9 leaves it behind
	size, err := io.Copy(file, io.LimitReader(b, limit+1))
	switch {
	case err != nil:
		err = connector.Retriable(fmt.Errorf("%s: after %d bytes: %w", url, size, err))
	case size > limit:
		err = fmt.Errorf("%s: more than the %d bytes of zip.max.bytes", url, limit)
	default:
		return file, size, nil
	}
	discard(file)
	return nil, 0, err
}

// discard closes a temporary file and removes it where that was not possible while it was open.
func discard(file *os.File) {
	file.Close()
	os.Remove(file.Name())
}

// IsAbsent tells whether an error means that a route is not there.
func IsAbsent(err error) bool {
	return errors.Is(err, errNotFound) || errors.Is(err, errPage) || errors.Is(err, errNotJSON)
}

// IsGone tells whether an error means that this way of getting images does not work for a bin, for now: the route is
// absent, or what it gave is damaged. An error of the environment is not.
func IsGone(err error) bool { return connector.KindOf(err) == connector.KindUnmarked }
