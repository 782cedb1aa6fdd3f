package kafka

import (
	"context"
	"fmt"
	"strings"
	"sync"
)

// Pool gives clients that share connections where their settings are equal: those
// for looking up and administration. Producers made of them have connections of their
// own, group consumers those to their coordinator and the brokers they fetch from. It is safe for concurrent use; the zero value is ready.
type Pool struct {
	mu     sync.Mutex // guards the following, and users of what is in it
	shared map[string]*sharedClient
}

// sharedClient is a client that others are made of.
type sharedClient struct {
	opening chan struct{} // holds a token while nobody opens it
	client  *Client       // nil before it is open; who has the token may change it
	users   int           // and those that wait for it
}

// Open is [Open] of a client that may share. Its client.id is that of what is made
// of it. A client that is in trouble is not shared any further.
func (p *Pool) Open(ctx context.Context, o Options) (*Client, error) {
	key := fmt.Sprint(strings.Join(o.Bootstrap, ","), " ", o.Props) // sorted
	s := p.use(key)
	select {
	case <-s.opening:
	case <-ctx.Done():
		p.leave(key, s)
		return nil, context.Cause(ctx)
	}
	if s.client == nil {
		base := o
		base.ClientID = ""
		c, err := Open(ctx, base)
		if err != nil {
			s.opening <- struct{}{}
			p.leave(key, s)
			return nil, err
		}
		s.client = c
	}
	s.opening <- struct{}{}
	c := &Client{options: o, client: s.client.client, asking: s.client.asking, shared: s.client, release: func() { p.leave(key, s) }}
	if c.options.Log == nil {
		c.options.Log = s.client.options.Log
	}
	c.options.health = newHealth()
	c.options.health.patience = s.client.options.health.patience
	return c, nil
}

// use gives what is shared under a key, with one user more.
func (p *Pool) use(key string) *sharedClient {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shared == nil {
		p.shared = map[string]*sharedClient{}
	}
	s := p.shared[key]
	if s == nil || s.troubled() {
		s = &sharedClient{opening: make(chan struct{}, 1)}
		s.opening <- struct{}{}
		p.shared[key] = s
	}
	s.users++
	return s
}

// troubled tells that Kafka does not answer a client that is open.
func (s *sharedClient) troubled() bool {
	select {
	case <-s.opening:
	default:
		return false // it is being opened
	}
	defer func() { s.opening <- struct{}{} }()
	if s.client == nil {
		return false
	}
	_, yes := s.client.Trouble()
	return yes
}

// leave ends a use. The last one closes the client.
func (p *Pool) leave(key string, s *sharedClient) {
	p.mu.Lock()
	s.users--
	last := s.users == 0
	if last && p.shared[key] == s {
		delete(p.shared, key)
	}
	p.mu.Unlock()
	if last && s.client != nil {
		s.client.Close()
	}
}
