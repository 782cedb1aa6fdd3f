package postgrest

import (
	"cmp"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// The media types that are offered.
const (
	mediaJSON   = "application/json"
	mediaCSV    = "text/csv"
	mediaObject = "application/vnd.pgrst.object+json"
	mediaArray  = "application/vnd.pgrst.array+json"
	mediaOpen   = "application/openapi+json"
)

// negotiate chooses what to answer with among offered, the first one for */*.
// The parameter nulls=stripped of PostgREST's own types is told.
func negotiate(r *http.Request, offered ...string) (media string, stripped bool, err error) {
	accept := strings.Join(r.Header.Values("Accept"), ",")
	if strings.TrimSpace(accept) == "" {
		return offered[0], false, nil
	}
	type wish struct {
		media    string
		stripped bool
		quality  float64
	}
	var wishes []wish
	for part := range strings.SplitSeq(accept, ",") {
		fields := strings.Split(part, ";")
		w := wish{media: strings.ToLower(strings.TrimSpace(fields[0])), quality: 1}
		for _, f := range fields[1:] {
			key, value, _ := strings.Cut(strings.TrimSpace(f), "=")
			switch key {
			case "q":
				if q, err := strconv.ParseFloat(value, 64); err == nil {
					w.quality = q
				}
			case "nulls":
				w.stripped = value == "stripped"
			}
		}
		wishes = append(wishes, w)
	}
	slices.SortStableFunc(wishes, func(a, b wish) int { return cmp.Compare(b.quality, a.quality) })
	for _, w := range wishes {
		if w.quality <= 0 {
			continue
		}
		for _, m := range offered {
			major, _, _ := strings.Cut(m, "/")
			if w.media == m || w.media == "*/*" || w.media == major+"/*" || w.media == "application/vnd.pgrst.object" && m == mediaObject || w.media == "application/vnd.pgrst.array" && m == mediaArray {
				return m, w.stripped && strings.HasPrefix(m, "application/vnd.pgrst."), nil
			}
		}
	}
	return "", false, failure(http.StatusNotAcceptable, "PGRST107", "None of these media types are available: %s", accept)
}

// preferences are what the Prefer header asks for.
type preferences struct {
	count    string // exact, planned, estimated or empty
	timezone string
	strict   bool
	applied  []string
}

// readPreferences reads the Prefer headers. With handling=strict a preference
// that is not known is an error.
func readPreferences(h http.Header, known *schema) (p preferences, err error) {
	var invalid []string
	for part := range strings.SplitSeq(strings.Join(h.Values("Prefer"), ","), ",") {
		part = strings.TrimSpace(part)
		key, value, _ := strings.Cut(part, "=")
		valid := true
		switch key {
		case "":
			continue
		case "count":
			if valid = value == "exact" || value == "planned" || value == "estimated"; valid && p.count == "" {
				p.count = value
			}
		case "timezone":
			if valid = known.timezones[value]; valid {
				p.timezone = value
			}
		case "handling":
			p.strict = value == "strict"
			valid = p.strict || value == "lenient"
		case "return", "resolution", "missing", "tx", "max-affected": // of writes
			continue
		default:
			valid = false
		}
		if valid {
			p.applied = append(p.applied, part)
		} else {
			invalid = append(invalid, part)
		}
	}
	if p.strict && len(invalid) > 0 {
		return p, failure(http.StatusBadRequest, "PGRST122", "Invalid preferences given with handling=strict").details("Invalid preferences: %s", strings.Join(invalid, ", "))
	}
	return p, nil
}

// parseParameters reads a query, in which what is no escape is taken as it is: a
// percent sign typed by hand, a semicolon.
func parseParameters(raw string) url.Values {
	values := url.Values{}
	for pair := range strings.SplitSeq(raw, "&") {
		if pair != "" {
			key, value, _ := strings.Cut(pair, "=")
			key = unescape(key)
			values[key] = append(values[key], unescape(value))
		}
	}
	return values
}

func unescape(s string) string {
	if text, err := url.QueryUnescape(s); err == nil {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if c, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err == nil {
				b.WriteByte(byte(c))
				i += 2
				continue
			}
		}
		if s[i] == '+' {
			b.WriteByte(' ')
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// readQuery reads the parameters of a request for a table's rows.
func (s *Server) readQuery(t *table, values url.Values, h http.Header) (*query, error) {
	q := &query{table: t, columns: []column{{star: true}}, limit: -1}
	var err error
	for _, key := range slices.Sorted(maps.Keys(values)) {
		for _, value := range values[key] {
			if err := q.parameter(key, value); err != nil {
				return nil, err
			}
		}
	}
	if q.aggregated() && !s.options.Aggregates {
		return nil, failure(http.StatusBadRequest, "PGRST123", "Use of aggregate functions is not allowed")
	}
	if err = q.rangeHeader(h.Get("Range")); err != nil {
		return nil, err
	}
	if most := s.options.MaxRows; most > 0 && (q.limit < 0 || q.limit > most) {
		q.limit = most
	}
	return q, nil
}

func (q *query) parameter(key, value string) (err error) {
	switch key {
	case "select":
		q.columns, err = parseSelect(q.table.name, value)
	case "order":
		q.order, err = parseOrder(value)
	case "limit":
		if n, err := strconv.ParseInt(value, 10, 64); err == nil && n < 0 {
			return badRange("Limit should be greater than or equal to zero.")
		} else if err == nil {
			q.limit = n
		}
	case "offset":
		if n, err := strconv.ParseInt(value, 10, 64); err == nil && n > 0 {
			q.offset = n
		}
	case "columns", "on_conflict": // of writes
	case "and", "or", "not.and", "not.or":
		var c condition
		c, err = parseTree(key, value)
		q.conditions = append(q.conditions, c)
	default:
		var c condition
		c, err = parseFilter(key, value)
		q.conditions = append(q.conditions, c)
	}
	return err
}

// rangeHeader narrows the page by a Range header such as 0-9 or 10-. What is
// no range of items is ignored, as HTTP has it.
func (q *query) rangeHeader(text string) error {
	from, to, ok := strings.Cut(strings.TrimPrefix(text, "items="), "-")
	first, err := strconv.ParseInt(from, 10, 64)
	if !ok || err != nil || first < 0 {
		return nil
	}
	last, err := strconv.ParseInt(to, 10, 64)
	switch {
	case to != "" && err != nil:
		return nil
	case to != "" && first > last:
		return badRange("The lower boundary must be lower than or equal to the upper boundary in the Range header.")
	}
	end := int64(-1) // of what limit and offset leave
	if q.limit >= 0 {
		end = q.offset + q.limit
	}
	if to != "" && (end < 0 || last+1 < end) {
		end = last + 1
	}
	q.offset = max(q.offset, first)
	if end >= 0 {
		q.limit = max(end-q.offset, 0)
	}
	return nil
}
