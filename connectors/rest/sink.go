package rest

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/axiom-data-science/hydraulics/connector"
)

// Version is what the connector reports.
const Version = "1.0.0"

var (
	_ connector.Sink      = (*Sink)(nil)
	_ connector.Validator = (*Sink)(nil)
)

func init() { connector.RegisterSink(func() connector.Sink { return new(Sink) }) }

// Sink sends records to a web service.
type Sink struct {
	target
	format          string
	keyed, whole    bool
	batch, maxBytes int
	retries         int // -1 without end
	backoff         time.Duration
	client          *http.Client
	reporter        connector.ErrantReporter
	requested       connector.Histogram
	refusals        connector.Counter
	// probed is how the service answered the question that a start after a refusal
	// asks, until it takes something; 0 without one.
	probed int
	// done are the records of a batch that failed half way which the service has
	// taken, or which were reported: the batch comes again.
	done map[connector.Origin]bool
}

// target is what decides where requests go to and how they are answered there.
type target struct {
	url, method, host string
	header            http.Header
	follow            bool
	hosts             []string
}

// Info describes the plugin.
func (*Sink) Info() connector.Info {
	return connector.Info{Name: "rest", Version: Version, Aliases: []string{"rest-sink", "http-sink"}, Doc: "Sends records to a web service."}
}

// ConfigDef gives the keys.
func (*Sink) ConfigDef() *connector.ConfigDef { return configDef() }

