package javavectors

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
)

// Case is one recorded call.
type Case struct {
	ID        string          `json:"id"`
	Component string          `json:"component"`
	Note      string          `json:"note"`
	Config    connector.Props `json:"config"`
	Input     json.RawMessage `json:"input"`
	Expect    Expect          `json:"expect"`
}

// Kind is what the case is of: the component, without the part of the record
// that a transform is for.
func (c Case) Kind() string {
	kind, _, _ := strings.Cut(c.Component, "$")
	return kind
}

// String says which case it is and what it asks, for a test's messages.
func (c Case) String() string { return fmt.Sprintf("%s, %v, %s", c.Note, c.Config, c.Input) }

// Expect is what Java answered.
type Expect struct {
	Output  json.RawMessage `json:"output"`
	Dropped bool            `json:"dropped"`
	Error   *Failure        `json:"error"`
	// FloatText is what newer JDKs write where JDK 17 wrote more digits than needed.
	FloatText string `json:"jdk17FloatText"`
}

// Failure is an error that Java raised.
type Failure struct {
	Phase      string `json:"phase"` // configure or apply
	Class      string `json:"class"`
	Message    string `json:"message"`
	Incidental bool   `json:"incidental"` // an accident of Java: any clear error will do
}

// CheckError compares an error with the recorded one: that there is one, and
// its text where it is Kafka's own.
func (f *Failure) CheckError(err error) error {
	switch {
	case err == nil && f.Incidental:
		return nil
	case err == nil:
		return fmt.Errorf("no error, want %s", f.Message)
	case f.Incidental || !strings.Contains(f.Class, ".connect.errors.") && !strings.Contains(f.Class, ".common.config."):
		return nil
	}
	if want := common(f.Message); !strings.Contains(err.Error(), want) {
		return fmt.Errorf("error %q, want %q", err, want)
	}
	return nil
}

// SameText tells whether a message is the recorded one.
func SameText(got, want string) bool {
	part := common(want)
	return got == want || part != want && strings.HasPrefix(got, part)
}

// byteBuffer is Java's other type of bytes, with its position where a value is shown.
var byteBuffer = regexp.MustCompile(`java\.nio\.HeapByteBuffer(\[[^]]*])?`)

// causes are the classes of Java's errors that an error was wrapped in.
var causes = regexp.MustCompile(`^(org\.apache\.kafka\.[a-z.]+\.[A-Za-z]+Exception: )+`)

// common gives the part of a message of Java's that others can give too: not the
// words of its parser of regular expressions, nor an object's hash, nor the names
// of the errors that it was the text of before.
func common(message string) string {
	message = causes.ReplaceAllString(message, "")
	if before, _, ok := strings.Cut(message, "Invalid regex:"); ok {
		message = before
	}
	message = byteBuffer.ReplaceAllString(message, "[B")
	before, _, _ := strings.Cut(message, "@HASH")
	return before
}
