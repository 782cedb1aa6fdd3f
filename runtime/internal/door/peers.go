package door

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/axiom-data-science/hydraulics/internal/ssl"
)

// Peers gives the client that asks the REST API of other workers. With TLS it shows
// and trusts what is in the stores of this worker's own listeners with https, as in
// Kafka Connect.
func (d *Door) Peers() (*http.Client, error) {
	keys, prefix := d.sslKeys(listenersKey)
	secured, err := ssl.Settings{Keys: keys, Prefix: prefix, Log: d.log}.Client()
	if err != nil {
		return nil, err
	}
	return &http.Client{Transport: peers{prefix, &http.Transport{TLSClientConfig: secured,
		DialContext: (&net.Dialer{Timeout: 5 * time.Second}).DialContext, IdleConnTimeout: time.Minute}}}, nil
}

// peers names the keys behind what keeps two workers from speaking in TLS.
type peers struct {
	prefix string // of the keys of the stores
	http.RoundTripper
}

// RoundTrip asks another worker.
func (p peers) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := p.RoundTripper.RoundTrip(r)
	if err == nil {
		return res, nil
	}
	if unknown, is := errors.AsType[x509.UnknownAuthorityError](err); is {
		return nil, fmt.Errorf("the certificate of the worker at %s is signed by one that is not trusted: name it in %sssl.truststore.location: %w", r.URL.Host, p.prefix, unknown)
	}
	if name, is := errors.AsType[x509.HostnameError](err); is {
		return nil, fmt.Errorf("the certificate of the worker at %s is for another name: that worker's rest.advertised.host.name has to be one of its names; "+
			"an empty %sssl.endpoint.identification.algorithm here leaves the name unchecked: %w", r.URL.Host, p.prefix, name)
	}
	if plain, is := errors.AsType[tls.RecordHeaderError](err); is {
		return nil, fmt.Errorf("the worker at %s does not answer in TLS: check its listeners and rest.advertised.listener: %w", r.URL.Host, plain)
	}
	if strings.Contains(err.Error(), "remote error: tls: ") { // of the other side's alerts the type is not public
		return nil, fmt.Errorf("the worker at %s refuses the connection: check %sssl.keystore.location here, which holds what this worker shows, "+
			"and what that one trusts: %w", r.URL.Host, p.prefix, err)
	}
	return nil, err
}
