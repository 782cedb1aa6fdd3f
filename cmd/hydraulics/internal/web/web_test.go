package web

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

func TestServe(t *testing.T) {
	for name, c := range map[string]struct {
		grace time.Duration
		whole bool // a request under way is answered
	}{"with grace": {time.Minute, true}, "without": {0, false}} {
		t.Run(name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			asked := make(chan struct{})
			handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				close(asked)
				<-ctx.Done()
				_, _ = io.WriteString(w, "late")
				if !c.whole {
					<-r.Context().Done() // the connection is closed
				}
			})
			ended := make(chan error, 1)
			go func() { ended <- Serve(ctx, l, handler, Options{Grace: c.grace}) }()
			answered := make(chan bool, 1)
			go func() {
				resp, err := http.Get("http://" + l.Addr().String())
				if err == nil {
					var text []byte
					text, err = io.ReadAll(resp.Body)
					err = errors.Join(err, resp.Body.Close())
					answered <- err == nil && string(text) == "late"
					return
				}
				answered <- false
			}()
			<-asked
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
			if whole := <-answered; whole != c.whole {
				t.Errorf("the answer came: %t", whole)
			}
		})
	}
}

func TestServeOnAClosedListener(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := Serve(t.Context(), l, http.NotFoundHandler(), Options{}); err == nil {
		t.Error("it served")
	}
}
