package properties

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want []Property
	}{
		"separators":     {"a=1\nb:2\nc 3\nd = : 4\ne\n", []Property{{"a", "1", 1}, {"b", "2", 2}, {"c", "3", 3}, {"d", ": 4", 4}, {"e", "", 5}}},
		"comments":       {"# x\n  ! y\n\na=1 # z", []Property{{"a", "1 # z", 4}}},
		"lines that go":  {"a=1,\\\r\n   2\\\\\nb=3\\", []Property{{"a", `1,2\`, 1}, {"b", "3", 3}}},
		"escapes":        {`a\ b\=c=\t\u00fc\ud83d\ude00\x`, []Property{{"a b=c", "\tü😀x", 1}}},
		"ISO 8859-1":     {"a=\xfc", []Property{{"a", "ü", 1}}},
		"twice, a mark ": {"\ufeffa=1\na=2", []Property{{"a", "1", 1}, {"a", "2", 2}}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Parse([]byte(c.text))
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
		})
	}
	if _, err := Parse([]byte("a=1\nb=\\u12")); err == nil || err.Error() != `line 2: \u wants four hexadecimal digits` {
		t.Errorf("error %v", err)
	}
}
