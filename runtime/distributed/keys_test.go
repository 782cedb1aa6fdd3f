package distributed

import (
	"encoding/hex"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime/config"
	"github.com/axiom-data-science/hydraulics/runtime/herder/store"
)

func TestSignature(t *testing.T) {
	key := store.SessionKey{Key: connector.Password(strings.Repeat("\x0b", 20)), Algorithm: "HmacSHA256"}
	// RFC 4231, test case 1.
	const want = "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
	if got := hex.EncodeToString(signature(key, "HmacSHA256", []byte("Hi There"))); got != want {
		t.Error(got)
	}
}

func keyringOf(t *testing.T, props connector.Props) (keyring, error) {
	t.Helper()
	c, err := config.WorkerDef().Parse(props)
	if err != nil {
		t.Fatal(err)
	}
	return newKeyring(c)
}

// Clauses: G8.
func TestKeyring(t *testing.T) {
	k, err := keyringOf(t, connector.Props{})
	if err != nil || k.size != 32 || k.ttl != time.Hour || k.sign != "HmacSHA256" {
		t.Errorf("%+v, %v", k, err)
	}
	k, err = keyringOf(t, connector.Props{"inter.worker.key.generation.algorithm": "HmacSHA512", "inter.worker.key.size": "128", "inter.worker.key.ttl.ms": "1000"})
	if err != nil || k.size != 16 || k.ttl != time.Second || k.kind != "HmacSHA512" {
		t.Errorf("%+v, %v", k, err)
	}
	if _, err := keyringOf(t, connector.Props{"inter.worker.signature.algorithm": "HmacSHA1"}); err == nil ||
		!strings.Contains(err.Error(), "HmacSHA1 is none of inter.worker.verification.algorithms") {
		t.Error(err)
	}
}

// A worker of a protocol before sessioned takes what is not signed.
func TestVerifyBeforeSessioned(t *testing.T) {
	if err := new(Member).Verify(http.Header{}, nil); err != nil {
		t.Error(err)
	}
}