// Start makes the client. It connects with the first record, but after a refusal
// asks first whether the service still refuses.
func (s *Sink) Start(ctx context.Context, c connector.Context, conf connector.Config) error {
	s.target = target{url: conf.String("url"), method: conf.String("method"), follow: conf.Bool("redirects.follow"), hosts: conf.List("redirects.hosts")}
	s.header, s.host = header(conf)
	s.format = conf.String("format")
	s.keyed, s.whole = strings.Contains(s.url, placeKey), conf.String("body") == bodyRecord
	s.batch, s.maxBytes = conf.Int("batch.size"), conf.Int("batch.max.bytes")
	s.retries, s.backoff = -1, time.Duration(conf.Int64("retry.backoff.ms"))*time.Millisecond
	if conf.Has("max.retries") {
		s.retries = conf.Int("max.retries")
	}
	s.reporter = c.Reporter
	s.requested = c.Metrics.Histogram("rest_request_seconds", "Time of requests.", []float64{0.01, 0.1, 1, 10})
	s.refusals = c.Metrics.Counter("rest_refused_records_total", "Records that the service refused.")
	s.done = map[connector.Origin]bool{}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	if file := conf.String("tls.ca.file"); file != "" {
		pem, err := os.ReadFile(file)
		if err != nil {
			return connector.Fatal(fmt.Errorf("tls.ca.file: %w", err))
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(pem) {
			return connector.Fatal(fmt.Errorf("tls.ca.file: %s contains no certificate in PEM form", file))
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	s.client = &http.Client{Transport: transport, Timeout: time.Duration(conf.Int64("request.timeout.ms")) * time.Millisecond,
		CheckRedirect: s.redirected}
	return s.ask(ctx, c.Failed)
}

// Put sends the records in order.
func (s *Sink) Put(ctx context.Context, records []connector.Record) error {
	messages := make([]message, 0, len(records))
	for i := range records {
		r := &records[i]
		if s.done[r.Origin] && !r.Origin.IsZero() {
			continue
		}
		m, err := s.message(i, r)
		if err != nil {
			if err := s.refuse(ctx, r, err); err != nil {
				return err
			}
			continue
		}
		messages = append(messages, m)
	}
	for _, group := range s.requests(messages) {
		if err := s.send(ctx, group, records); err != nil {
			return err
		}
	}
	clear(s.done)
	return nil
}

// refuse reports a record that cannot be sent or was refused.
func (s *Sink) refuse(ctx context.Context, r *connector.Record, cause error) error {
	cause = connector.Data(fmt.Errorf("record %s[%d]@%d: %w", r.Origin.Topic, r.Origin.Partition, r.Origin.Offset, cause))
	s.refusals.Add(1)
	if s.reporter == nil {
		return cause
	}
	if err := s.reporter.Report(ctx, *r, cause); err != nil {
		return err
	}
	s.done[r.Origin] = true
	return nil
}

// send sends messages in one request; when the service refuses them, in halves.
func (s *Sink) send(ctx context.Context, messages []message, records []connector.Record) error {
	err := s.request(ctx, messages)
	if err == nil {
		for _, m := range messages {
			s.done[records[m.record].Origin] = true
		}
		return nil
	}
	if connector.KindOf(err) != connector.KindData {
		return err
	}
	if n := len(messages); n > 1 {
		if err := s.send(ctx, messages[:n/2], records); err != nil {
			return err
		}
		return s.send(ctx, messages[n/2:], records)
	}
	return s.refuse(ctx, &records[messages[0].record], err)
}

// request makes one request. Its error has its kind.
func (s *Sink) request(ctx context.Context, messages []message) error {
	r, err := s.newRequest(ctx, s.method, messages[0].url, s.payload(messages))
	if err != nil {
		return connector.Data(err)
	}
	began := time.Now()
	answer, err := s.client.Do(r)
	if err != nil {
		return s.broken(ctx, r, err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(answer.Body, 64<<10))
	s.requested.Observe(time.Since(began).Seconds())
	if answer.StatusCode/100 == 2 {
		s.probed = 0
		return nil // the service has taken it, whatever became of the rest of its answer
	}
	if err != nil {
		text = nil
	}
	return s.judge(r, answer, text)
}

// newRequest makes a request with the headers of all.
func (s *Sink) newRequest(ctx context.Context, method, url string, body io.Reader) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		return nil, err
	}
	r.Header, r.Host = s.header.Clone(), cmp.Or(s.host, r.Host)
	return r, nil
}

// broken judges a request without an answer.
func (s *Sink) broken(ctx context.Context, r *http.Request, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err // the URL is told below, without its query
	}
	err = fmt.Errorf("%s %s: %w", r.Method, place(r.URL), err)
	_, certificate := errors.AsType[*tls.CertificateVerificationError](err)
	_, plain := errors.AsType[tls.RecordHeaderError](err)
	if certificate || plain {
		return connector.Fatal(fmt.Errorf("%w: check url and tls.ca.file", err))
	}
	return s.retriable(err, 0)
}

func (s *Sink) retriable(err error, after time.Duration) error {
	return connector.Retriable(err, connector.Attempts(s.retries), connector.After(max(after, s.backoff)))
}

// judge gives the error for an answer that is no success.
func (s *Sink) judge(r *http.Request, answer *http.Response, text []byte) error {
	err := fmt.Errorf("%s %s: %s%s", r.Method, place(answer.Request.URL), answer.Status, excerpt(text))
	switch code := answer.StatusCode; {
	case passing(code):
		return s.retriable(err, retryAfter(answer.Header.Get("Retry-After"), time.Now()))
	case code == http.StatusUnauthorized || code == http.StatusForbidden || code == http.StatusProxyAuthRequired:
		return s.misconfigured(r, code, fmt.Errorf("%w: check auth.type and what belongs to it", err))
	case code < 400:
		return s.misconfigured(r, code, fmt.Errorf("%w: %s", err, s.unfollowed(answer)))
	case (code == http.StatusNotFound || code == http.StatusMethodNotAllowed || code == http.StatusGone) && !s.keyed:
		return s.misconfigured(r, code, fmt.Errorf("%w: check url and method", err))
	}
	return connector.Data(err)
}

// passing tells that an answer is about the service's state, which may pass.
func passing(code int) bool {
	return code == http.StatusRequestTimeout || code == http.StatusTooEarly || code == http.StatusTooManyRequests || code >= 500
}

// place names a URL without its query, which may hold a secret.
func place(u *url.URL) string { return u.Scheme + "://" + u.Host + u.EscapedPath() }

// excerpt gives the beginning of what the service said, on one line.
func excerpt(text []byte) string {
	const most = 300
	line := strings.Join(strings.Fields(strings.ToValidUTF8(string(text), "")), " ")
	if line == "" {
		return ""
	}
	if len(line) > most {
		end := most
		for !utf8.RuneStart(line[end]) {
			end--
		}
		line = line[:end] + "..."
	}
	return ": " + line
}

// retryAfter reads the header of that name: seconds or a date; 0 without one.
func retryAfter(text string, now time.Time) time.Duration {
	if n, err := strconv.Atoi(text); err == nil && n >= 0 {
		return min(time.Duration(n), 24*60*60) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return min(max(at.Sub(now), 0), 24*time.Hour)
	}
	return 0
}

// AlterTopicOffsets has nothing against any offset: the service keeps none.
func (*Sink) AlterTopicOffsets(context.Context, connector.Context, connector.Config, map[connector.TopicPartition]*int64) error {
	return nil
}

// Stop closes the connections.
func (s *Sink) Stop() error {
	if s.client != nil {
		s.client.CloseIdleConnections()
	}
	return nil
}
