// Package preview is what a connector would make of some records, stage by stage,
// and how that is shown. The runtime finds it out; nothing of it is written anywhere.
package preview

import (
	"encoding/json"
	"slices"

	"github.com/axiom-data-science/hydraulics/connector"
)

// Result is what a connector would make of records.
type Result struct {
	Connector string   `json:"connector"`
	Kind      string   `json:"kind"`
	From      string   `json:"from"` // where the records are from
	Records   []Record `json:"records"`
	// Effects are what the connector would do beside writing these records to
	// Kafka, and for a sink the writing itself. Their records are places in Records.
	Effects []connector.Effect `json:"effects"`
	// Notes are what this preview could not look at.
	Notes []string `json:"notes,omitempty"`
	// Stopped is the error that would end the task, empty without one.
	Stopped string `json:"stopped,omitempty"`
}

// Record is one record's journey.
type Record struct {
	Record string `json:"record"` // where it is from: topic[partition]@offset
	Steps  []Step `json:"steps"`
	Fate   Fate   `json:"fate"`
	Stage  string `json:"stage,omitempty"` // that dropped it, or where it failed
	Reason string `json:"reason,omitempty"`
	// Topic is where it goes: the record itself, or its dead letter.
	Topic     string `json:"topic,omitempty"`
	KeySize   int    `json:"key_bytes,omitempty"` // as they would be in Kafka
	ValueSize int    `json:"value_bytes,omitempty"`
}

// Fate is what would become of a record.
type Fate string

// The fates.
const (
	Delivered    Fate = "delivered"
	Passed       Fate = "passed"       // through the stages of a running task, and on its way
	Kept         Fate = "kept"         // of before somebody looked: what became of it is not known
	Dropped      Fate = "dropped"      // by a transform
	DeadLettered Fate = "dead letter"  // it failed, and goes to the dead-letter topic
	Skipped      Fate = "skipped"      // it failed, which is tolerated without a topic for dead letters
	Stops        Fate = "stops"        // it failed, and ends the task
	Retried      Fate = "retried"      // the environment failed, and the stage would be tried again
	NotReached   Fate = "not reached"  // it comes behind one that ends the task
	Unknown      Fate = "sink unknown" // it would be given to a sink that shows nothing
)

// Arrives tells that nothing is wrong with a record of this fate.
func (f Fate) Arrives() bool {
	return slices.Contains([]Fate{Delivered, Passed, Kept, Dropped, Unknown}, f)
}

// Step is what one stage made of a record.
type Step struct {
	Stage   string   `json:"stage"`
	Changes []Change `json:"changes"`
	// Fields are the whole record as the stage left it, where one stage is looked at.
	Fields []Change `json:"fields,omitempty"`
	// Record is the record as the stage left it.
	Record connector.Record `json:"-"`
}

// Change is a field that a stage changed: added without Before, removed without
// After. Values are JSON, bytes in base64.
type Change struct {
	Field      string          `json:"field"` // topic, timestamp, key, value.prob, header.name
	Before     json.RawMessage `json:"before,omitempty"`
	After      json.RawMessage `json:"after,omitempty"`
	BeforeType string          `json:"before_type,omitempty"` // where the type changed, too
	AfterType  string          `json:"after_type,omitempty"`
}

// Arrive tells whether nothing is wrong with any record, or with the connector.
func (r *Result) Arrive() bool {
	for _, x := range r.Records {
		if !x.Fate.Arrives() {
			return false
		}
	}
	return r.Stopped == ""
}

// Count counts the records of a fate.
func (r *Result) Count(f Fate) int {
	n := 0
	for _, x := range r.Records {
		if x.Fate == f {
			n++
		}
	}
	return n
}
