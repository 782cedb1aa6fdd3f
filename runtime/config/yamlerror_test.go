package config

import (
	"strings"
	"testing"
)

func TestYAMLFaultsAreSaidInWords(t *testing.T) {
	const head = "worker:\n  client.id: w\nconnectors:\n  tide:\n    connector.class: stream\n" // 5 lines
	tests := []struct{ name, text, want string }{
		{"a tab", head + "\ttopics: a\n", "6: is indented with a tab"},
		{"a tab behind spaces", head + "    topics:\n    \t- a\n", "7: is indented with a tab"},
		{"no colon", "connectors:\n  tide\n    # of the harbour\n    topics: a\n", "2: has no colon at its end"},
		{"no space behind the colon", head + "    topics:a\n    topic: b\n", "6: is neither a key nor a value"},
		{"too little indented", head + "    topics: a\n   topic: b\n    name: c\n", "7: is indented otherwise"},
		{"too much indented", head + "    topics: a\n      topic: b\n", "7: is indented further than the line before it"},
		{"an item out of line", head + "    topics:\n      - a\n     - b\n    topic: c\n", "8: is indented otherwise"},
		{"an open quote", head + "    topics: \"a\n    topic: b\n", "6: the text in quotes that begins here"},
		{"an open quote in the first line", "worker: {client.id: 'x}\nconnectors: {}\n", "1: the text in quotes that begins here"},
		{"an open list", head + "    topics: [a, b\n    topic: c\n", "6: the list that begins here with ["},
		{"open keys", "worker: {client.id: w\nconnectors: {}\n", "1: the keys that begin here with {"},
		{"an open brace at the end", head + "    headers: {\n\n", "6: a [ or { is not closed"},
		{"a star", head + "    topics: *\n", "6: a text that begins with * or & must be in quotes"},
		{"a star and a word", head + "    topics: *all\n    topic: b\n", "6: *all stands for an anchor &all"},
		{"an at sign", head + "    topics: @a\n", "6: a text that begins with @"},
		{"two colons", "connectors: a: b\n", `1: has two colons with a space behind`},
		{"more behind a quote", head + "    topics: 'it's'\n    topic: b\n", "6: more follows a text in quotes"},
		{"a list behind a key", head + "    topics: - a\n", "6: a list does not begin behind a key"},
		{"a backslash", head + `    file: "C:\data"` + "\n", "6: a backslash between double quotes"},
		{"an empty item", head + "    topics: [a, , b]\n", "6: an item is missing between two commas"},
		{"a tag", head + "    topics: !a!b c\n", "6: a text that begins with ! must be in quotes"},
		{"a control character", head + "    topics: a\x01b\n    topic: c\n", "6: holds a control character"},
		{"another encoding", head + "    topics: caf\xe9\n    topic: c\n", "6: is not UTF-8"},
		{"a fault in another document", "worker: {}\n---\nworker:\n  a: 'b\n", "4: the text in quotes that begins here"},
		{"a mark of the byte order", "\ufeffworker:\n  a: 'b\n", "2: the text in quotes that begins here"},
		{"transforms as keys", head + "    topics: a\n    topic: b\n    transforms:\n      carbon: {}\n", `8: tide: transforms: must be a list, each with its keys, such as "- classify: {...}"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := new(Setup)
			var got []string
			if err := s.Add("f.yaml", []byte(tt.text), AnyRole); err != nil {
				got = append(got, err.Error())
			}
			for _, p := range s.Problems {
				got = append(got, p.String())
			}
			if len(got) != 1 || !strings.HasPrefix(got[0], "f.yaml:"+tt.want) {
				t.Errorf("got %q, want %s", got, tt.want)
			}
		})
	}
}

func FuzzYAMLFault(f *testing.F) {
	f.Add("a: [b\nc: 'd")
	f.Add("a:\n  b: *\n c: d")
	f.Fuzz(func(t *testing.T, text string) {
		if err := new(Setup).Add("f.yaml", []byte(text), AnyRole); err != nil && !strings.HasPrefix(err.Error(), "f.yaml") {
			t.Errorf("%q: %v", text, err)
		}
	})
}
