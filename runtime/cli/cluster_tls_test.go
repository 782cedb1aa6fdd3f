package cli

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/axiom-data-science/hydraulics/internal/test/certs"
	"github.com/axiom-data-science/hydraulics/internal/test/kafkatest"
	"github.com/axiom-data-science/hydraulics/internal/test/wait"
)

// secured gives the keys of a worker that listens with https, shows a certificate and
// trusts what an authority has signed.
func secured(t *testing.T, shown, trusted certs.Pair, more ...string) []string {
	t.Helper()
	const prefix = "listeners.https.ssl."
	return append([]string{"listeners=https://127.0.0.1:0",
		prefix + "keystore.type=PKCS12", prefix + "keystore.password=opensesame", prefix + "keystore.location=" + certs.File(t, "key", shown.KeyStore(t, "PKCS12", "opensesame")),
		prefix + "truststore.type=PKCS12", prefix + "truststore.password=opensesame", prefix + "truststore.location=" + certs.File(t, "trust", trusted.TrustStore(t, "PKCS12", "opensesame")),
	}, more...)
}

// askSecured has the test's requests made with a certificate, to workers of an authority.
func askSecured(t *testing.T, shown tls.Certificate, authorities ...certs.Pair) {
	t.Helper()
	conf := &tls.Config{RootCAs: authorities[0].Pool(), Certificates: []tls.Certificate{shown}}
	for _, a := range authorities[1:] {
		conf.RootCAs.AddCert(a.Cert)
	}
	transport, before := &http.Transport{TLSClientConfig: conf}, http.DefaultClient
	http.DefaultClient = &http.Client{Transport: transport}
	t.Cleanup(func() {
		http.DefaultClient = before
		transport.CloseIdleConnections()
	})
}

// Workers of a cluster ask each other over https, with the stores of their listeners:
// requests are forwarded, and tasks are sent to the leader.
//
// Clauses: G7, G8.
func TestWorkersShareOverTLS(t *testing.T) {
	for _, auth := range []string{"none", "required"} {
		t.Run("client certificates "+auth, func(t *testing.T) {
			authority := certs.Authority(t)
			askSecured(t, authority.Issue(t, "operator").TLS(), authority)
			sets := secured(t, authority.Issue(t, "worker", "127.0.0.1"), authority, "listeners.https.ssl.client.auth="+auth)
			leader, other := startTwo(t, kafkatest.Start(t), sets...)
			for _, name := range []string{"m", "n"} { // one of the two is split by the worker that does not lead
				do(t, other, http.StatusCreated, "PUT", "/connectors/"+name+"/config", fmt.Sprintf(numbers, 2))
				expect(t, name, "RUNNING", 2, leader, other)
			}
			for task := range 2 { // one of the two is at the other worker
				do(t, other, http.StatusNoContent, "POST", fmt.Sprintf("/connectors/n/tasks/%d/restart", task), "")
				do(t, leader, http.StatusNoContent, "POST", fmt.Sprintf("/connectors/n/tasks/%d/restart", task), "")
			}
		})
	}
}

// A worker that cannot ask the leader says which key keeps it from that.
func TestWorkersThatDoNotTrustEachOther(t *testing.T) {
	ours, theirs := certs.Authority(t), certs.Authority(t)
	askSecured(t, ours.Issue(t, "operator").TLS(), ours, theirs)
	host := func(by certs.Pair) certs.Pair { return by.Issue(t, "worker", "127.0.0.1") }
	required := "listeners.https.ssl.client.auth=required"
	tests := map[string]struct {
		leader, other []string
		want          string
	}{
		"another authority": {secured(t, host(ours), ours), secured(t, host(theirs), theirs),
			"is signed by one that is not trusted: name it in listeners.https.ssl.truststore.location"},
		"another name": {secured(t, ours.Issue(t, "worker", "sea.example"), ours), secured(t, host(ours), ours),
			"is for another name: that worker's rest.advertised.host.name has to be"},
		"another client's certificate": {secured(t, host(ours), ours, required), secured(t, host(theirs), ours),
			"refuses the connection: check listeners.https.ssl.keystore.location here"},
		"no store": {secured(t, host(ours), ours), nil,
			"is signed by one that is not trusted: name it in ssl.truststore.location"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			broker := kafkatest.Start(t)
			leader := startShared(t, broker, tt.leader...)
			wait.Until(t, "it to lead", func() bool { return leads(leader) })
			other := startShared(t, broker, tt.other...)
			wait.Until(t, "the other worker", func() bool { return other.member.Placement().LeaderURL != "" })
			answer := do(t, other, http.StatusInternalServerError, "PUT", "/connectors/n/config", fmt.Sprintf(numbers, 1))
			if !strings.Contains(answer, tt.want) || !strings.Contains(answer, "IO Error trying to forward REST request") {
				t.Errorf("it answers %s, want %s", answer, tt.want)
			}
		})
	}
}
