package door

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"
)

const headersKey = "response.http.headers.config"

// header is one that each answer has.
type header struct {
	name, value string
	add         bool           // to others of the name
	after       *time.Duration // the value is the time so long after now
}

// headersOf reads a list in the grammar of Kafka Connect: [set|add|setDate|addDate]
// NAME: VALUE, separated by commas; one with a comma in it is in double quotes.
func headersOf(text string) ([]header, error) {
	var list []header
	for _, item := range splitQuoted(text) {
		action, rest, _ := strings.Cut(strings.TrimSpace(item), " ")
		name, value, ok := strings.Cut(rest, ":")
		h := header{name: strings.TrimSpace(name), value: strings.TrimSpace(value)}
		if !ok || !httpguts.ValidHeaderFieldName(h.name) || !httpguts.ValidHeaderFieldValue(h.value) {
			return nil, fmt.Errorf("%s: %q is not of the form [set|add|setDate|addDate] NAME: VALUE", headersKey, item)
		}
		dated := false
		switch strings.ToLower(action) {
		case "set":
		case "add":
			h.add = true
		case "setdate":
			dated = true
		case "adddate":
			h.add, dated = true, true
		default:
			return nil, fmt.Errorf("%s: %q: want set, add, setDate or addDate, not %s", headersKey, item, action)
		}
		if dated {
			ms, err := strconv.ParseInt(h.value, 10, 64)
			if err != nil {
				return nil, fmt.Errorf("%s: %q: want milliseconds from now", headersKey, item)
			}
			after := time.Duration(ms) * time.Millisecond
			h.after = &after
		}
		list = append(list, h)
	}
	return list, nil
}

// splitQuoted splits at commas outside double quotes, which begin an item; in them
// a backslash takes the next character as it is.
func splitQuoted(text string) []string {
	var list []string
	var item strings.Builder
	quoted := false
	end := func() {
		if strings.TrimSpace(item.String()) != "" {
			list = append(list, item.String())
		}
		item.Reset()
	}
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\' && i+1 < len(text):
			i++
			item.WriteByte(text[i])
		case c == '"' && (quoted || strings.TrimSpace(item.String()) == ""):
			quoted = !quoted
		case c == ',' && !quoted:
			end()
		default:
			item.WriteByte(c)
		}
	}
	end()
	return list
}

// withHeaders puts headers on each answer; the handler's own of a name go over them.
func withHeaders(list []header, next http.Handler) http.Handler {
	if len(list) == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, h := range list {
			value := h.value
			if h.after != nil {
				value = time.Now().Add(*h.after).UTC().Format(http.TimeFormat)
			}
			if h.add {
				w.Header().Add(h.name, value)
			} else {
				w.Header().Set(h.name, value)
			}
		}
		next.ServeHTTP(w, r)
	})
}
