package rest

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
)

// extraAttempts is how often a batch is repeated after an answer of
// retry.on.status.codes, where max.retries does not say.
const extraAttempts = 10

// refusedError is an answer that is about records.
type refusedError struct {
	error
	reply
}

// Unwrap gives what is said to people.
func (e *refusedError) Unwrap() error { return e.error }

// replyOf gives the answer behind an error.
func replyOf(err error) reply {
	if e, ok := errors.AsType[*refusedError](err); ok {
		return e.reply
	}
	return reply{}
}

// codeOf gives the number of the answer behind an error; 0 without one.
func codeOf(err error) int { return replyOf(err).code }

// judge gives the error for an answer that is no success.
func (s *Sink) judge(to *destination, answer *http.Response, said []byte, login string, hidden []string) error {
	where := s.where(answer.Request.URL, to)
	err := fmt.Errorf("%s %s: %s%s", to.method, mask(where, hidden), mask(answer.Status, hidden), excerpt(said, hidden))
	switch code := answer.StatusCode; {
	case passing(code):
		return s.retriable(err, retryAfter(answer.Header.Get("Retry-After"), time.Now()), s.retries)
	case s.codes.has(code) && s.again < s.extra(): // then it is judged as any other
		attempts := s.extra()
		return s.retriable(err, retryAfter(answer.Header.Get("Retry-After"), time.Now()), attempts)
	case code == http.StatusUnauthorized || code == http.StatusForbidden || code == http.StatusProxyAuthRequired:
		return s.misconfigured(to, code, connector.Coded("H6002", fmt.Errorf("%w: check auth.type and what belongs to it", err)))
	case code < 400:
		return s.misconfigured(to, code, connector.Coded("H6003", fmt.Errorf("%w: %s", err, mask(s.unfollowed(to.method, answer), hidden))))
	case (code == http.StatusNotFound || code == http.StatusMethodNotAllowed || code == http.StatusGone) && !s.keyed:
		return s.misconfigured(to, code, connector.Coded("H6004", fmt.Errorf("%w: check url and method", err)))
	case code == http.StatusUnsupportedMediaType || code == http.StatusUpgradeRequired || code == http.StatusPaymentRequired:
		return s.misconfigured(to, code, connector.Coded("H6005", fmt.Errorf("%w: check format, content.type and what the service wants", err)))
	default:
		return connector.Coded("H6006", connector.Data(&refusedError{err, s.reply(code, said, login)}))
	}
}

// extra is how often a batch is repeated for a code that retry.on.status.codes names.
func (s *Sink) extra() int {
	if s.retries < 0 {
		return extraAttempts
	}
	return s.retries
}

func (s *Sink) retriable(err error, after time.Duration, attempts int) error {
	return connector.Coded("H6001", connector.Retriable(err, connector.Attempts(attempts), connector.After(max(after, s.backoff))))
}

// passing tells that an answer is about the service's state, which may pass.
func passing(code int) bool {
	return code == http.StatusRequestTimeout || code == http.StatusMisdirectedRequest || code == http.StatusTooEarly || code == http.StatusTooManyRequests || code >= 500
}

// clearlyData tells that an answer is about the records, however many get it.
func clearlyData(code int) bool {
	return code == http.StatusConflict || code == http.StatusRequestEntityTooLarge || code == http.StatusUnprocessableEntity
}

// codes are ranges of answers, both ends of them included.
type codes [][2]int

func (c codes) has(code int) bool {
	return slices.ContainsFunc(c, func(r [2]int) bool { return r[0] <= code && code <= r[1] })
}

// parseCodes reads single answers, ranges, and ranges without an end.
func parseCodes(list []string) (codes, error) {
	var all codes
	for _, text := range list {
		first, last, isRange := strings.Cut(text, "-")
		if !isRange {
			last = first
		} else if last == "" {
			last = "599"
		}
		low, err := strconv.Atoi(first)
		high, wrong := strconv.Atoi(last)
		if err != nil || wrong != nil || low < 400 || high > 599 || low > high {
			return nil, fmt.Errorf("%q is no answer from 400 to 599, nor a range of them as 400-499 or 500-", text)
		}
		all = append(all, [2]int{low, high})
	}
	return all, nil
}

func checkCodes(_ string, v any) error {
	list, _ := v.([]string)
	_, err := parseCodes(list)
	return err
}

// retryAfter reads the header of that name: seconds or a date; 0 without one.
func retryAfter(text string, now time.Time) time.Duration {
	if n, err := strconv.Atoi(text); err == nil && n >= 0 {
		return min(time.Duration(n), 24*60*60) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return min(max(at.Sub(now), 0), 24*time.Hour)
	}
	return 0
}
