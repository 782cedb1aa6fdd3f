package postgres

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/files"
)

// PasswordsFile, in the folder of a server, has the passwords that were drawn for
// it: one "role=password" to a line, as Kafka Connect's file provider reads it.
// Only the folder's owner can read it.
const PasswordsFile = "passwords.properties"

// superuser is the role that a cluster is made with.
const superuser = "postgres"

// passwords gives the superuser's and the user's of a folder. They are drawn with
// a new cluster and stay.
func passwords(dir string, h home, user string) (admin, own connector.Password, err error) {
	file := filepath.Join(dir, PasswordsFile)
	kept, err := readPasswords(file)
	if err != nil {
		return "", "", err
	}
	if kept[superuser] == "" {
		if _, err := os.Stat(h.data()); err == nil {
			return "", "", fmt.Errorf("%s does not have the superuser's password: the data in %s were made by an earlier version, whose password is known to everyone, "+
				"or the file was lost; delete both folders to begin anew", file, h.base)
		}
	}
	admin, own = kept[superuser], kept[user]
	if admin == "" {
		admin = connector.Password(rand.Text())
	}
	if own == "" {
		own = connector.Password(rand.Text())
	}
	if admin == kept[superuser] && own == kept[user] {
		return admin, own, nil
	}
	text := fmt.Appendf(nil, "%s=%s\n%s=%s\n", superuser, admin.Secret(), user, own.Secret())
	return admin, own, files.Replace(file, text, 0o600)
}

func readPasswords(file string) (map[string]connector.Password, error) {
	text, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	kept := map[string]connector.Password{}
	for line := range bytes.Lines(text) {
		if role, password, ok := strings.Cut(strings.TrimSpace(string(line)), "="); ok {
			kept[role] = connector.Password(password)
		}
	}
	return kept, nil
}
