package distributed

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"time"

	"github.com/axiom-data-science/hydraulics/runtime/cluster"
	"github.com/axiom-data-science/hydraulics/runtime/herder/store"
	"github.com/axiom-data-science/hydraulics/runtime/internal/rights"
)

// A session is known to the worker alone that has opened it. Where it sends a request of
// one on, it gives its word on who asks, signed with the session key.

// wordHeader holds the word, beside its signature.
const wordHeader = "X-Hydraulics-Asks"

// wordLasts is for how long a word is good, and how far clocks of two workers may differ.
const wordLasts = 5 * time.Minute

// behind is how long another worker has to read a session key that is new.
const behind = 500 * time.Millisecond

// word is what a worker says of a request that it sends on.
type word struct {
	Name string    `json:"name"`
	Role string    `json:"role"`
	Said time.Time `json:"said"`
	Body []byte    `json:"body"` // its SHA-256
}

// signedWord is the text that is signed: a word holds for one request.
func signedWord(r *http.Request, header string) []byte {
	return fmt.Appendf(nil, "%s %s %s", header, r.Method, r.URL.RequestURI())
}

// Do sends a request to another worker, for the one whom its context names.
func (m *Member) Do(r *http.Request) (*http.Response, error) {
	who := rights.Of(r.Context())
	if !who.Session || m.Placement().Version != cluster.Sessioned {
		return m.o.HTTP.Do(r)
	}
	res, err := m.vouch(r, who)
	if err != nil || res.StatusCode != http.StatusUnauthorized {
		return res, err
	}
	_ = res.Body.Close()                               // it says no more
	if err := m.store.ToEnd(r.Context()); err != nil { // the key may be a newer one
		return nil, err
	}
	select {
	case <-time.After(behind): // or the other worker has an older one
	case <-r.Context().Done():
		return nil, context.Cause(r.Context())
	}
	return m.vouch(r, who)
}

// vouch sends a request with the worker's word on who asks.
func (m *Member) vouch(r *http.Request, who rights.Who) (*http.Response, error) {
	key, ok := m.store.SessionKey()
	if !ok {
		return nil, errNoKey
	}
	r = r.Clone(r.Context())
	if err := m.keys.vouch(r, key, who, time.Now()); err != nil {
		return nil, err
	}
	return m.o.HTTP.Do(r)
}

// vouch puts a word into a request's headers.
func (k keyring) vouch(r *http.Request, key store.SessionKey, who rights.Who, now time.Time) error {
	var body []byte
	if r.GetBody != nil {
		b, err := r.GetBody()
		if err != nil {
			return err
		}
		if body, err = io.ReadAll(b); err != nil {
			return err
		}
		if r.Body, err = r.GetBody(); err != nil { // which stays none where there is none
			return err
		}
	}
	sum := sha256.Sum256(body)
	data, err := json.Marshal(word{who.Name, who.Role.String(), now, sum[:]})
	if err != nil {
		return err
	}
	header := base64.StdEncoding.EncodeToString(data)
	r.Header.Set(wordHeader, header)
	r.Header.Del("Authorization") // the session's own token, which is good here alone
	k.put(r.Header, key, signedWord(r, header))
	return nil
}

// Vouched gives who asks by the word of another worker, where a request has one that
// is good. Its body ends with an error where it is another one.
func (m *Member) Vouched(r *http.Request) (rights.Who, bool) {
	if m.Placement().Version != cluster.Sessioned {
		return rights.Who{}, false
	}
	key, ok := m.store.SessionKey()
	if !ok {
		return rights.Who{}, false
	}
	return m.keys.vouched(r, key, time.Now())
}

func (k keyring) vouched(r *http.Request, key store.SessionKey, now time.Time) (rights.Who, bool) {
	header := r.Header.Get(wordHeader)
	if header == "" || !k.signed(r.Header, key, signedWord(r, header)) {
		return rights.Who{}, false
	}
	var w word
	data, err := base64.StdEncoding.DecodeString(header)
	if err != nil || json.Unmarshal(data, &w) != nil || now.Sub(w.Said).Abs() > wordLasts {
		return rights.Who{}, false
	}
	role, err := rights.ParseRole(w.Role)
	if err != nil {
		return rights.Who{}, false
	}
	r.Body = &attested{r.Body, sha256.New(), w.Body}
	return rights.Who{Name: w.Name, Role: role, Session: true}, true
}

// attested is a body that has to be the one of a word.
type attested struct {
	io.ReadCloser
	sum  hash.Hash
	want []byte
}

// Read fails at the end of another one.
func (a *attested) Read(p []byte) (int, error) {
	n, err := a.ReadCloser.Read(p)
	a.sum.Write(p[:n])
	if errors.Is(err, io.EOF) && !hmac.Equal(a.sum.Sum(nil), a.want) {
		err = errors.New("it is not the one that a worker of the cluster has signed")
	}
	return n, err
}
