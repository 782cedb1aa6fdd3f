package wire

import "testing"

func TestScrub(t *testing.T) {
	for name, want := range map[string][2]string{ // without and with an underscore at the beginning
		"":       {"", ""},
		"plain9": {"plain9", "plain9"},
		"_x":     {"x_x", "_x"},
		"9x":     {"x9x", "x9x"},
		"a-b c":  {"a_b_c", "a_b_c"},
		"é":      {"x_C3_A9", "x_C3_A9"},
		"*":      {"x_", "x_"},
		"a~":     {"a_7E", "a_7E"},
	} {
		if got := [2]string{Scrub(name, false), Scrub(name, true)}; got != want {
			t.Errorf("%q is %q, want %q", name, got, want)
		}
	}
}
