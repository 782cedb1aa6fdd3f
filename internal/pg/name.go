package pg

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
)

// maxName is the longest identifier of a server as it is built by default, in bytes.
const maxName = 63

// Quote gives an identifier in quotes, cut as the server would cut it.
func Quote(name string) string { return pgx.Identifier{cut(name)}.Sanitize() }

// QuoteLiteral gives a text as an SQL string literal.
func QuoteLiteral(text string) string {
	q := "'" + strings.ReplaceAll(text, "'", "''") + "'"
	if strings.Contains(text, `\`) {
		q = " E" + strings.ReplaceAll(q, `\`, `\\`)
	}
	return q
}

// cut shortens a name to what the server keeps of it, at a character's border.
func cut(name string) string {
	if len(name) <= maxName {
		return name
	}
	end := maxName
	for end > 0 && !utf8.RuneStart(name[end]) {
		end--
	}
	return name[:end]
}

// Name is the name of a table; Catalog and Schema may be empty.
type Name struct {
	Catalog, Schema, Table string
}

// ParseName reads table, schema.table or catalog.schema.table. A part in double
// quotes may contain dots, and "" for a quote.
func ParseName(text string) (Name, error) {
	var parts []string
	for rest := text; ; {
		part, after, err := namePart(rest)
		if err != nil {
			return Name{}, fmt.Errorf("table name %q: %w", text, err)
		}
		parts = append(parts, cut(part))
		if after == "" {
			break
		}
		if after[0] != '.' {
			return Name{}, fmt.Errorf("table name %q: text after a closing quote", text)
		}
		rest = after[1:]
	}
	switch len(parts) {
	case 1:
		return Name{Table: parts[0]}, nil
	case 2:
		return Name{Schema: parts[0], Table: parts[1]}, nil
	case 3:
		return Name{Catalog: parts[0], Schema: parts[1], Table: parts[2]}, nil
	}
	return Name{}, fmt.Errorf("table name %q: %d parts, at most database, schema and table are expected; put a name that contains dots in double quotes", text, len(parts))
}

func namePart(s string) (part, rest string, err error) {
	if !strings.HasPrefix(s, `"`) {
		i := strings.IndexByte(s, '.')
		if i < 0 {
			i = len(s)
		}
		if i == 0 {
			return "", "", fmt.Errorf("a part is empty")
		}
		return s[:i], s[i:], nil
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] != '"':
			b.WriteByte(s[i])
		case i+1 < len(s) && s[i+1] == '"':
			b.WriteByte('"')
			i++
		case b.Len() == 0:
			return "", "", fmt.Errorf("a part is empty")
		default:
			return b.String(), s[i+1:], nil
		}
	}
	return "", "", fmt.Errorf("a quote is not closed")
}

// Lower gives the name folded to lower case, as the server folds unquoted ones.
func (n Name) Lower() Name {
	return Name{strings.ToLower(n.Catalog), strings.ToLower(n.Schema), strings.ToLower(n.Table)}
}

// SQL gives the quoted name. The catalog is left out: a connection has one.
func (n Name) SQL() string {
	if n.Schema == "" {
		return Quote(n.Table)
	}
	return Quote(n.Schema) + "." + Quote(n.Table)
}

// String gives the name for people.
func (n Name) String() string {
	text := n.Table
	if n.Schema != "" {
		text = n.Schema + "." + text
	}
	if n.Catalog != "" {
		text = n.Catalog + "." + text
	}
	return text
}
