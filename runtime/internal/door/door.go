// Package door is the one way into a worker over HTTP. It holds the listeners of
// REST API, admin endpoints and page, with TLS where that is asked for, and what a
// request passes on its way to a handler, from outside in: the name that it asks by
// and the time that it may take (httpd), headers that each answer has, the page that
// a browser made it on, and the login.
package door

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/ssl"
	"github.com/axiom-data-science/hydraulics/runtime/internal/rights"
)

// Handlers are what a worker serves.
type Handlers struct {
	API rights.Guarded
	// Admin is asked at admin.listeners, where there are any.
	Admin rights.Guarded
	Page  rights.Guarded
	// Vouched is asked who makes a request that has no session here; nil is nobody.
	Vouched Vouched
}

// Vouched gives who makes a request by the word of another worker.
type Vouched func(r *http.Request) (rights.Who, bool)

// Door is used from one goroutine.
type Door struct {
	conf    connector.Config
	log     *slog.Logger
	machine string // its name, for those who are told where the API is; empty is localhost
	at      addresses
	names   []string
	headers []header
	origins origins
	login   *login
	secured map[string]*tls.Config // by the key of the address
	api     []*listener
	admin   []*listener
	page    *listener
}

// New makes the door that a worker's configuration asks for. The error names all
// that is wrong. It listens once it is open.
func New(conf connector.Config, log *slog.Logger) (*Door, error) {
	d := &Door{conf: conf, log: log, names: names(conf), origins: originsOf(conf), secured: map[string]*tls.Config{}}
	var errs [4]error
	d.at, errs[0] = addressesOf(conf)
	d.headers, errs[1] = headersOf(conf.String(headersKey))
	d.login, errs[2] = loginOf(conf, log)
	if errs[0] == nil {
		errs[3] = d.secure()
	}
	return d, errors.Join(errs[:]...)
}

// secure makes the configurations of the listeners with TLS.
func (d *Door) secure() error {
	var errs []error
	for _, a := range d.at.all() {
		if !a.secure || d.secured[a.key] != nil {
			continue
		}
		keys, prefix := d.sslKeys(a.key)
		conf, err := ssl.Settings{Keys: keys, Prefix: prefix, Log: d.log}.Server()
		errs = append(errs, err)
		d.secured[a.key] = conf
	}
	return errors.Join(errs...)
}

// sslKeys gives the configuration's keys, and what those of an address begin with. As
// in Kafka Connect a prefix counts with all its keys or not at all.
func (d *Door) sslKeys(address string) (keys map[string]string, prefix string) {
	keys = map[string]string{}
	for k := range d.conf.Props() {
		keys[k], _ = d.conf.Props().Text(k)
	}
	prefix = address + ".https."
	if address == pageKey {
		prefix = listenersKey + ".https."
	}
	if len(d.conf.Props().WithPrefix(prefix)) == 0 {
		prefix = ""
	}
	return keys, prefix
}

// all gives every address.
func (a addresses) all() []address {
	list := append(append([]address{}, a.api...), a.admin...)
	if a.page != nil {
		list = append(list, *a.page)
	}
	return list
}

// Open opens the listeners. An error leaves those that are open to Close.
func (d *Door) Open() error {
	for _, a := range d.at.api {
		if err := d.open(&d.api, "REST API", a); err != nil {
			return err
		}
	}
	for _, a := range d.at.admin {
		if err := d.open(&d.admin, "admin endpoints", a); err != nil {
			return err
		}
	}
	if d.at.page == nil {
		return nil
	}
	var page []*listener
	err := d.open(&page, "page", *d.at.page)
	if err == nil {
		d.page = page[0]
	}
	return err
}

func (d *Door) open(to *[]*listener, what string, a address) error {
	l, err := listen(d.log, what, a)
	if err != nil {
		return err
	}
	if a.secure {
		l.secured = d.secured[a.key]
	}
	*to = append(*to, l)
	return nil
}

// AdminApart tells that the admin endpoints are not at the API's addresses, but at
// their own ones or nowhere.
func (d *Door) AdminApart() bool { return d.at.apart }

