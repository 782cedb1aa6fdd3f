package registry

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/riferrei/srclient"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/oauth"
)

// Options say which registry and how to talk to it.
type Options struct {
	// URLs are the addresses of one registry; they are tried in turn, beginning
	// with the one that answered last.
	URLs []string
	// User and Password are for HTTP's basic authentication, Token for a bearer's,
	// OAuth for one whose tokens an identity provider gives.
	User     string
	Password connector.Password
	Token    connector.Password
	OAuth    *oauth.Settings
	// Headers are sent with each request.
	Headers map[string]connector.Password
	TLS     *tls.Config
	// Proxy is an HTTP proxy; nil is that of the environment.
	Proxy *url.URL
	// Timeout is for one request; 0 is 10 s. ConnectTimeout is for connecting; 0
	// is that of the request.
	Timeout, ConnectTimeout time.Duration
	// Type is that of all schemas; empty is Avro.
	Type Type
	// Normalize says that the order of what a schema says does not count where it
	// is registered or looked up.
	Normalize bool
}

// Type is a schema's type.
type Type = srclient.SchemaType

// The types.
const (
	Avro     Type = srclient.Avro
	JSON     Type = srclient.Json
	Protobuf Type = srclient.Protobuf
)

// Reference is a schema that another refers to.
type Reference struct {
	Name string // by which the other one does
	Text string
}

// Schema is a schema as the registry has it.
type Schema struct {
	ID      int
	Version int // 0 where the registry was asked by id
	Text    string
	// References are the schemas that this one refers to, each after those that
	// it refers to itself.
	References []Reference
}

// Referred gives the texts of the references.
func (s Schema) Referred() []string {
	texts := make([]string, len(s.References))
	for i, r := range s.References {
		texts[i] = r.Text
	}
	return texts
}

// Compatibility is what the versions of a subject must be to each other.
type Compatibility = srclient.CompatibilityLevel

// The compatibilities that schemas are updated with.
const (
	Backward Compatibility = srclient.Backward
	None     Compatibility = srclient.None
)

// Client is a registry's client. It is safe for concurrent use.
type Client struct {
	options   Options
	transport http.RoundTripper
	next      atomic.Int64  // the address to begin with
	clock     atomic.Int64  // what the registry's said last, seconds since 1970; 0 where it did not
	tokens    *oauth.Tokens // nil without OAuth

	mu         sync.Mutex
	byID       map[int]Schema
	registered map[registration]Schema
}

type registration struct{ subject, text string }

// cacheSize bounds each cache; a full one is emptied.
const cacheSize = 1000

// New makes a client. It does not connect.
func New(o Options) (*Client, error) {
	if len(o.URLs) == 0 {
		return nil, connector.Coded("H3002", connector.Fatal(fmt.Errorf("schema registry: no address: set schema.registry.url")))
	}
	o.URLs = append([]string{}, o.URLs...)
	for i, text := range o.URLs {
		u, err := url.Parse(strings.TrimSpace(text))
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return nil, connector.Coded("H3002", connector.Fatal(fmt.Errorf("schema registry: schema.registry.url must be http://host:port or https://host:port, entry %d is not", i+1)))
		}
		if p, ok := u.User.Password(); ok && o.User == "" { // basic.auth.credentials.source=URL
			o.User, o.Password = u.User.Username(), connector.Password(p)
		}
		u.User = nil
		o.URLs[i] = strings.TrimRight(u.String(), "/")
	}
	if o.Type == "" {
		o.Type = Avro
	}
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = o.TLS
	if o.Proxy != nil {
		transport.Proxy = http.ProxyURL(o.Proxy)
	}
	if o.ConnectTimeout > 0 {
		transport.DialContext = (&net.Dialer{Timeout: o.ConnectTimeout}).DialContext
	}
	c := &Client{options: o, transport: transport, byID: map[int]Schema{}, registered: map[registration]Schema{}}
	if o.OAuth != nil {
		var err error
		if c.tokens, err = oauth.New(*o.OAuth, &http.Client{Transport: transport, Timeout: o.Timeout}); err != nil {
			return nil, connector.Fatal(fmt.Errorf("schema registry: %w", err))
		}
	}
	return c, nil
}

// Close ends the client's idle connections.
func (c *Client) Close() { c.transport.(*http.Transport).CloseIdleConnections() }

// ByID gives the schema with an id. An id that the registry does not know is an
// error of the kind data.
func (c *Client) ByID(ctx context.Context, id int) (Schema, error) {
	c.mu.Lock()
	s, ok := c.byID[id]
	c.mu.Unlock()
	if ok {
		return s, nil
	}
	s, err := c.call(ctx, fmt.Sprintf("schema %d", id), func(sr *srclient.SchemaRegistryClient) (*srclient.Schema, error) {
		return sr.GetSchema(id)
	})
	if err != nil {
		return Schema{}, err
	}
	s.ID = id
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.byID) >= cacheSize {
		clear(c.byID)
	}
	c.byID[id] = s
	return s, nil
}

