package regex

import "testing"

// Clauses: D19.
func TestMatchAll(t *testing.T) {
	tests := []struct {
		pattern, text string
		want          bool
	}{
		{`.*`, "", true}, {`(?i)EVENTS`, "events", true}, {`a|b`, "ab", false}, {`^a$`, "a", true},
		{"^a$", "a\n", false}, {`[a-z&&[^b]]+`, "abc", false}, {`[a-z&&[^b]]+`, "acd", true},
		{`[^a-c&&b-z]+`, "bc", false}, {`[^a-c&&b-z]+`, "adz", true}, {`[a[xy]]+`, "xay", true}, {`[]a]+`, "]a", true},
		{`(?!x).*`, "xy", false}, {`(?=x).*`, "xy", true}, {`(?<=x)y`, "y", false}, {`(\w)\1`, "aa", true}, {`(\w)\1`, "ab", false},
		{`a*+a`, "aa", false}, {`a++b?+`, "aab", true}, {`a{2}+`, "aa", true}, {`(ab)*+c`, "ababc", true},
		{`.`, "中", true}, {`.`, "😀", true}, {`a.b`, "a\rb", false}, {`(?s)a.b`, "a\nb", true}, {`(?s:.)x.`, "\nx\n", false},
		{`\Qa.b\E`, "a.b", true}, {`\Qa.b\E`, "axb", false}, {`\Qab\E+`, "abbb", true}, {`\Q[`, "[", true},
		{`\p{Alpha}+`, "abcé", false}, {`\p{L}+`, "abcé", true}, {`\p{IsLatin}+`, "abc", true}, {`\P{Digit}+`, "ab", true},
		{`\d+`, "١", false}, {`[\d_]+`, "1_2", true}, {`[\w&&\D]+`, "ab1", false}, {`\x{1F600}\u0041\x41\0101`, "😀AAA", true},
		{`\p{InGreek}+`, "αβ", true}, {`\p{InGreek}`, "a", false}, {`\P{block=Basic Latin}`, "é", true}, {`[\p{blk=EMOTICONS}x]+`, "😀x", true},
		{`\X`, "e\u0301", true}, {`\X`, "ab", false}, {`\X\X`, "\r\nb", true}, {`\X`, "🇩🇪", true}, {`\X\X`, "🇩🇪🇫", true},
		{`\X`, "👨\u200D👩\u200D👧", true}, {`\X`, "\u1100\u1161\u11A8", true}, {`\X`, "각\u11A8", true}, {`\X+x`, "e\u0301x", true}, {`\X*+x`, "e\u0301x", false},
		{`\N{LATIN SMALL LETTER A}\N{ grinning face }`, "a😀", true}, {`[\N{DIGIT ONE}-3]`, "2", true},
		{`(?<n>a)\k<n>`, "aa", true}, {`topic\.[0-9]{3}`, "topic.012", true}, {`[+\-*]`, "-", true}, {`[a-]`, "-", true},
	}
	for _, tt := range tests {
		re, err := Compile(tt.pattern)
		if err != nil {
			t.Errorf("%s: %v", tt.pattern, err)
			continue
		}
		if got, err := re.MatchAll(tt.text); err != nil || got != tt.want {
			t.Errorf("%s on %q: %v %v, want %v", tt.pattern, tt.text, got, err, tt.want)
		}
	}
}

func TestBadPatterns(t *testing.T) {
	for _, pattern := range []string{`(`, `)`, `*`, `a{`, `a{x}`, `[`, `[a`, `[a&&`, `[z-a]`, `\p{Foo}`, `\`, `(?q)`, `(?<n`, `\k<n`, `\x{110000}`, `\y`, `(?`, `\p{InNowhere}`, `\N{NO SUCH NAME}`, `\N{}`, `\N{<control>}`, `\N{DIGIT ONE`, `[\X]`} {
		if re, err := Compile(pattern); err == nil {
			t.Errorf("%s compiles to %s", pattern, re.whole)
		}
	}
}

func FuzzCompile(f *testing.F) {
	for _, s := range []string{`[a-z&&[^b]]+`, `\Qa\E*+`, `(?i-s:x)`, `a{1,2}{3}`, `[[[]]]`, `\p{L}\x{`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) < 200 {
			_, _ = Compile(s) // must not panic
		}
	})
}

// Clauses: D19.
func TestReplaceFirst(t *testing.T) {
	for _, c := range []struct{ pattern, replacement, text, want string }{
		{`(.*)-(\d+)`, "$2-$1", "orders-17", "17-orders"},
		{`(?<n>a)(b)`, "$2${n}$1", "ab", "baa"},
		{`(.*)`, "$1_x$10", "t", "t_xt0"},
		{`(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)(k)\11?`, "$11", "abcdefghijk", "k"},
		{`(.*?)`, "x$1", "abc", "xabc"},
		{`(a)|(b)`, `\$$1$2\é`, "b", "$bé"},
		{`(?<w>é)(.)\k<w>\2`, "[$1]", "xé1é1y", "x[é]y"},
	} {
		re, err := Compile(c.pattern)
		if err != nil {
			t.Fatal(err)
		}
		r, err := re.Replacement(c.replacement)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := r.First(c.text); got != c.want || err != nil {
			t.Errorf("%s, %s on %s: %q %v, want %q", c.pattern, c.replacement, c.text, got, err, c.want)
		}
	}
	re, err := Compile("(?<n>a)")
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"$", `\`, "$a", "$2", "${}", "${1}", "${n", "${m}"} {
		r, err := re.Replacement(text)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.First("a"); err == nil {
			t.Errorf("%s is no error", text)
		}
		if got, err := r.First("b"); got != "b" || err != nil {
			t.Errorf("%s where nothing matches: %q %v", text, got, err)
		}
	}
}
