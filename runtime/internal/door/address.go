package door

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
)

// The keys of addresses.
const (
	listenersKey = "listeners"
	adminKey     = "admin.listeners"
	pageKey      = "page.listener"
)

// address is where to listen.
type address struct {
	key    string // that says so
	secure bool   // https
	host   string // with its port
	// free tells that any other port does where this one is busy, since nobody
	// asked for it.
	free bool
}

// addresses reads where API, admin endpoints and page listen.
type addresses struct {
	api, admin []address
	page       *address
	// apart tells that the admin endpoints are not at the API's addresses.
	apart bool
}

func addressesOf(c connector.Config) (a addresses, err error) {
	a.apart = c.Has(adminKey)
	var errs []error
	list := func(key string, ports map[string]string) (found []address) {
		for _, text := range c.List(key) {
			one, err := parseAddress(key, text, ports)
			errs = append(errs, err)
			found = append(found, one)
		}
		return found
	}
	a.api = list(listenersKey, map[string]string{"http": "8083", "https": "8443"})
	a.admin = list(adminKey, map[string]string{"http": "", "https": ""})
	switch {
	case c.Has(listenersKey) && len(a.api) == 0:
		errs = append(errs, errors.New(listenersKey+": it is empty: want at least one address, such as http://127.0.0.1:8083, or no such key"))
	case len(a.api) == 0:
		a.api = []address{olderForm(c)}
	}
	switch page := c.String(pageKey); {
	case page != "":
		one, err := parseAddress(pageKey, page, map[string]string{"http": "6066", "https": "6067"})
		errs = append(errs, err)
		a.page = &one
	case !c.Has(pageKey):
		a.page = &address{key: pageKey, host: "127.0.0.1:6066", free: true}
	}
	return a, errors.Join(errs...)
}

// olderForm gives the address of rest.host.name and rest.port, or the one where
// nothing is said.
func olderForm(c connector.Config) address {
	host, port := c.String("rest.host.name"), 8083
	if c.Has("rest.port") {
		port = c.Int("rest.port")
	}
	free := host == "" && !c.Has("rest.port")
	if host == "" {
		host = "127.0.0.1"
	}
	return address{key: listenersKey, host: net.JoinHostPort(host, strconv.Itoa(port)), free: free}
}

// parseAddress takes an address apart that is written as http://host:port; one
// without a port has that of its scheme.
func parseAddress(key, text string, ports map[string]string) (address, error) {
	u, err := url.Parse(strings.TrimSpace(text))
	if err != nil || u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" {
		return address{}, fmt.Errorf("%s: %s is not of the form http://host:port", key, text)
	}
	scheme := strings.ToLower(u.Scheme)
	port, known := ports[scheme]
	if !known {
		return address{}, fmt.Errorf("%s: %s: want http or https, not %s", key, text, u.Scheme)
	}
	if u.Port() != "" {
		port = u.Port()
	}
	if port == "" {
		return address{}, fmt.Errorf("%s: %s has no port", key, text)
	}
	return address{key: key, secure: scheme == "https", host: net.JoinHostPort(u.Hostname(), port)}, nil
}

// names gives those that a worker may be asked by on a loopback address: those
// allowed, and those that its configuration calls it by.
func names(c connector.Config) []string {
	list := append([]string{c.String("rest.host.name"), c.String("rest.advertised.host.name")}, c.List("listeners.allowed.hosts")...)
	texts := append(append([]string{c.String(pageKey)}, c.List(listenersKey)...), c.List(adminKey)...)
	for _, l := range texts {
		if u, err := url.Parse(l); err == nil {
			list = append(list, u.Hostname())
		}
	}
	return list
}
