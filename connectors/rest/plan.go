package rest

import (
	"bytes"
	"fmt"
	"hash/maphash"
	"maps"
	"net/http"
	"net/url"
	"slices"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/data/plainjson"
)

// plan is how records become requests, made once for a configuration.
type plan struct {
	form
	method, url template
	headers     []namedTemplate // those that records fill
	common      http.Header     // those of all requests
	host        string          // in place of the URL's
	unique      *template       // texts of which a request has each once
	nulls       string
	batch       int // records of a request
	maxBytes    int
	inFlight    int
	idempotency string // the header

	keyed bool         // the URL is one record's
	to    *destination // of all records, where they have one
}

// destination is where a request goes, and how.
type destination struct {
	key    string // the templates' texts
	method string
	url    *url.URL
	header http.Header // not to be changed
}

func newPlan(conf connector.Config) (plan, error) {
	p := plan{form: newForm(conf), method: mustTemplate(conf.String("method")), url: mustTemplate(conf.String("url")),
		batch: conf.Int("batch.size"), maxBytes: conf.Int("batch.max.bytes"), inFlight: conf.Int("max.in.flight.requests"),
		nulls: conf.String("behavior.on.null.values"), idempotency: http.CanonicalHeaderKey(conf.String("idempotency.header"))}
	p.keyed = p.url.byRecord()
	if conf.Has("batch.unique") {
		t := mustTemplate(conf.String("batch.unique"))
		p.unique = &t
	}
	p.common = http.Header{"Content-Type": {p.contentType}, "User-Agent": {"hydraulics/" + Version}}
	own, _ := parseHeaders(conf.List("headers")) // checked with their keys
	secret, _ := secretHeaders(conf.Password("headers.secret"))
	all := slices.Concat(own, secret)
	for i, h := range all {
		switch {
		case h.name == "Host":
			p.host = h.value.text // net/http takes it from the request alone
		case !h.value.fixed():
			p.headers = append(p.headers, h)
			p.common.Del(h.name)
		case slices.Contains(singleHeaders, h.name) || !has(all[:i], h.name):
			p.common[h.name] = []string{h.value.text}
		default:
			p.common.Add(h.name, h.value.text)
		}
	}
	if conf.Has("content.type") {
		p.common.Set("Content-Type", conf.String("content.type"))
	}
	if p.method.fixed() && p.url.fixed() && len(p.headers) == 0 {
		var err error
		if p.to, err = p.destination(new(connector.Record), nil); err != nil {
			return p, err
		}
	}
	return p, nil
}

// destination gives where a record goes: last, where it is the same. The error is
// about the record.
func (p *plan) destination(r *connector.Record, last *destination) (*destination, error) {
	if p.to != nil {
		return p.to, nil
	}
	method, err := p.method.append(nil, r, asIs)
	if err != nil {
		return nil, fmt.Errorf("method: %w", err)
	}
	key := append(method, '\n')
	if key, err = p.url.append(key, r, intoURL); err != nil {
		return nil, fmt.Errorf("url: %w", err)
	}
	address := key[len(method)+1:]
	values := make([]int, len(p.headers)) // where each begins in key
	for i := range p.headers {
		values[i] = len(key) + 1
		if key, err = p.headers[i].value.append(append(key, '\n'), r, intoHeader); err != nil {
			return nil, fmt.Errorf("header %s: %w", p.headers[i].name, err)
		}
	}
	if last != nil && last.key == string(key) {
		return last, nil
	}
	to := &destination{key: string(key), method: string(method), header: p.common}
	if !slices.Contains(methods, to.method) {
		return nil, fmt.Errorf("method: it is %q, and not one of POST, PUT, PATCH and DELETE", to.method)
	}
	if to.url, err = url.Parse(string(address)); err != nil {
		return nil, fmt.Errorf("url: what the record fills it with makes it none")
	}
	if len(p.headers) > 0 {
		to.header = maps.Clone(p.common)
		for i, h := range p.headers {
			value, _, _ := bytes.Cut(key[values[i]:], []byte{'\n'})
			to.header[h.name] = append(slices.Clip(to.header[h.name]), string(value))
		}
	}
	return to, nil
}

// deletes gives where the DELETE of a record goes.
func (p *plan) deletes(r *connector.Record) (*destination, error) {
	to, err := p.destination(r, nil)
	if err != nil {
		return nil, err
	}
	other := *to
	other.key, other.method = "", http.MethodDelete
	return &other, nil
}

// seed makes hashes of this process.
var seed = maphash.MakeSeed()

// keyHash tells keys apart; 0 is none. Two of one hash only wait for each other.
func keyHash(r *connector.Record) uint64 {
	switch key := r.Key.(type) {
	case nil:
		return 0
	case string:
		return maphash.String(seed, key) | 1
	case []byte:
		return maphash.Bytes(seed, key) | 1
	}
	text, err := plainjson.Append(nil, r.KeySchema, r.Key)
	if err != nil {
		return 1
	}
	return maphash.Bytes(seed, text) | 1
}
