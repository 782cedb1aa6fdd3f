package config

import (
	"fmt"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime/internal/state"
)

// Entry is one key of a configuration as it was written.
type Entry struct {
	Key  string
	Text string
	Null bool // the key is there with null, which is not the same as absent
	File string
	Line int
}

// Place gives file and line, for messages.
func (e Entry) Place() string { return place(e.File, e.Line) }

func place(file string, line int) string {
	if line == 0 {
		return file
	}
	return fmt.Sprintf("%s:%d", file, line)
}

// List is a configuration in the order of its file.
type List []Entry

// Props gives the list as a configuration; of a repeated key the last counts.
func (l List) Props() connector.Props {
	p := make(connector.Props, len(l))
	for _, e := range l {
		if e.Null {
			p[e.Key] = nil
		} else {
			p[e.Key] = e.Text
		}
	}
	return p
}

// Find gives the entry that counts for a key.
func (l List) Find(key string) (Entry, bool) {
	for i := len(l) - 1; i >= 0; i-- {
		if l[i].Key == key {
			return l[i], true
		}
	}
	return Entry{}, false
}

// SplitList gives what stands between the commas of a text, trimmed and without
// what is empty.
func SplitList(text string) []string {
	var list []string
	for x := range strings.SplitSeq(text, ",") {
		if x = strings.TrimSpace(x); x != "" {
			list = append(list, x)
		}
	}
	return list
}

// Connector is the configuration of one connector and the file it comes from.
type Connector struct {
	Name    string
	Entries List
	File    string
	Line    int
	// Initial is what it is to do when the worker first hears of it, empty for to
	// run: initial_state of the form that is sent to POST /connectors.
	Initial state.Target
}

// Setup is what the configuration files of a worker hold together.
type Setup struct {
	Worker     List
	Connectors []Connector
	Files      []string
	// Distributed is that the worker shares connectors with others.
	Distributed bool
	// sections tells that a file is meant to hold connectors beside a worker's keys.
	sections bool
	// Problems are mistakes in the files that do not keep them from being read.
	Problems []Problem
}

// Problem is one thing wrong with a file, in words for people. It is an error
// where it keeps the file from being read.
type Problem struct {
	File      string `json:"file"`
	Line      int    `json:"line,omitempty"`
	Connector string `json:"connector,omitempty"` // empty for the worker's keys
	Key       string `json:"key,omitempty"`       // empty where the file itself is wrong
	Message   string `json:"message"`
	// Code is that of the documented failure, which lint finds out.
	Code string `json:"code,omitempty"`
	// Warning is for what does not keep a worker from starting.
	Warning bool `json:"warning"`
	// Fails marks a warning of what makes a connector fail, or leaves none to run.
	Fails bool `json:"-"`
	// Here marks one that is about this machine, where another may have the file
	// or the variable.
	Here bool `json:"-"`
}

// Error gives the problem as an error's text.
func (p Problem) Error() string { return p.String() }

// String gives the problem as lint prints it:
// "warning: ifcb.yaml:31: postgres-sink: pk.feilds: unknown key, did you mean pk.fields?"
func (p Problem) String() string {
	text := place(p.File, p.Line) + ": "
	if p.Connector != "" {
		text += p.Connector + ": "
	}
	if p.Key != "" {
		text += p.Key + ": "
	}
	if p.Warning {
		text = "warning: " + text
	}
	return text + p.Message
}
