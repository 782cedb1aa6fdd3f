package serving

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/axiom-data-science/hydraulics/connector"
)

// link is a server that is talked to over gRPC.
type link struct {
	Target
	conn    *grpc.ClientConn
	timeout time.Duration
	auth    string // value of the header authorization, or empty
}

// rawCodec passes messages as they are: requests as parts that are sent from
// where they lie, answers as one piece.
type rawCodec struct{}

func (rawCodec) Name() string { return "proto" }

func (rawCodec) Marshal(v any) (mem.BufferSlice, error) {
	m, ok := v.(mem.BufferSlice)
	if !ok {
		return nil, fmt.Errorf("message is a %T", v)
	}
	m.Ref() // the transport gives it back
	return m, nil
}

func (rawCodec) Unmarshal(data mem.BufferSlice, v any) error {
	m, ok := v.(*[]byte)
	if !ok {
		return fmt.Errorf("message is a %T", v)
	}
	*m = data.Materialize()
	return nil
}

// dialGRPC makes a client of the protocol; where that is not known, of whichever
// the server turns out to speak.
func dialGRPC(t Target, opts Options) (Client, error) {
	secure := insecure.NewCredentials()
	if t.url.Scheme == "grpcs" {
		secure = credentials.NewTLS(nil)
	}
	conn, err := grpc.NewClient("dns:///"+t.url.Host,
		grpc.WithTransportCredentials(secure),
		grpc.WithDefaultCallOptions(grpc.ForceCodecV2(rawCodec{}), grpc.MaxCallRecvMsgSize(maxAnswer)),
		grpc.WithWriteBufferSize(256<<10),                        // tensors in fewer writes: measured to save the server a quarter of its CPU against 32 KiB
		grpc.WithDisableServiceConfig(), grpc.WithDisableRetry(), // who retries is the runtime
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: backoff.Config{BaseDelay: 200 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 10 * time.Second}, MinConnectTimeout: 5 * time.Second}))
	if err != nil {
		return nil, t.bad(err)
	}
	l := link{Target: t, conn: conn, timeout: opts.Timeout}
	if u := t.url.User; u != nil {
		password, _ := u.Password()
		l.auth = "Basic " + base64.StdEncoding.EncodeToString([]byte(u.Username()+":"+password))
	}
	switch t.Protocol {
	case TFServing:
		return &predictGRPC{l}, nil
	case OpenInference:
		return &openGRPC{l}, nil
	}
	return &unknownGRPC{link: l}, nil
}

// Close ends the connection and its goroutines.
func (l *link) Close() error { return l.conn.Close() }

// call sends a message and gives the answer. Its errors have their kind.
func (l *link) call(ctx context.Context, method string, request mem.BufferSlice) ([]byte, error) {
	outer := ctx
	ctx, cancel := context.WithTimeout(ctx, l.timeout)
	defer cancel()
	if l.auth != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", l.auth)
	}
	var answer []byte
	err := l.conn.Invoke(ctx, method, request, &answer)
	if err == nil {
		return answer, nil
	}
	s := status.Convert(err)
	return nil, judgeStatus(s, l.fail(timedOutOr(outer, l.timeout, s)))
}

func timedOutOr(outer context.Context, limit time.Duration, s *status.Status) error {
	err := fmt.Errorf("%s: %s", s.Code(), excerpt([]byte(s.Message())))
	if s.Code() == codes.DeadlineExceeded {
		return timedOut(outer, limit, err)
	}
	return err
}

// tooLarge is how servers in C++, Python, Go and Java say that a message is
// beyond their limit; the same code says that a server is busy.
var tooLarge = regexp.MustCompile(`(?i)larger than max|exceeds maximum size|message too large`)

func judgeStatus(s *status.Status, err error) error {
	switch s.Code() {
	case codes.InvalidArgument, codes.OutOfRange:
		return connector.Data(err)
	case codes.ResourceExhausted:
		if tooLarge.MatchString(s.Message()) {
			return connector.Data(marked{err, ErrTooLarge})
		}
	case codes.NotFound:
		return connector.Coded("H4011", connector.Fatal(marked{err, errNotFound}))
	case codes.Unimplemented:
		return connector.Coded("H4011", connector.Fatal(marked{fmt.Errorf("%w (the server does not speak this protocol: see the key protocol)", err), errNotFound}))
	case codes.Unauthenticated, codes.PermissionDenied, codes.FailedPrecondition, codes.DataLoss:
		return connector.Coded("H4007", connector.Fatal(err))
	}
	return connector.Coded("H4006", connector.Retriable(err))
}

// unknownGRPC finds out which protocol a server speaks, by questions that change nothing.
type unknownGRPC struct {
	link
	mu    sync.Mutex
	found Client
}

func (c *unknownGRPC) Describe(ctx context.Context) (Description, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.found != nil {
		return c.found.Describe(ctx)
	}
	var errs []error
	for _, candidate := range []Client{&predictGRPC{c.link}, &openGRPC{c.link}} {
		d, err := candidate.Describe(ctx)
		if err == nil {
			c.found = candidate
			return d, nil
		}
		if !errors.Is(err, errNotFound) {
			return d, err
		}
		errs = append(errs, err)
	}
	return Description{}, c.bad(fmt.Errorf("it has the model neither in protocol %s (%w) nor in %s (%w)", TFServing, errs[0], OpenInference, errs[1]))
}

func (c *unknownGRPC) Infer(ctx context.Context, r Request) (Answer, error) {
	c.mu.Lock()
	found := c.found
	c.mu.Unlock()
	if found == nil {
		return Answer{}, c.bad(errors.New("it was not asked what it speaks"))
	}
	return found.Infer(ctx, r)
}
