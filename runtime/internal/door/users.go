package door

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"strings"
	"sync"

	"golang.org/x/crypto/bcrypt"

	"github.com/axiom-data-science/hydraulics/internal/files"
	"github.com/axiom-data-science/hydraulics/internal/java/properties"
	"github.com/axiom-data-science/hydraulics/runtime/internal/rights"
)

// users are the people of a file, which is read again when it has changed. They are
// safe for concurrent use.
type users struct {
	file string
	read func(file string) (people, error)
	log  *slog.Logger
	salt []byte // of the sums below, so that they are good for nothing elsewhere

	// weighing is for one password at a time, so that strangers who try some keep
	// one processor busy at most. turns, outside of it, has one of each place wait for
	// it, so that they keep nobody elsewhere waiting for more than that one.
	turns    turns
	weighing sync.Mutex

	mu   sync.Mutex // inside weighing
	seen string
	list people
	// passed has sums of passwords that were weighed and found good.
	passed map[string][]byte
}

// people are those who may log in.
type people struct {
	users  map[string]account    // by name
	tokens map[string]rights.Who // by the hash of a token
}

// account is what a user has.
type account struct {
	password string // plain, or hashed by bcrypt
	role     rights.Role
}

func openUsers(file string, read func(file string) (people, error), log *slog.Logger) (*users, error) {
	u := &users{file: file, read: read, log: log, salt: make([]byte, sha256.Size), seen: files.Look(file)}
	if _, err := rand.Read(u.salt); err != nil {
		return nil, err
	}
	var err error
	u.list, err = read(file)
	u.passed = map[string][]byte{}
	return u, err
}

// readUsers reads users as Kafka Connect's login module has them: NAME=PASSWORD in
// Java's properties format, plain or hashed by bcrypt. All may do everything.
func readUsers(file string) (people, error) {
	found := people{users: map[string]account{}}
	data, err := os.ReadFile(file)
	if err != nil {
		return found, err
	}
	list, err := properties.Parse(data)
	if err != nil {
		return found, fmt.Errorf("%s: %w", file, err)
	}
	for _, p := range list {
		if p.Text == "" {
			return found, fmt.Errorf("%s:%d: the user has no password", file, p.Line)
		}
		if _, err := bcrypt.Cost([]byte(p.Text)); hashed(p.Text) && err != nil {
			return found, fmt.Errorf("%s:%d: the password begins as one that bcrypt has hashed, and is none", file, p.Line)
		}
		found.users[p.Key] = account{p.Text, rights.Configure}
	}
	if len(found.users) == 0 {
		return found, fmt.Errorf("%s: there is no user in it: want lines NAME=PASSWORD, the password plain or hashed by bcrypt", file)
	}
	return found, nil
}

// hashed tells whether a password is bcrypt's hash of it.
func hashed(password string) bool {
	return strings.HasPrefix(password, "$2a$") || strings.HasPrefix(password, "$2b$") || strings.HasPrefix(password, "$2y$")
}

// stranger is what the passwords of users who are not there are weighed with, so
// that the time does not tell that they are not.
const stranger = "$2a$10$7EqJtq98hPqEX7fNZaFWoOhi5iMIL.f2gNzHiyxEPLQqRUMNqyF4e"

// of gives a user's account, or a stranger's.
func (p people) of(user string) (a account, there bool) {
	if a, there = p.users[user]; there {
		return a, true
	}
	for _, other := range p.users {
		if hashed(other.password) {
			return account{password: stranger}, false
		}
	}
	return account{}, false
}

// who gives who has this name and password, nobody once ctx has ended.
func (u *users) who(ctx context.Context, from netip.Prefix, user, password string) (rights.Who, bool) {
	sum := u.sum(password)
	if who, ok := u.passedBefore(user, sum); ok {
		return who, true
	}
	back, ok := u.turns.take(ctx, from)
	if !ok {
		return rights.Who{}, false
	}
	defer back()
	u.weighing.Lock()
	defer u.weighing.Unlock()
	u.mu.Lock()
	want, there := u.list.of(user)
	u.mu.Unlock()
	good := hmac.Equal(u.sum(want.password), sum)
	if hashed(want.password) {
		good = bcrypt.CompareHashAndPassword([]byte(want.password), []byte(password)) == nil
	}
	if !good || !there {
		return rights.Who{}, false
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.list.users[user] != want {
		return rights.Who{}, false // the file has changed meanwhile
	}
	u.passed[user] = sum
	return rights.Who{Name: user, Role: want.role}, true
}

// passedBefore gives who it is where the password was found good since the file was
// read, which it is again where it has changed.
func (u *users) passedBefore(user string, sum []byte) (rights.Who, bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.refresh()
	return rights.Who{Name: user, Role: u.list.users[user].role}, hmac.Equal(u.passed[user], sum)
}

// bearer gives who has a token.
func (u *users) bearer(token string) (rights.Who, bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.refresh()
	who, ok := u.list.tokens[hashToken(token)]
	return who, ok
}

func (u *users) sum(password string) []byte {
	h := hmac.New(sha256.New, u.salt)
	h.Write([]byte(password))
	return h.Sum(nil)
}

// refresh reads the file again if it has changed. What is not good leaves the
// users as they were.
func (u *users) refresh() {
	seen := files.Look(u.file)
	if seen == u.seen {
		return
	}
	u.seen = seen
	list, err := u.read(u.file)
	if err != nil {
		u.log.Warn("users: the file has changed and cannot be read, those of before go on: " + err.Error())
		return
	}
	u.list, u.passed = list, map[string][]byte{}
	u.log.Info("users: read again, their file has changed", "file", u.file)
}
