package registry

import (
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/java/jaas"
	"github.com/axiom-data-science/hydraulics/internal/oauth"
)

// Validate finds what is wrong with keys that depend on each other.
func Validate(conf connector.Config, p *connector.Problems) {
	if len(conf.List(KeyURL)) == 0 {
		return // said already
	}
	options, err := OptionsOf(conf)
	if err == nil {
		_, err = New(options)
	}
	if err != nil {
		p.Add(KeyURL, "%v", err)
	}
}

// OptionsOf gives what a configuration says about the registry.
func OptionsOf(conf connector.Config) (Options, error) {
	o := Options{URLs: conf.List(KeyURL), Timeout: milliseconds(conf, keyRequestTimeout), ConnectTimeout: milliseconds(conf, keyConnectTimeout),
		Headers: map[string]connector.Password{}}
	if conf.Given(keyReadTimeout) && !conf.Given(keyRequestTimeout) {
		o.Timeout = milliseconds(conf, keyReadTimeout)
	}
	for name, v := range conf.Props().WithPrefix(headerPrefix) {
		o.Headers[name] = connector.Password(fmt.Sprint(v))
	}
	for key, name := range map[string]string{keyCluster: "target-sr-cluster", keyPool: "Confluent-Identity-Pool-Id"} {
		if v := conf.String(key); v != "" {
			o.Headers[name] = connector.Password(v)
		}
	}
	if host := conf.String(keyProxyHost); host != "" {
		port := conf.Int(keyProxyPort)
		if port < 0 {
			return o, fmt.Errorf("%s: it must be set with %s", keyProxyPort, keyProxyHost)
		}
		o.Proxy = &url.URL{Scheme: "http", Host: net.JoinHostPort(host, strconv.Itoa(port))}
	}
	err := basicAuth(conf, &o)
	if err == nil {
		err = bearerAuth(conf, &o)
	}
	if err == nil {
		o.TLS, err = tlsConfig(conf)
	}
	return o, err
}

func milliseconds(conf connector.Config, key string) time.Duration {
	return time.Duration(conf.Int64(key)) * time.Millisecond
}

// basicAuth reads user and password, where they do not stand in the address.
func basicAuth(conf connector.Config, o *Options) error {
	switch conf.String(keyAuthSource) {
	case sourceUserInfo:
		info := conf.Password(keyOldUserInfo).Secret()
		if info == "" {
			info = conf.Password(keyUserInfo).Secret()
		}
		user, password, ok := strings.Cut(info, ":")
		if !ok {
			return fmt.Errorf("%s: it must be user:password", keyUserInfo)
		}
		o.User, o.Password = user, connector.Password(password)
	case sourceInherit:
		login, err := jaas.Line(conf.Password(KeyJAAS).Secret())
		if o.User, o.Password = login.Options["username"], connector.Password(login.Options["password"]); err != nil || o.User == "" {
			return fmt.Errorf(`%s: with %s=%s it must have username="..." and password="..."; without it the worker's is taken`, KeyJAAS, keyAuthSource, sourceInherit)
		}
	}
	return nil
}

// bearerAuth reads how tokens are got. Confluent's default, a static token,
// counts only where it is written.
func bearerAuth(conf connector.Config, o *Options) error {
	if !conf.Given(keyBearerSource) {
		return nil
	}
	switch source := conf.String(keyBearerSource); source {
	case sourceStaticToken:
		if o.Token = conf.Password(keyBearerToken); o.Token == "" {
			return fmt.Errorf("%s: it must be set with %s=%s", keyBearerToken, keyBearerSource, source)
		}
	case sourceOAuth:
		for _, key := range []string{keyIssuer, keyClientID, keyClientSecret} {
			if !conf.Has(key) {
				return fmt.Errorf("%s: it must be set with %s=%s", key, keyBearerSource, source)
			}
		}
		o.OAuth = &oauth.Settings{TokenURL: conf.String(keyIssuer), ClientID: conf.String(keyClientID), Secret: conf.Password(keyClientSecret),
			Scopes: strings.Fields(conf.String(keyScope)), Early: time.Duration(conf.Int(keyBuffer)) * time.Second,
			Keys: oauth.Keys{TokenURL: keyIssuer, ClientID: keyClientID, Secret: keyClientSecret, Scope: keyScope}}
	}
	return nil
}