// Latest gives the newest version of a subject as it is now.
func (c *Client) Latest(ctx context.Context, subject string) (Schema, error) {
	return c.call(ctx, "subject "+subject, func(sr *srclient.SchemaRegistryClient) (*srclient.Schema, error) {
		return sr.GetLatestSchema(subject)
	})
}

// Register gives the schema with this text in a subject, adding it where it is
// new. One that the subject's compatibility refuses is an error of the kind data.
func (c *Client) Register(ctx context.Context, subject, text string) (Schema, error) {
	return c.cached(registration{subject, text}, func() (Schema, error) {
		return c.call(ctx, "subject "+subject, func(sr *srclient.SchemaRegistryClient) (*srclient.Schema, error) {
			return sr.CreateSchema(subject, text, c.options.Type)
		})
	})
}

// Lookup gives the schema with this text in a subject, which must have it.
func (c *Client) Lookup(ctx context.Context, subject, text string) (Schema, error) {
	return c.cached(registration{subject, text}, func() (Schema, error) {
		return c.call(ctx, "subject "+subject, func(sr *srclient.SchemaRegistryClient) (*srclient.Schema, error) {
			return sr.LookupSchema(subject, text, c.options.Type)
		})
	})
}

// Compatible tells whether a subject would take a schema with this text as its next
// version. It writes nothing.
func (c *Client) Compatible(ctx context.Context, subject, text string) (bool, error) {
	return try(ctx, c, "compatibility of subject "+subject, func(sr *srclient.SchemaRegistryClient) (bool, error) {
		return sr.IsSchemaCompatible(subject, text, "latest", c.options.Type)
	})
}

// Draft is a schema that is to be registered, of any type.
type Draft struct {
	Type       Type
	Text       string
	References []Pointer
}

// Pointer is where a schema that is referred to is.
type Pointer = srclient.Reference

// Publish registers a schema with its references and gives its id and version.
func (c *Client) Publish(ctx context.Context, subject string, d Draft) (Schema, error) {
	what := "subject " + subject
	id, err := try(ctx, c, what, func(sr *srclient.SchemaRegistryClient) (int, error) {
		got, err := sr.CreateSchema(subject, d.Text, d.Type, d.References...)
		if err != nil {
			return 0, err
		}
		return got.ID(), nil
	})
	if err != nil {
		return Schema{}, err
	}
	version, err := try(ctx, c, what, func(sr *srclient.SchemaRegistryClient) (int, error) {
		got, err := sr.LookupSchema(subject, d.Text, d.Type, d.References...)
		if err != nil {
			return 0, err
		}
		return got.Version(), nil
	})
	return Schema{ID: id, Version: version, Text: d.Text}, err
}

func (c *Client) cached(key registration, ask func() (Schema, error)) (Schema, error) {
	c.mu.Lock()
	s, ok := c.registered[key]
	c.mu.Unlock()
	if ok {
		return s, nil
	}
	s, err := ask()
	if err != nil {
		return Schema{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.registered) >= cacheSize {
		clear(c.registered)
	}
	c.registered[key] = s
	return s, nil
}

// SetCompatibility sets a subject's compatibility.
func (c *Client) SetCompatibility(ctx context.Context, subject string, level Compatibility) error {
	_, err := try(ctx, c, "compatibility of subject "+subject, func(sr *srclient.SchemaRegistryClient) (*Compatibility, error) {
		return sr.ChangeSubjectCompatibilityLevel(subject, level)
	})
	return err
}

// Subjects gives the names of all subjects.
func (c *Client) Subjects(ctx context.Context) ([]string, error) {
	return try(ctx, c, "subjects", (*srclient.SchemaRegistryClient).GetSubjects)
}

// Check looks whether the registry answers, and lets this client in.
func (c *Client) Check(ctx context.Context) connector.Finding {
	subjects, err := c.Subjects(ctx)
	f := connector.Finding{What: "schema registry " + strings.Join(c.options.URLs, ","), Says: fmt.Sprintf("it answers, subjects: %d", len(subjects)), Err: err}
	if at := c.clock.Load(); at > 0 {
		f.Clock = time.Unix(at, 0)
	}
	return f
}

// call asks for a schema and for those that it refers to.
func (c *Client) call(ctx context.Context, what string, ask func(*srclient.SchemaRegistryClient) (*srclient.Schema, error)) (Schema, error) {
	got, err := try(ctx, c, what, ask)
	if err != nil {
		return Schema{}, err
	}
	kind := Avro
	if t := got.SchemaType(); t != nil && *t != "" {
		kind = *t
	}
	if kind != c.options.Type {
		return Schema{}, connector.Coded("H3007", connector.Data(fmt.Errorf("schema registry: %s: its type is %s, expected %s", what, string(kind), string(c.options.Type))))
	}
	s := Schema{ID: got.ID(), Version: got.Version(), Text: got.Schema()}
	return s, c.references(ctx, got.References(), &s.References, 0)
}

// maxReferences bounds how deep schemas may refer to others.
const maxReferences = 20

func (c *Client) references(ctx context.Context, refs []srclient.Reference, found *[]Reference, depth int) error {
	if depth > maxReferences {
		return connector.Data(fmt.Errorf("schema registry: schemas refer to each other more than %d deep", maxReferences))
	}
	for _, r := range refs {
		got, err := try(ctx, c, fmt.Sprintf("subject %s version %d", r.Subject, r.Version), func(sr *srclient.SchemaRegistryClient) (*srclient.Schema, error) {
			return sr.GetSchemaByVersion(r.Subject, r.Version)
		})
		if err != nil {
			return err
		}
		if err := c.references(ctx, got.References(), found, depth+1); err != nil {
			return err
		}
		if one := (Reference{r.Name, got.Schema()}); !slices.Contains(*found, one) {
			*found = append(*found, one)
		}
	}
	return nil
}

// bound is a transport that gives every request the context of its call, which
// srclient's methods do not take, asks for what srclient cannot, and remembers
// the last answer's status.
type bound struct {
	ctx       context.Context
	next      http.RoundTripper
	headers   map[string]connector.Password
	normalize bool
	status    int
	clock     *atomic.Int64
}

// RoundTrip sends a request.
func (b *bound) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(b.ctx)
	for name, value := range b.headers {
		r.Header.Set(name, value.Secret())
	}
	if b.normalize && r.Method == http.MethodPost {
		query := r.URL.Query()
		query.Set("normalize", "true")
		r.URL.RawQuery = query.Encode()
	}
	resp, err := b.next.RoundTrip(r)
	if err == nil {
		b.status = resp.StatusCode
		// With an age a cache answers, with the time of an answer before.
		if at, err := http.ParseTime(resp.Header.Get("Date")); err == nil && resp.Header.Get("Age") == "" {
			b.clock.Store(at.Unix())
		}
	}
	return resp, err
}

