package kafkatest

import (
	"crypto/tls"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// StartWithLogin runs a broker in memory that wants a login by SASL, until the
// test ends, and gives its address. The mechanism is PLAIN, SCRAM-SHA-256 or
// SCRAM-SHA-512.
func StartWithLogin(t testing.TB, mechanism, user, password string) string {
	t.Helper()
	return start(t, kfake.EnableSASL(), kfake.Superuser(mechanism, user, password))
}

// StartWithRights runs a broker in memory until the test ends, and gives its address.
// The user admin, whose password is his name, may do everything, another one what is
// granted.
func StartWithRights(t testing.TB, user, password string, granted ...kfake.ACL) string {
	t.Helper()
	return start(t, kfake.EnableSASL(), kfake.EnableACLs(), kfake.Superuser("PLAIN", "admin", "admin"), kfake.User("PLAIN", user, password, granted...))
}

// The rights to grant on topics, and on groups.
var (
	MayRead     = right(kmsg.ACLResourceTypeTopic, kmsg.ACLOperationRead)
	MayWrite    = right(kmsg.ACLResourceTypeTopic, kmsg.ACLOperationWrite)
	MayDescribe = right(kmsg.ACLResourceTypeTopic, kmsg.ACLOperationDescribe)
	MayUseGroup = right(kmsg.ACLResourceTypeGroup, kmsg.ACLOperationRead)
)

func right(resource kmsg.ACLResourceType, operation kmsg.ACLOperation) func(name string) kfake.ACL {
	return func(name string) kfake.ACL {
		return kfake.ACL{Resource: resource, Name: name, Pattern: kmsg.ACLResourcePatternTypeLiteral, Operation: operation, Allow: true}
	}
}

// StartWithTLS runs a broker in memory that speaks TLS, until the test ends, and
// gives its address, a port of 127.0.0.1. With a mechanism it wants a login, too.
func StartWithTLS(t testing.TB, conf *tls.Config, mechanism, user, password string) string {
	t.Helper()
	if mechanism == "" {
		return start(t, kfake.TLS(conf))
	}
	return start(t, kfake.TLS(conf), kfake.EnableSASL(), kfake.Superuser(mechanism, user, password))
}

func start(t testing.TB, options ...kfake.Opt) string {
	t.Helper()
	return newCluster(t, append(options, kfake.NumBrokers(1), kfake.AllowAutoTopicCreation(), kfake.DefaultNumPartitions(4))...).ListenAddrs()[0]
}
