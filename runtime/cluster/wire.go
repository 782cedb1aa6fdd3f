package cluster

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
	"unicode/utf8"
)

// ProtocolType is the kind of group that workers of Kafka Connect are in.
const ProtocolType = "connect"

// The headers of a signed request among workers.
const (
	SignatureHeader = "X-Connect-Authorization"
	AlgorithmHeader = "X-Connect-Request-Signature-Algorithm"
)

// Version is one of Kafka Connect's ways to share work. A worker offers its own
// and all earlier ones; the group takes the latest that all its workers have.
type Version int16

const (
	// Eager has every worker stop everything in each rebalance.
	Eager Version = iota
	// Compatible is incremental and cooperative: what stays where it is runs on.
	Compatible
	// Sessioned is Compatible with signed requests among the workers.
	Sessioned
)

// protocols are the names of the versions in the group protocol.
var protocols = [...]string{Eager: "default", Compatible: "compatible", Sessioned: "sessioned"}

// Name gives the version's name as a worker's connect.protocol has it.
func (v Version) Name() string {
	if v == Eager {
		return "eager"
	}
	return v.protocol()
}

// protocol gives the name of a version in the group protocol.
func (v Version) protocol() string { return protocols[v] }

// versionOf gives the version of a name in the group protocol.
func versionOf(protocol string) (Version, error) {
	if i := slices.Index(protocols[:], protocol); i >= 0 {
		return Version(i), nil
	}
	return 0, fmt.Errorf("protocol %q is none of Kafka Connect's", protocol)
}

// Failure says why a leader has assigned nothing; 0 when it has.
type Failure int16

// ConfigMismatch is that another worker has read more of the configuration
// topic than the leader: all read to its end and join again.
const ConfigMismatch Failure = 1

// Metadata is what a worker says of itself when it joins.
type Metadata struct {
	Version Version
	URL     string // of its REST API
	// ConfigOffset is how far it has read the configuration topic.
	ConfigOffset int64
	// Held is what it was assigned last, nil when there was nothing; Eager has
	// no place for it.
	Held *Assignment
	// Leaving is that it runs nothing any more and is about to leave: what it
	// holds is for others. Software is the version of its program. They are behind
	// all else, which Java's workers do not read; Eager has no place for them.
	Leaving  bool
	Software string
}

// Assignment is what a leader tells a worker. In a version that is not Eager
// the lists are what changes, and in Metadata what the worker holds.
type Assignment struct {
	Version           Version
	Failure           Failure
	Leader, LeaderURL string
	// ConfigOffset is that of the configuration which was shared out.
	ConfigOffset      int64
	Assigned, Revoked Work
	// Delay is the time to the next rebalance, which gives away the work of
	// workers that do not return; 0 for none. It is sent in milliseconds.
	Delay time.Duration
}

// Encode gives the bytes of the metadata in its version.
func (m Metadata) Encode() ([]byte, error) {
	e := encoder{b: int16s(int16(m.Version))}
	e.text(m.URL)
	e.int64(m.ConfigOffset)
	switch {
	case m.Version == Eager:
		return e.b, e.err
	case m.Held == nil:
		e.int32(-1)
	default:
		held := *m.Held
		held.Version = m.Version
		b, err := held.Encode()
		if err != nil {
			return nil, err
		}
		e.int32(len(b))
		e.b = append(e.b, b...)
	}
	switch {
	case m.Leaving:
		e.b = append(e.b, 1)
	case m.Software != "":
		e.b = append(e.b, 0)
	}
	if m.Software != "" {
		e.text(m.Software)
	}
	return e.b, e.err
}

// DecodeMetadata reads what a worker of any version says of itself.
func DecodeMetadata(b []byte) (Metadata, error) {
	d := decoder{b: b}
	m := Metadata{Version: Version(d.int16()), URL: d.text(), ConfigOffset: d.int64()}
	if d.more() {
		if held := d.bytes(); held != nil {
			a, err := DecodeAssignment(held)
			if err != nil {
				return Metadata{}, err
			}
			m.Held = &a
		}
	}
	m.Leaving = d.more() && d.take(1)[0] == 1
	if rest := (decoder{b: d.b}); d.more() {
		m.Software = rest.text() // empty where it is something else
	}
	if err := d.ended(m.Version); err != nil {
		return Metadata{}, fmt.Errorf("metadata of a worker: %w", err)
	}
	return m, nil
}

// Encode gives the bytes of the assignment in its version.
func (a Assignment) Encode() ([]byte, error) {
	e := encoder{b: int16s(int16(a.Version), int16(a.Failure))}
	e.text(a.Leader)
	e.text(a.LeaderURL)
	e.int64(a.ConfigOffset)
	e.work(a.Assigned)
	if a.Version != Eager {
		e.work(a.Revoked)
		e.int32(int(a.Delay.Milliseconds()))
	}
	return e.b, e.err
}

