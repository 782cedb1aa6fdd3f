package distributed

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // one of Java's algorithms, where a worker is told to use it
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"net/http"
	"slices"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime/cluster"
	"github.com/axiom-data-science/hydraulics/runtime/herder"
	"github.com/axiom-data-science/hydraulics/runtime/herder/store"
)

// hashes are what signatures are made with, by Java's names.
var hashes = map[string]func() hash.Hash{"HmacSHA1": sha1.New, "HmacSHA256": sha256.New, "HmacSHA384": sha512.New384, "HmacSHA512": sha512.New}

// keyring says how requests among workers are signed.
type keyring struct {
	kind, sign string
	verify     []string
	size       int // bytes
	ttl        time.Duration
}

func newKeyring(c connector.Config) (keyring, error) {
	k := keyring{kind: c.String("inter.worker.key.generation.algorithm"), sign: c.String("inter.worker.signature.algorithm"),
		verify: c.List("inter.worker.verification.algorithms"), ttl: time.Duration(c.Int("inter.worker.key.ttl.ms")) * time.Millisecond}
	if !slices.Contains(k.verify, k.sign) {
		return k, fmt.Errorf("inter.worker.signature.algorithm: %s is none of inter.worker.verification.algorithms: a worker could not read what its like has signed", k.sign)
	}
	if k.size = hashes[k.kind]().Size(); c.Has("inter.worker.key.size") {
		k.size = c.Int("inter.worker.key.size") / 8
	}
	return k, nil
}

// signature gives that of a text.
func signature(key store.SessionKey, algorithm string, text []byte) []byte {
	h := hmac.New(hashes[algorithm], []byte(key.Key))
	h.Write(text)
	return h.Sum(nil)
}

var errNoKey = errors.New("there is no session key in the configuration topic yet, which the leader writes")

// signs puts the signature of its body into a request's headers.
func (m *Member) signs(h http.Header, body []byte) error {
	key, ok := m.store.SessionKey()
	if !ok {
		return connector.Retriable(errNoKey)
	}
	m.keys.put(h, key, body)
	return nil
}

// put puts the signature of a text into headers.
func (k keyring) put(h http.Header, key store.SessionKey, text []byte) {
	h.Set(cluster.AlgorithmHeader, k.sign)
	h.Set(cluster.SignatureHeader, base64.StdEncoding.EncodeToString(signature(key, k.sign, text)))
}

// signed tells whether the signature in headers is that of a text, by an algorithm that
// is taken.
func (k keyring) signed(h http.Header, key store.SessionKey, text []byte) bool {
	algorithm := h.Get(cluster.AlgorithmHeader)
	got, err := base64.StdEncoding.DecodeString(h.Get(cluster.SignatureHeader))
	return err == nil && slices.Contains(k.verify, algorithm) && hmac.Equal(got, signature(key, algorithm, text))
}

// Verify says what is wrong with the signature of a request from another worker. Workers
// of a protocol before sessioned sign nothing.
func (m *Member) Verify(h http.Header, body []byte) error {
	if m.Placement().Version != cluster.Sessioned {
		return nil
	}
	refuse := func(r herder.Reason, text string) error { return &herder.Error{Reason: r, Text: text} }
	algorithm, sent := h.Get(cluster.AlgorithmHeader), h.Get(cluster.SignatureHeader)
	if algorithm == "" || sent == "" {
		return refuse(herder.BadRequest, "Internal request missing required signature")
	}
	if !slices.Contains(m.keys.verify, algorithm) {
		return refuse(herder.BadRequest, fmt.Sprintf("This worker does not support the '%s' key signing algorithm used by other workers. "+
			"This worker is currently configured to use: %s. Check that all workers' configuration files permit the same set of signature algorithms, "+
			"and correct any misconfigured worker and restart it.", algorithm, m.keys.verify))
	}
	key, ok := m.store.SessionKey()
	if !ok {
		return refuse(herder.Unavailable, "This worker is still starting up and has not been able to read a session key from the config topic yet")
	}
	if !m.keys.signed(h, key, body) {
		return refuse(herder.Forbidden, "Internal request contained invalid signature.")
	}
	return nil
}

// rotate writes a new session key whenever the worker leads and there is none, or the
// last one has been used for its time, until ctx ends.
func (m *Member) rotate(ctx context.Context) {
	const again = time.Second // after an error
	for ctx.Err() == nil {
		m.mu.Lock()
		changed, leads := m.changed, m.placed.Leads() && m.placed.Version == cluster.Sessioned
		m.mu.Unlock()
		var due <-chan time.Time
		if leads {
			wait := m.keyLasts()
			if wait <= 0 {
				wait = again
				if err := m.writeKey(ctx); err != nil && ctx.Err() == nil {
					m.o.Log.Warn("a new session key is not written, trying on: " + err.Error())
				}
			}
			due = time.After(wait)
		}
		select {
		case <-changed:
		case <-due:
		case <-ctx.Done():
		}
	}
}

// keyLasts gives for how long the session key is good, 0 where it is not.
func (m *Member) keyLasts() time.Duration {
	key, ok := m.store.SessionKey()
	switch {
	case !ok:
		return 0
	case m.keys.ttl == 0:
		return time.Hour // to look again; there is no end
	}
	return m.keys.ttl - time.Since(key.Created)
}

func (m *Member) writeKey(ctx context.Context) error {
	key := make([]byte, m.keys.size)
	if _, err := rand.Read(key); err != nil {
		return err
	}
	return m.Store().Append(ctx, store.SessionKey{Key: connector.Password(key), Algorithm: m.keys.kind, Created: time.Now().UTC()})
}
