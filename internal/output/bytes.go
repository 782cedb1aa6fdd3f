package output

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"
)

// lineLength is how much of a text is in a line.
const lineLength = 100

// Bytes are bytes as they are shown: as text where they are one, else in base64.
type Bytes struct {
	Text   string `json:"text,omitempty"`
	Base64 string `json:"base64,omitempty"`
}

// BytesOf gives bytes as they are shown, nil for null.
func BytesOf(b []byte) *Bytes {
	switch {
	case b == nil:
		return nil
	case utf8.Valid(b):
		return &Bytes{Text: string(b)}
	}
	return &Bytes{Base64: base64.StdEncoding.EncodeToString(b)}
}

// String gives the beginning of the bytes as a line.
func (b *Bytes) String() string {
	switch {
	case b == nil:
		return "null"
	case b.Base64 != "":
		return "base64 " + Line(b.Base64)
	}
	return Line(b.Text)
}

// Line gives the beginning of a text as one line.
func Line(text string) string {
	return Clip(strings.Join(strings.Fields(text), " "), lineLength)
}

// Clip gives a text of at most so many letters, and says where it was longer.
func Clip(text string, most int) string {
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "..."
	}
	return text
}