// DecodeAssignment reads an assignment of any version.
func DecodeAssignment(b []byte) (Assignment, error) {
	d := decoder{b: b}
	a := Assignment{Version: Version(d.int16()), Failure: Failure(d.int16()),
		Leader: d.text(), LeaderURL: d.text(), ConfigOffset: d.int64()}
	if d.more() {
		a.Assigned = d.work()
	}
	if d.more() {
		a.Revoked = d.work()
	}
	if d.more() {
		a.Delay = time.Duration(d.int32()) * time.Millisecond
	}
	if err := d.ended(a.Version); err != nil {
		return Assignment{}, fmt.Errorf("assignment: %w", err)
	}
	return a, nil
}

func int16s(list ...int16) (b []byte) {
	for _, n := range list {
		b = binary.BigEndian.AppendUint16(b, uint16(n))
	}
	return b
}

// encoder writes Kafka's primitive types. Its error is the first one.
type encoder struct {
	b   []byte
	err error
}

func (e *encoder) int32(n int) {
	if n > math.MaxInt32 {
		e.err = errors.Join(e.err, fmt.Errorf("%d does not fit into 32 bits", n))
	}
	e.b = binary.BigEndian.AppendUint32(e.b, uint32(n))
}

func (e *encoder) int64(n int64) { e.b = binary.BigEndian.AppendUint64(e.b, uint64(n)) }

func (e *encoder) text(s string) {
	if len(s) > math.MaxInt16 {
		e.err = errors.Join(e.err, fmt.Errorf("%.40q...: a text of %d bytes is too long for the group protocol (%d)", s, len(s), math.MaxInt16))
	}
	e.b = append(binary.BigEndian.AppendUint16(e.b, uint16(len(s))), s...)
}

// work writes each connector with the numbers of its parts.
func (e *encoder) work(w Work) {
	var connectors []Work
	for from := range w {
		if from == 0 || w[from].Connector != w[from-1].Connector {
			connectors = append(connectors, nil)
		}
		last := &connectors[len(connectors)-1]
		*last = append(*last, w[from])
	}
	e.int32(len(connectors))
	for _, parts := range connectors {
		e.text(parts[0].Connector)
		e.int32(len(parts))
		for _, p := range parts {
			e.int32(p.Task)
		}
	}
}

// decoder reads Kafka's primitive types. After the first error it gives zeros.
type decoder struct {
	b   []byte
	err error
}

var errShort = errors.New("it is cut off")

func (d *decoder) more() bool { return d.err == nil && len(d.b) > 0 }

// ended gives what was wrong. What is behind the fields that are known is left
// alone, as Java does: a later version may have more.
func (d *decoder) ended(v Version) error {
	if d.err == nil && v < Eager {
		return fmt.Errorf("version %d is none of Kafka Connect's", v)
	}
	return d.err
}

// take gives the next n bytes, zeros where there are not as many.
func (d *decoder) take(n int) []byte {
	if d.err == nil && n > len(d.b) {
		d.err = errShort
	}
	if d.err != nil {
		return make([]byte, min(n, 8))
	}
	b := d.b[:n]
	d.b = d.b[n:]
	return b
}

func (d *decoder) int16() int16 { return int16(binary.BigEndian.Uint16(d.take(2))) }
func (d *decoder) int32() int32 { return int32(binary.BigEndian.Uint32(d.take(4))) }
func (d *decoder) int64() int64 { return int64(binary.BigEndian.Uint64(d.take(8))) }

func (d *decoder) text() string {
	n := d.int16()
	if n < 0 && d.err == nil {
		d.err = errors.New("a text is missing")
	}
	s := string(d.take(max(int(n), 0)))
	if d.err != nil {
		return ""
	}
	if !utf8.ValidString(s) {
		d.err = fmt.Errorf("%q is not UTF-8", s)
	}
	return s
}

// bytes gives nil for null.
func (d *decoder) bytes() []byte {
	n := d.int32()
	if n < 0 {
		return nil
	}
	return d.take(int(n))
}

// count reads the length of a list of what takes at least size bytes each; null
// is an empty list.
func (d *decoder) count(size int) int {
	n := int(d.int32())
	if n > len(d.b)/size {
		d.err = cmp.Or(d.err, errShort)
	}
	if d.err != nil {
		return 0
	}
	return n
}

func (d *decoder) work() Work {
	var w Work
	for range d.count(2 + 4) {
		name := d.text()
		for range d.count(4) {
			p := Part{name, int(d.int32())}
			if p.Task < Instance {
				d.err = cmp.Or(d.err, fmt.Errorf("%s has no task %d", name, p.Task))
			}
			w = append(w, p)
		}
	}
	if d.err != nil {
		return nil
	}
	return w.With(nil)
}
