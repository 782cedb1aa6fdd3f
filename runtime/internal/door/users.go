package door

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"

	"golang.org/x/crypto/bcrypt"

	"github.com/axiom-data-science/hydraulics/internal/files"
	"github.com/axiom-data-science/hydraulics/internal/java/properties"
)

// users are those of a file, NAME=PASSWORD in Java's properties format, plain or
// hashed by bcrypt. The file is read again when it has changed. They are safe for
// concurrent use.
type users struct {
	file string
	log  *slog.Logger
	salt []byte // of the sums below, so that they are good for nothing elsewhere

	// weighing is for one password at a time, so that strangers who try some keep
	// one processor busy at most.
	weighing sync.Mutex

	mu   sync.Mutex // inside weighing
	seen string
	list passwords
	// passed has sums of passwords that were weighed and found good.
	passed map[string][]byte
}

// passwords are those of users, by name.
type passwords map[string]string

func openUsers(file string, log *slog.Logger) (*users, error) {
	u := &users{file: file, log: log, salt: make([]byte, sha256.Size), seen: files.Look(file)}
	if _, err := rand.Read(u.salt); err != nil {
		return nil, err
	}
	var err error
	u.list, err = readUsers(file)
	u.passed = map[string][]byte{}
	return u, err
}

func readUsers(file string) (passwords, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	list, err := properties.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	found := passwords{}
	for _, p := range list {
		if p.Text == "" {
			return nil, fmt.Errorf("%s:%d: the user has no password", file, p.Line)
		}
		if _, err := bcrypt.Cost([]byte(p.Text)); hashed(p.Text) && err != nil {
			return nil, fmt.Errorf("%s:%d: the password begins as one that bcrypt has hashed, and is none", file, p.Line)
		}
		found[p.Key] = p.Text
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%s: there is no user in it: want lines NAME=PASSWORD, the password plain or hashed by bcrypt", file)
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

// of gives a user's password, or a stranger's.
func (p passwords) of(user string) (password string, there bool) {
	if password, there = p[user]; there {
		return password, true
	}
	for _, other := range p {
		if hashed(other) {
			return stranger, false
		}
	}
	return "", false
}

// known tells whether a user has this password.
func (u *users) known(user, password string) bool {
	sum := u.sum(password)
	if u.hasPassed(user, sum) {
		return true
	}
	u.weighing.Lock()
	defer u.weighing.Unlock()
	u.mu.Lock()
	want, there := u.list.of(user)
	u.mu.Unlock()
	good := hmac.Equal(u.sum(want), sum)
	if hashed(want) {
		good = bcrypt.CompareHashAndPassword([]byte(want), []byte(password)) == nil
	}
	if !good || !there {
		return false
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.list[user] != want {
		return false // the file has changed meanwhile
	}
	u.passed[user] = sum
	return true
}

// hasPassed tells whether a user's password was found good since the file was read,
// which it is again where it has changed.
func (u *users) hasPassed(user string, sum []byte) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.refresh()
	return hmac.Equal(u.passed[user], sum)
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
	list, err := readUsers(u.file)
	if err != nil {
		u.log.Warn("users: the file has changed and cannot be read, those of before go on: " + err.Error())
		return
	}
	u.list, u.passed = list, map[string][]byte{}
	u.log.Info("users: read again, their file has changed", "file", u.file)
}
