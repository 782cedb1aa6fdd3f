package serving

import (
	"encoding/json"
	"strings"
)

// labels reads the names of classes as metadata may have them: a list, a list
// as JSON text, or a text with one a line or with commas between.
func labels(v any) []string {
	switch x := v.(type) {
	case []any:
		var list []string
		for _, l := range x {
			s, ok := l.(string)
			if !ok {
				return nil
			}
			list = append(list, s)
		}
		return list
	case map[string]any: // a parameter of MLServer
		return labels(x["string_param"])
	case string:
		var list []any
		if json.Unmarshal([]byte(x), &list) == nil {
			return labels(list)
		}
		sep := ","
		if strings.Contains(strings.TrimSpace(x), "\n") {
			sep = "\n"
		}
		var out []string
		for l := range strings.SplitSeq(x, sep) {
			if l = strings.TrimSpace(l); l != "" {
				out = append(out, l)
			}
		}
		return out
	}
	return nil
}
