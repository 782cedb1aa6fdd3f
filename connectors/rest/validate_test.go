package rest

import (
	"strings"
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
)

// Clauses: N12.
func TestValidate(t *testing.T) {
	tests := []struct {
		name  string
		props connector.Props
		want  []string
	}{
		{"the least", connector.Props{"url": "http://localhost"}, nil},
		{"everything wrong at once", connector.Props{"url": "ftp://x", "method": "GET", "batch.size": "0", "headers": "X", "auth.type": "basic", "format": "raw", "body": "record", "auth.token": "a\nb"},
			[]string{"url must be an http", "method String must be one of", `headers "X" is not a header`, "batch.size Value must be at least 1", "auth.user auth.type=basic needs auth.user", "auth.password auth.type=basic needs", "auth.token it contains a line break", "format format=raw sends values"}},
		{"a password in the URL", connector.Props{"url": "http://u:s3cret@h"}, []string{"url it must not contain a user or password"}},
		{"a key for many", connector.Props{"url": "http://h/${key}", "batch.size": "2"}, []string{"batch.size batch.size is 2, but a URL that is another one for each record takes one record"}},
		{"a header of the connection", connector.Props{"url": "http://h", "headers": "transfer-encoding: chunked"}, []string{"headers Transfer-Encoding is set for each request"}},
		{"the length", connector.Props{"url": "http://h", "headers": "X: 1, Content-Length: 3"}, []string{"headers Content-Length is set for each request"}},
		{"no host", connector.Props{"url": "http://h", "headers": "Host: a b"}, []string{`headers "Host: a b" is not a host`}},
		{"a header that may be there once", connector.Props{"url": "http://h", "headers": "Host: a, host: b"}, []string{"headers Host is there twice"}},
		{"a header that auth.type sets too", connector.Props{"url": "http://h", "headers": "authorization: x", "auth.type": "bearer", "auth.token": "t"}, []string{"headers auth.type=bearer sets Authorization itself"}},
		{"a header that content.type sets too", connector.Props{"url": "http://h", "headers": "Content-Type: a/b", "content.type": "a/c"}, []string{"headers content.type sets Content-Type itself"}},
		{"a token as host", connector.Props{"url": "http://h", "auth.type": "header", "auth.token": "t", "auth.header": "host"}, []string{"auth.header Host cannot hold a token"}},
		{"hosts that are none", connector.Props{"url": "http://h", "redirects.follow": "true", "redirects.hosts": "a,http://b"}, []string{`redirects.hosts "http://b" is not of the form host`}},
		{"hosts without redirects", connector.Props{"url": "http://h", "redirects.hosts": "a"}, []string{"redirects.hosts redirects.hosts has no effect"}},
		{"bearer", connector.Props{"url": "http://h", "auth.type": "bearer"}, []string{"auth.token auth.type=bearer needs auth.token"}},
		{"oauth2", connector.Props{"url": "http://h", "auth.type": "oauth2", "oauth2.token.url": "http://u:s3cret@h"}, []string{"oauth2.token.url must be an http or https URL", "oauth2.client.id auth.type=oauth2 needs", "oauth2.client.secret auth.type=oauth2 needs"}},
		{"a place that is none", connector.Props{"url": "http://h/${kee}"}, []string{"url ${kee} is no place: there are ${topic}"}},
		{"a host from the record", connector.Props{"url": "http://${value.host}/"}, []string{"url must name one host for all records"}},
		{"a method that is none", connector.Props{"url": "http://h", "method": "${header.m"}, []string{"method ${header.m} is no place"}},
		{"a secret header that is none", connector.Props{"url": "http://h", "headers.secret": "s3cret"}, []string{"headers.secret is not a list of headers"}},
		{"a secret header that is there twice", connector.Props{"url": "http://h", "headers": "Authorization: a", "headers.secret": "Authorization: b"}, []string{"headers.secret headers.secret: Authorization is in headers, too"}},
		{"the idempotency header", connector.Props{"url": "http://h", "headers": "idempotency-key: ${offset}", "idempotency.header": "Idempotency-Key"}, []string{"headers idempotency.header sets Idempotency-Key itself"}},
		{"deletes without a key", connector.Props{"url": "http://h/${topic}", "behavior.on.null.values": "delete"}, []string{"behavior.on.null.values behavior.on.null.values=delete needs a url with ${key}"}},
		{"codes that are none", connector.Props{"url": "http://h", "retry.on.status.codes": "404,200-"}, []string{`retry.on.status.codes "200-" is no answer from 400 to 599`}},
		{"a precision that is none", connector.Props{"url": "http://h/?precision=day", "preset": "influxdb"}, []string{"url precision=day is no precision"}},
		{"a proxy and private addresses", connector.Props{"url": "http://h", "private.addresses": "refuse", "proxy.url": "http://p:3128"}, []string{"private.addresses private.addresses=refuse cannot see"}},
		{"a proxy that is none", connector.Props{"url": "http://h", "proxy.url": "s3cret:3128"}, []string{"proxy.url must be an http, https or socks5 URL"}},
		{"two trust stores", connector.Props{"url": "http://h", "tls.ca.file": "a", "ssl.truststore.location": "b"}, []string{"tls.ca.file tls.ca.file and ssl.truststore.* both"}},
		{"a separator of multipart", connector.Props{"url": "http://h", "format": "multipart", "batch.separator": "x"}, []string{"batch.separator batch.separator cannot be chosen"}},
		{"an unknown preset", connector.Props{"url": "http://h", "preset": "x"}, []string{"preset String must be one of"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, problems := connector.CheckPlugin(new(Sink), test.props)
			list := problems.List()
			if len(list) != len(test.want) {
				t.Fatalf("got %v, want %v", list, test.want)
			}
			for i, p := range list {
				key, part, _ := strings.Cut(test.want[i], " ")
				if p.Key != key || !strings.Contains(p.Message, part) || strings.Contains(p.Message, "s3cret") {
					t.Errorf("got %v, want %s", p, test.want[i])
				}
			}
		})
	}
}
