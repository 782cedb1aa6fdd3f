// Package wholejson reads texts that are one JSON value from the first byte to
// the last. encoding/json's Decoder stops behind the value, and what follows is
// gone without a word.
package wholejson

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
)

// errMore says that a text goes on where its value ends.
var errMore = errors.New("more follows after the JSON value: want one value")

// Unmarshal reads the value of a text, numbers as json.Number where their place
// says no type.
func Unmarshal(data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	return Decode(d, into)
}

// Decode reads the value of a decoder that was set up by the caller and is at
// the start of its text. A text without any value is io.EOF.
func Decode(d *json.Decoder, into any) error {
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errMore
	}
	return nil
}
