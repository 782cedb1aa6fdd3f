package steer

import (
	"io"
	"testing"
)

// Each secret has a variable of its own, which a shell can set.
func TestVariablesOfSecrets(t *testing.T) {
	m := newMigration(io.Discard)
	for _, c := range []struct{ name, key, want string }{
		{"a-b", "connection.password", "A_B_CONNECTION_PASSWORD"},
		{"a_b", "connection.password", "A_B_CONNECTION_PASSWORD_2"},
		{"1st", "token", "_1ST_TOKEN"},
		{"-", "é", "_"},
	} {
		if got := m.variable(c.name, c.key); got != c.want {
			t.Errorf("%s, %s: %s, want %s", c.name, c.key, got, c.want)
		}
	}
}
