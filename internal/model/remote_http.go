package model

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
)

var nan = float32(math.NaN())

// maxAnswer bounds what a server may answer.
const maxAnswer = 64 << 20

// begin starts the body of a request.
func (r *remote) begin() {
	r.body = append(r.body[:0], `{"signature_name":"serving_default","instances":[`...)
}

// append adds an image to the request. The text of each pixel comes from a
// table: there are 256 of them.
func (r *remote) append(img []byte) error {
	if err := r.prep.Pixels(r.pixels, img); err != nil {
		return err
	}
	b := r.body
	if b[len(b)-1] != '[' {
		b = append(b, ',')
	}
	i := 0
	b = append(b, '[')
	for y := range r.prep.height {
		if y > 0 {
			b = append(b, ',')
		}
		b = append(b, '[')
		for x := range r.prep.width {
			if x > 0 {
				b = append(b, ',')
			}
			b = append(b, '[')
			for c := range r.prep.channels {
				if c > 0 {
					b = append(b, ',')
				}
				b = append(b, r.texts[r.pixels[i]]...)
				i++
			}
			b = append(b, ']')
		}
		b = append(b, ']')
	}
	r.body = append(b, ']')
	return nil
}

// predict sends the request and gives a row of outputs per image. NaN stands
// for a number that the server wrote as NaN or infinite.
func (r *remote) predict(ctx context.Context) ([][]float32, error) {
	r.body = append(r.body, "]}"...)
	data, err := r.do(ctx, http.MethodPost, r.address(":predict"), r.body)
	if err != nil {
		return nil, err
	}
	rows, err := parsePredictions(data)
	if err != nil {
		return nil, connector.Fatal(fmt.Errorf("model server %s: %w", r.unpinned.Redacted(), err))
	}
	return rows, nil
}

// notNumbers are what TensorFlow Serving writes for what JSON has no word for.
var notNumbers = regexp.MustCompile(`-?\b(NaN|Infinity|nan|inf|Inf)\b`)

func parsePredictions(data []byte) ([][]float32, error) {
	var answer struct {
		Predictions []json.RawMessage `json:"predictions"`
		Error       string            `json:"error"`
	}
	err := json.Unmarshal(data, &answer)
	if err != nil {
		err = json.Unmarshal(notNumbers.ReplaceAll(data, []byte("null")), &answer)
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("its answer is no JSON (%w): %s", err, excerpt(data))
	case answer.Error != "":
		return nil, fmt.Errorf("it says: %s", excerpt([]byte(answer.Error)))
	case answer.Predictions == nil:
		return nil, fmt.Errorf("its answer has no predictions: %s", excerpt(data))
	}
	rows := make([][]float32, len(answer.Predictions))
	for i, p := range answer.Predictions {
		if rows[i], err = parseRow(p); err != nil {
			return nil, fmt.Errorf("prediction %d: %w", i, err)
		}
	}
	return rows, nil
}

// parseRow reads one prediction: a list of numbers, or an object with one, which
// is what a model with named outputs gives.
func parseRow(data []byte) ([]float32, error) {
	if bytes.HasPrefix(data, []byte("{")) {
		var named map[string]json.RawMessage
		if err := json.Unmarshal(data, &named); err != nil {
			return nil, err
		}
		if p, ok := named["probabilities"]; ok {
			return parseRow(p)
		}
		if len(named) != 1 {
			return nil, fmt.Errorf("it has %d outputs and none is called probabilities", len(named))
		}
		for _, p := range named {
			data = p
		}
	}
	var numbers []*float64
	if err := json.Unmarshal(data, &numbers); err != nil {
		return nil, fmt.Errorf("it is no list of numbers: %s", excerpt(data))
	}
	row := make([]float32, len(numbers))
	for i, n := range numbers {
		if n == nil {
			row[i] = nan
			continue
		}
		row[i] = float32(*n)
	}
	return row, nil
}

// get reads a JSON answer.
func (r *remote) get(ctx context.Context, u *url.URL, into any) error {
	data, err := r.do(ctx, http.MethodGet, u, nil)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, into); err != nil {
		return connector.Fatal(fmt.Errorf("model server %s: its answer is no JSON (%w): %s", u.Redacted(), err, excerpt(data)))
	}
	return nil
}

// do sends a request and gives the body of a good answer. Its errors have
// their kind: a server that is away or busy may be asked again, a refused
// image is the record's fault, and anything else stops the task.
func (r *remote) do(ctx context.Context, method string, u *url.URL, body []byte) ([]byte, error) {
	fail := func(err error) error { return fmt.Errorf("model server %s: %w", u.Redacted(), err) }
	ctx, cancel := context.WithTimeout(ctx, r.opts.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, connector.Fatal(fail(errors.New("the URL cannot be used")))
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := r.client.Do(req)
	if err != nil {
		r.forget()
		if e, ok := errors.AsType[*url.Error](err); ok {
			err = e.Err // without the URL, which may hold a password
		}
		if errors.Is(err, context.DeadlineExceeded) {
			err = fmt.Errorf("no answer within %s", r.opts.Timeout)
		}
		return nil, connector.Retriable(fail(err))
	}
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err != nil {
		r.forget()
		return nil, connector.Retriable(fail(fmt.Errorf("its answer breaks off: %w", err)))
	}
	if len(data) > maxAnswer {
		return nil, connector.Fatal(fail(fmt.Errorf("its answer is larger than %d bytes", maxAnswer)))
	}
	if err := r.judge(res, data, method); err != nil {
		return nil, err
	}
	return data, nil
}

// judge gives the error of an answer that is not good.
func (r *remote) judge(res *http.Response, data []byte, method string) error {
	html := bytes.HasPrefix(bytes.TrimSpace(data), []byte("<"))
	if res.StatusCode == http.StatusOK && !html {
		return nil
	}
	err := fmt.Errorf("model server %s: status %d: %s", res.Request.URL.Redacted(), res.StatusCode, excerpt(data))
	switch code := res.StatusCode; {
	case code == http.StatusTooManyRequests || code == http.StatusRequestTimeout || code >= 500:
		r.forget()
		var opts []connector.RetryOption
		if seconds, err := strconv.Atoi(res.Header.Get("Retry-After")); err == nil && seconds > 0 {
			opts = append(opts, connector.After(time.Duration(min(seconds, 3600))*time.Second))
		}
		return connector.Retriable(err, opts...)
	case html && code < 400:
		// A proxy or a log-in page of the network is in the way.
		r.forget()
		return connector.Retriable(fmt.Errorf("model server %s: it answered a web page (status %d), not JSON: %s", res.Request.URL.Redacted(), code, excerpt(data)))
	case code == http.StatusNotFound && method == http.MethodPost && r.version != "":
		// The version was unloaded since it was asked for.
		r.forget()
		return connector.Retriable(err)
	case method == http.MethodPost && (code == http.StatusBadRequest || code == http.StatusRequestEntityTooLarge || code == http.StatusUnprocessableEntity):
		return connector.Data(err)
	}
	return connector.Fatal(err)
}

// excerpt gives the beginning of an answer in one line.
func excerpt(data []byte) string {
	const limit = 160
	text := strings.Join(strings.Fields(strings.ToValidUTF8(string(data[:min(len(data), limit)]), "?")), " ")
	if len(data) > limit {
		text += " ..."
	}
	if text == "" {
		return "(empty)"
	}
	return text
}
