package herder

import (
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime/config"
)

// policy says when what failed starts again.
type policy struct {
	never          bool
	delay, longest time.Duration
	attempts       int64 // below 0 without limit
}

// policyOf gives the policy in a connector's configuration.
func policyOf(kind string, props connector.Props) policy {
	c, _ := config.Def(kind).Check(props)
	millis := func(key string) time.Duration { return time.Duration(c.Int64(key)) * time.Millisecond }
	return policy{never: c.String("restart.policy") == config.RestartNever, delay: millis("restart.delay.ms"),
		longest: millis("restart.delay.max.ms"), attempts: c.Int64("restart.attempts.max")}
}

// next gives the time of the restart after so many failures in a row, zero for
// none. A bad record or configuration would fail again, so it is for people.
func (p policy) next(err error, failures int, now time.Time) time.Time {
	if p.never || connector.KindOf(err) == connector.KindData || p.attempts >= 0 && int64(failures) > p.attempts {
		return time.Time{}
	}
	d := p.longest
	if n := failures - 1; n < 30 && p.delay<<n < p.longest && p.delay<<n > 0 {
		d = p.delay << n
	}
	return now.Add(d)
}

// restarts are those of a task by its policy.
type restarts struct {
	policy   policy
	since    time.Time // it was started, or has run
	failures int       // in a row
	next     time.Time // zero where it does not start again by itself
	delay    time.Duration
}

// failed counts a failure, which a long run before it makes the first one, and
// plans the restart.
func (r *restarts) failed(err error, now time.Time) {
	if now.Sub(r.since) >= max(time.Minute, 10*r.delay) {
		r.failures = 0
	}
	r.failures++
	r.next = r.policy.next(err, r.failures, now)
	if r.next.IsZero() {
		r.failures = 0
		return
	}
	r.delay = r.next.Sub(now)
}
