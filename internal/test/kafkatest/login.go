package kafkatest

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
)

// StartWithLogin runs a broker in memory that wants a login by SASL, until the
// test ends, and gives its address. The mechanism is PLAIN, SCRAM-SHA-256 or
// SCRAM-SHA-512.
func StartWithLogin(t testing.TB, mechanism, user, password string) string {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.AllowAutoTopicCreation(), kfake.DefaultNumPartitions(4),
		kfake.EnableSASL(), kfake.Superuser(mechanism, user, password))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	return cluster.ListenAddrs()[0]
}
