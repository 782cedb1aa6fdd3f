// Package rest sends records to a web service, one per request or many.
//
// A plan (plan.go) is made once of a configuration: templates of method, URL and
// headers (template.go), and the form of a body (body.go, fields.go, influx.go). A
// Put is a work (work.go): its records become messages in one buffer (buffer.go), runs
// of messages become requests (request.go), and answers are judged (judge.go), after
// which bad records are reported, and answers go to topics (report.go). vendor.go has the
// keys of other vendors' sinks become ours.
//
// # What a failure means
//
//   - Connection refused or broken, no answer in time, 408, 421, 425, 429 and 5xx:
//     the environment. The batch is repeated, not before Retry-After says so;
//     records of it that were taken already are not sent again, and the others go in
//     the same requests as before.
//   - 401, 403, 407, a certificate that cannot be verified, and a redirect that
//     is not followed: the configuration. The task fails; no record is blamed.
//     When the restart policy starts it again, it asks with HEAD first: records
//     are sent again once the service answers otherwise, once for each other
//     answer, or where the configuration has changed, as with a new password.
//   - 404, 405 and 410: the record when its key is part of the URL, else the
//     configuration.
//   - Any other 4xx: the record. A batch is halved until the refused records
//     are found; the others are taken.
//
// A request whose answer was lost is sent again: a service that must not count
// twice needs idempotency.header, body=record, which tells topic, partition and
// offset, or a URL with the key and method=PUT.
package rest
