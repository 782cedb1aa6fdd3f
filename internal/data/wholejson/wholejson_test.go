package wholejson

import (
	"errors"
	"io"
	"testing"
)

func TestUnmarshal(t *testing.T) {
	for _, text := range []string{`1`, " {\"a\": 2}\r\n\t ", `"x"`, `[1,[2]]`, `null`, "\n-1.5e3"} {
		var v any
		if err := Unmarshal([]byte(text), &v); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	for _, text := range []string{`1,2,3`, `12.5;x`, `3:4`, `7]`, `7}`, `1 2`, `1true`, `1 true`, `{"a":2}{"b":3}`, `{"a":2} x`, `[]]`, `[] ,`, `"a""b"`, `null,`, `{} #`, "1\x00", `1 /* one */`, `{"a":1}}`} {
		var v any
		if err := Unmarshal([]byte(text), &v); err == nil {
			t.Errorf("%q is %v", text, v)
		}
	}
	var v any
	if err := Unmarshal([]byte(" \n"), &v); !errors.Is(err, io.EOF) {
		t.Errorf("no text at all: %v", err)
	}
}
