package door

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	"golang.org/x/crypto/bcrypt"

	"github.com/axiom-data-science/hydraulics/runtime/internal/rights"
)

// accessFile is what the file of access.file holds.
type accessFile struct {
	Users  map[string]access `yaml:"users,omitempty"`
	Tokens map[string]access `yaml:"tokens,omitempty"`
}

// access is how one logs in, and what one may do then.
type access struct {
	Password string `yaml:"password,omitempty"` // bcrypt's hash
	SHA256   string `yaml:"sha256,omitempty"`   // of a token, hexadecimal
	Role     string `yaml:"role"`
}

// readAccess reads the users and tokens of a file. Its errors repeat no value of it.
func readAccess(file string) (people, error) {
	found := people{users: map[string]account{}, tokens: map[string]rights.Who{}}
	data, err := os.ReadFile(file)
	if err != nil {
		return found, err
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	var in accessFile
	if err := dec.Decode(&in); err != nil && !errors.Is(err, io.EOF) {
		return found, fmt.Errorf("%s: want users: and tokens: once each, below them NAME: {password: HASH, role: ROLE} and NAME: {sha256: HASH, role: ROLE}, which hydraulics access writes", file)
	}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(in.Users)) {
		u := in.Users[name]
		role, err := rights.ParseRole(u.Role)
		if err == nil {
			if _, err = bcrypt.Cost([]byte(u.Password)); err != nil || u.SHA256 != "" {
				err = errors.New("its password is not hashed by bcrypt: hydraulics access user does that")
			}
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: user %s: %w", file, name, err))
		}
		found.users[name] = account{u.Password, role}
	}
	for _, name := range slices.Sorted(maps.Keys(in.Tokens)) {
		t := in.Tokens[name]
		role, err := rights.ParseRole(t.Role)
		sum := strings.ToLower(t.SHA256)
		switch bytes, no := hex.DecodeString(sum); {
		case err != nil:
		case no != nil || len(bytes) != sha256.Size || t.Password != "":
			err = errors.New("its sha256 is not the 64 hexadecimal digits that hydraulics access token writes")
		case sum == hashToken(""):
			err = errors.New("its sha256 is that of nothing")
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: token %s: %w", file, name, err))
		}
		found.tokens[sum] = rights.Who{Name: name, Role: role}
	}
	if len(found.users)+len(found.tokens) == 0 {
		errs = append(errs, fmt.Errorf("%s: there is neither a user nor a token in it", file))
	}
	return found, errors.Join(errs...)
}

// UserEntry gives the lines of access.file for a user.
func UserEntry(name, password string, role rights.Role) (string, error) {
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.DefaultCost)
	if err != nil {
		return "", fmt.Errorf("the password: %w", err)
	}
	return entryOf(accessFile{Users: map[string]access{name: {Password: string(hash), Role: role.String()}}})
}

// TokenEntry makes a token, and gives the lines of access.file for it.
func TokenEntry(name string, role rights.Role) (token, lines string, err error) {
	token = random()
	lines, err = entryOf(accessFile{Tokens: map[string]access{name: {SHA256: hashToken(token), Role: role.String()}}})
	return token, lines, err
}

func entryOf(f accessFile) (string, error) {
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	err := errors.Join(enc.Encode(f), enc.Close())
	return b.String(), err
}

// hashToken gives what is kept of a token. It is random and long, so that no slower
// hash is needed.
func hashToken(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}
