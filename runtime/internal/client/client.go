// Package client asks a worker, or any of a cluster of workers, by Kafka Connect's
// REST API: one of this program or of Java's. It knows where workers are and how
// one logs in there: [Target].
package client

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/axiom-data-science/hydraulics/internal/data/wholejson"
)

const (
	// DefaultURL is where a worker listens that was not told otherwise.
	DefaultURL = "http://localhost:8083"
	// DefaultTimeout is how long an answer may take: longer than a worker takes
	// to say itself that it was too slow.
	DefaultTimeout = 100 * time.Second
	// dialTimeout is how long it may take to reach a worker: the next one may be there.
	dialTimeout = 5 * time.Second
	// maxBody bounds an answer.
	maxBody = 256 << 20
	// rebalancePause is the time between two requests to a cluster whose workers
	// share out their work.
	rebalancePause = 500 * time.Millisecond
)

// Options say which worker is asked, and how.
type Options struct {
	// URLs are those of one worker, or of several of a cluster: the next one is
	// asked where one cannot be reached.
	URLs []string
	// Username and Password are a login; Token is one in their place.
	Username, Password, Token string
	// TLS is nil where the system's certificates are to be trusted.
	TLS     *tls.Config
	Timeout time.Duration // of a request; 0 is DefaultTimeout
}

// Client asks a worker. It is safe for concurrent use.
type Client struct {
	bases []*url.URL
	http  *http.Client
	o     Options
}

// New makes a client. It connects when it is asked something.
func New(o Options) (*Client, error) {
	if o.Timeout <= 0 {
		o.Timeout = DefaultTimeout
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = o.TLS
	transport.DialContext = (&net.Dialer{Timeout: dialTimeout}).DialContext
	c := &Client{http: &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse // a DELETE that is sent on would become a GET, and a login would go elsewhere
	}}}
	for _, text := range o.URLs {
		if strings.TrimSpace(text) == "" {
			continue
		}
		u, err := parseURL(text)
		switch {
		case err != nil:
			return nil, errors.New("the worker's URL cannot be read: want http://host:port") // its text may hold a password
		case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
			return nil, fmt.Errorf("the worker's URL %s: want http://host:port or https://host:port", u.Redacted())
		}
		if u.User != nil {
			o.Username, o.Token = u.User.Username(), ""
			if password, given := u.User.Password(); given {
				o.Password = password
			}
			u.User = nil
		}
		u.Path = strings.TrimSuffix(u.Path, "/")
		c.bases = append(c.bases, u)
	}
	if len(c.bases) == 0 {
		return nil, errors.New("there is no URL of a worker")
	}
	c.o = o
	return c, nil
}

// parseURL reads the address of a worker, which people may write without http://.
func parseURL(text string) (*url.URL, error) {
	if text = strings.TrimSpace(text); !strings.Contains(text, "://") {
		text = "http://" + text
	}
	return url.Parse(text)
}

// Close closes the connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// URL gives the address of the worker, without a login.
func (c *Client) URL() string { return c.bases[0].String() }

// call is one request.
type call struct {
	method string
	path   []string // its parts
	query  url.Values
	body   any
	about  string // what it is about, for errors
	since  string // the version of Kafka Connect that brought it, "" for the beginning
	ours   bool   // only workers of hydraulics have it
	accept string // the content type of its answer, "" for JSON
}

// do asks the worker and reads its answer into a value, nil for none. It asks again
// while a cluster cannot answer because its workers are sharing out their work.
func (c *Client) do(ctx context.Context, r call, into any) error {
	ctx, cancel := context.WithTimeout(ctx, c.o.Timeout)
	defer cancel()
	var body []byte
	if r.body != nil {
		var err error
		if body, err = json.Marshal(r.body); err != nil {
			return fmt.Errorf("%s: %w", r.about, err)
		}
	}
	for {
		data, err := c.anyone(ctx, r, body)
		refused, is := errors.AsType[*Error](err)
		if is && refused.rebalancing() {
			select {
			case <-time.After(rebalancePause):
				continue
			case <-ctx.Done():
				return err
			}
		}
		if err != nil || into == nil {
			return err
		}
		if err := wholejson.Unmarshal(data, into); err != nil {
			return &Error{About: r.about, URL: c.URL(), Message: fmt.Sprintf("the answer is not what Kafka Connect's REST API says: %v", err), Status: http.StatusOK}
		}
		return nil
	}
}

// anyone asks the workers in turn until one can be reached.
func (c *Client) anyone(ctx context.Context, r call, body []byte) ([]byte, error) {
	var unreachable []error
	for _, base := range c.bases {
		data, err := c.ask(ctx, base, r, body)
		if _, away := errors.AsType[*UnreachableError](err); !away {
			return data, err
		}
		unreachable = append(unreachable, err)
	}
	return nil, errors.Join(unreachable...)
}

// ask asks one worker, and reads its answer whole.
func (c *Client) ask(ctx context.Context, base *url.URL, r call, body []byte) ([]byte, error) {
	resp, err := c.send(ctx, base, r, body)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return read(ctx, base, r, resp)
}

// read reads an answer.
func read(ctx context.Context, base *url.URL, r call, resp *http.Response) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	switch {
	case err != nil:
		return nil, unreachable(ctx, base, r.about, err)
	case len(data) > maxBody:
		return nil, fmt.Errorf("%s: %s: the answer has more than %d bytes", base, r.about, maxBody)
	case resp.StatusCode >= http.StatusMultipleChoices:
		return nil, refusal(base, r, resp, data)
	}
	return data, nil
}

// send sends a request to one worker.
func (c *Client) send(ctx context.Context, base *url.URL, r call, body []byte) (*http.Response, error) {
	u := base.JoinPath("/")
	u.Path, u.RawPath = base.Path+"/"+strings.Join(r.path, "/"), base.EscapedPath()
	for _, part := range r.path {
		u.RawPath += "/" + url.PathEscape(part)
	}
	u.RawQuery = r.query.Encode()
	req, err := http.NewRequestWithContext(ctx, r.method, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.about, err)
	}
	req.Header.Set("Accept", cmp.Or(r.accept, "application/json"))
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	switch {
	case c.o.Token != "":
		req.Header.Set("Authorization", "Bearer "+c.o.Token)
	case c.o.Username != "" || c.o.Password != "":
		req.SetBasicAuth(c.o.Username, c.o.Password)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, unreachable(ctx, base, r.about, err)
	}
	return resp, nil
}