// try calls the registry at one address after the other until one answers. An
// answer that says no is an answer.
func try[T any](ctx context.Context, c *Client, what string, ask func(*srclient.SchemaRegistryClient) (T, error)) (T, error) {
	var zero T
	var failed []error
	first := c.next.Load()
	for i := range int64(len(c.options.URLs)) {
		at := (first + i) % int64(len(c.options.URLs))
		v, err := askOnce(ctx, c, c.options.URLs[at], what, ask)
		if err == nil || connector.KindOf(err) != connector.KindRetriable {
			c.next.Store(at)
			return v, err
		}
		failed = append(failed, err)
		if ctx.Err() != nil {
			break
		}
	}
	return zero, connector.Coded("H3003", connector.Retriable(errors.Join(failed...)))
}

func askOnce[T any](ctx context.Context, c *Client, address, what string, ask func(*srclient.SchemaRegistryClient) (T, error)) (T, error) {
	var zero T
	ctx, cancel := context.WithTimeout(ctx, c.options.Timeout)
	defer cancel()
	b := &bound{ctx: ctx, next: c.transport, headers: c.options.Headers, normalize: c.options.Normalize, clock: &c.clock}
	sr := srclient.NewSchemaRegistryClient(address, srclient.WithClient(&http.Client{Transport: b}))
	sr.CachingEnabled(false)
	token, err := c.login(ctx, sr)
	if err != nil {
		return zero, fmt.Errorf("schema registry %s: %s: %w", address, what, err)
	}
	v, err := ask(sr)
	if err != nil {
		if b.status == http.StatusUnauthorized && c.tokens != nil {
			c.tokens.Forget(token)
		}
		return v, explain(address, what, b.status, err)
	}
	return v, nil
}

// login says who asks, with a token of an identity provider where it has one.
func (c *Client) login(ctx context.Context, sr *srclient.SchemaRegistryClient) (token string, err error) {
	switch {
	case c.tokens != nil:
		token, err = c.tokens.Get(ctx)
		sr.SetBearerToken(token)
	case c.options.Token != "":
		sr.SetBearerToken(c.options.Token.Secret())
	case c.options.User != "":
		sr.SetCredentials(c.options.User, c.options.Password.Secret())
	}
	return token, err
}

// explain gives an error its place and its kind.
func explain(address, what string, status int, err error) error {
	said, ok := errors.AsType[srclient.Error](err)
	text := err.Error()
	if ok && said.Message != "" {
		text = fmt.Sprintf("%s (error code %d)", said.Message, said.Code)
	}
	var u *url.Error
	if errors.As(err, &u) {
		text = u.Err.Error() // without the address, which is named once
	}
	err = fmt.Errorf("schema registry %s: %s: %s", address, what, text)
	switch {
	case status == 0, status >= 500, status == http.StatusTooManyRequests, status == http.StatusRequestTimeout:
		return connector.Coded("H3003", connector.Retriable(err))
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return connector.Coded("H3004", connector.Fatal(fmt.Errorf("%w: set basic.auth.credentials.source (USER_INFO, SASL_INHERIT) or bearer.auth.credentials.source and their keys", err)))
	case status < 300, !ok || said.Code == 0: // a proxy's page, such as one that says 404
		return connector.Coded("H3005", connector.Fatal(fmt.Errorf("%w: is this a schema registry?", err)))
	}
	return connector.Coded("H3006", connector.Data(err))
}