// told gives the listener of the API that others are told: as
// rest.advertised.listener says, else the first with http, else the first. There
// is none before the door is open.
func (d *Door) told() *listener {
	scheme := strings.ToLower(d.conf.String("rest.advertised.listener"))
	if scheme == "" {
		scheme = "http"
	}
	for _, l := range d.api {
		if l.scheme() == scheme {
			return l
		}
	}
	if len(d.api) == 0 {
		return nil
	}
	return d.api[0]
}

// Machine says by which name other machines know this one: they are told it where the
// API listens on all interfaces and nothing else is configured.
func (d *Door) Machine(name string) { d.machine = name }

// AdvertisedURL gives the URL by which other workers are told to reach the API.
func (d *Door) AdvertisedURL() string { return d.told().scheme() + "://" + d.Advertised() + "/" }

// Advertised gives host and port by which others are told to reach the API.
func (d *Door) Advertised() string {
	host, port, err := net.SplitHostPort(reachable(d.told().Addr()))
	if err != nil {
		return d.told().Addr().String()
	}
	if d.machine != "" && isAny(d.told().Addr()) {
		host = d.machine
	}
	if name := d.conf.String("rest.advertised.host.name"); name != "" {
		host = name
	}
	if d.conf.Has("rest.advertised.port") {
		port = strconv.Itoa(d.conf.Int("rest.advertised.port"))
	}
	return net.JoinHostPort(host, port)
}

// APIURL gives the URL of the REST API on this machine, empty before the door is
// open.
func (d *Door) APIURL() string { return d.told().url() }

// PageURL gives the URL of the page on this machine, empty without one.
func (d *Door) PageURL() string { return d.page.url() }

// HasPage tells whether the page is served.
func (d *Door) HasPage() bool { return d.at.page != nil }

// Serve serves handlers at the listeners until the door is closed.
func (d *Door) Serve(h Handlers) {
	d.login.vouched = h.Vouched
	guarded := func(l *listener, next rights.Guarded) http.Handler {
		return withHeaders(d.headers, d.origins.guard(d.login.guard(next, l.local())))
	}
	for _, l := range d.api {
		l.serve(guarded(l, h.API), d.names, d.log)
		d.log.Info("REST API", "url", l.url())
		if d.login.users == nil && !l.local() {
			d.log.Warn("REST API: whoever reaches it may do everything: "+accessKey+" says who may, and what", "url", l.url())
		}
	}
	for _, l := range d.admin {
		l.serve(guarded(l, h.Admin), d.names, d.log)
		d.log.Info("admin endpoints", "url", l.url())
	}
	if d.page != nil {
		page := d.login.sessions.guard(d.login.guard(h.Page, d.page.local()))
		if d.login.users == nil && !d.page.local() {
			page = http.HandlerFunc(off)
			d.log.Warn("page: it is off: whoever reaches it could do everything: "+accessKey+" says who may, and what", "url", d.page.url())
		}
		d.page.serve(origins{}.guard(page), d.names, d.log)
		d.log.Info("page", "url", d.page.url())
	}
}

// off answers in the page's place where everybody could reach it.
func off(w http.ResponseWriter, _ *http.Request) {
	http.Error(w, "The page is off: it listens where others reach it, and nobody has to log in. The worker's key "+accessKey+" says who may.", http.StatusForbidden)
}

// Pass lets its bearer do everything.
type Pass struct {
	PageURL string // good once, for one browser; empty without a page
	Token   string
}

// Pass makes one. Those who do not log in may only look from then on. It is asked
// before the door serves.
func (d *Door) Pass() Pass {
	l, owner := d.login, rights.Who{Name: "the one with the pass", Role: rights.Configure}
	l.stranger = min(l.stranger, rights.View)
	p := Pass{Token: l.sessions.add(owner, time.Time{})}
	if d.page != nil {
		p.PageURL = d.PageURL() + ticketPath + "?ticket=" + l.sessions.ticket(owner)
	}
	return p
}

// Close ends all listeners: requests under way have until ctx ends. It is safe on
// a door that did not open, and on none.
func (d *Door) Close(ctx context.Context) error {
	if d == nil {
		return nil
	}
	var errs []error
	for _, l := range append(append([]*listener{d.page}, d.admin...), d.api...) {
		if err := l.close(ctx); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", l.url(), err))
		}
	}
	return errors.Join(errs...)
}
