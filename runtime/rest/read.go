package rest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/data/wholejson"
)

// maxBody bounds a request's body.
const maxBody = 10 << 20

// read decodes a request's body. As in Kafka Connect what is wrong with it is
// the status 500.
func read(r request, into any) error {
	data, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return failed(http.StatusBadRequest, "request body: %v", err)
	}
	*r.body = data
	if len(data) > maxBody {
		return failed(http.StatusRequestEntityTooLarge, "request body: more than %d bytes", maxBody)
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if len(bytes.TrimSpace(data)) == 0 {
		return failed(http.StatusInternalServerError, "request body: it is empty, want JSON")
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	d.UseNumber() // an offset may be larger than a float64 can hold exactly
	if err := wholejson.Decode(d, into); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			err = errors.New("it ends before the JSON does")
		}
		return failed(http.StatusInternalServerError, "request body: %v", err)
	}
	return nil
}

// props is a configuration in a request: texts, and numbers and booleans,
// which count as the text they are written with.
type props connector.Props

// UnmarshalJSON reads the configuration; null stays null.
func (p *props) UnmarshalJSON(data []byte) error {
	var m map[string]any
	if err := wholejson.Unmarshal(data, &m); err != nil {
		return err
	}
	if m == nil {
		return nil
	}
	*p = props{}
	for k, v := range m {
		switch v := v.(type) {
		case nil:
			(*p)[k] = nil
		case string:
			(*p)[k] = v
		case json.Number:
			(*p)[k] = v.String()
		case bool:
			(*p)[k] = fmt.Sprint(v)
		default:
			return fmt.Errorf("key %s: want text, not an object or a list", k)
		}
	}
	return nil
}
