package rest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/ssl"
)

// newClient makes the client of requests and, without redirects, that of tokens.
func (s *Sink) newClient(c connector.Context, conf connector.Config) (client, tokens *http.Client, err error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.WriteBufferSize = mostJoined + 4<<10 // and the head
	transport.MaxIdleConnsPerHost = max(s.inFlight, http.DefaultMaxIdleConnsPerHost)
	if transport.TLSClientConfig, err = tlsConfig(c, conf); err != nil {
		return nil, nil, err
	}
	if secret := conf.Password("proxy.url"); secret != "" {
		proxy, err := parseProxy(secret)
		if err != nil {
			return nil, nil, fmt.Errorf("proxy.url: %w", err)
		}
		transport.Proxy = http.ProxyURL(proxy)
	}
	if conf.String("private.addresses") == policyRefuse {
		transport.Proxy = nil
		transport.DialContext = (&net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second, Control: publicOnly}).DialContext
	}
	timeout := time.Duration(conf.Int64("request.timeout.ms")) * time.Millisecond
	return &http.Client{Transport: transport, Timeout: timeout, CheckRedirect: s.redirected},
		&http.Client{Transport: transport, Timeout: timeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, nil
}

// tlsConfig reads tls.ca.file and ssl.*.
func tlsConfig(c connector.Context, conf connector.Config) (*tls.Config, error) {
	keys := map[string]string{}
	for _, k := range ssl.ClientKeys() {
		switch v := conf.Value(k).(type) {
		case string:
			keys[k] = v
		case connector.Password:
			keys[k] = v.Secret()
		}
	}
	if file := conf.String("tls.ca.file"); file != "" {
		keys["ssl.truststore.location"], keys["ssl.truststore.type"] = file, "PEM"
	}
	config, err := ssl.Settings{Keys: keys, Log: c.Log}.Client()
	if err != nil && conf.Has("tls.ca.file") {
		return nil, fmt.Errorf("tls.ca.file: %w", err)
	}
	return config, err
}

// privateError is an address that private.addresses=refuse keeps from requests.
type privateError struct{ address netip.Addr }

func (e privateError) Error() string {
	return fmt.Sprintf("%s is a private address, which private.addresses=refuse keeps from requests", e.address)
}

// shared is for the customers of a carrier (RFC 6598), and as private as they.
var shared = netip.MustParsePrefix("100.64.0.0/10")

// publicOnly is asked with the address that a name was resolved to, right before the
// connection: no later answer of a name server can lead elsewhere.
func publicOnly(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	ip := at.Addr().Unmap()
	if !ip.IsGlobalUnicast() || ip.IsPrivate() || shared.Contains(ip) {
		return privateError{ip}
	}
	return nil
}

// broken judges a request without an answer.
func (s *Sink) broken(ctx context.Context, method, where string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err // the URL is told below, without its query
	}
	err = fmt.Errorf("%s %s: %w", method, where, err)
	if private, ok := errors.AsType[privateError](err); ok {
		return connector.Coded("H6008", connector.Fatal(fmt.Errorf("%s %s: %w", method, where, private)))
	}
	_, certificate := errors.AsType[*tls.CertificateVerificationError](err)
	_, plain := errors.AsType[tls.RecordHeaderError](err)
	if certificate || plain {
		return connector.Coded("H6009", connector.Fatal(fmt.Errorf("%w: check url, tls.ca.file and ssl.*", err)))
	}
	return s.retriable(err, 0, s.retries)
}
