//go:build integration

package model

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
)

var record = flag.Bool("record", false, "record the exchanges of TestRecorded anew")

// servers gives the addresses of the test servers, by name, from the variable
// HYDRAULICS_SERVING: http=URL grpc=HOST:PORT tfs=URL tfs-grpc=HOST:PORT.
func servers(t *testing.T) map[string]string {
	t.Helper()
	return serversOf(t, "HYDRAULICS_SERVING")
}

func serversOf(t *testing.T, variable string) map[string]string {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		t.Skip(variable + " is not set: make integration-serving sets it to the addresses of model servers")
	}
	m := map[string]string{}
	for word := range strings.FieldsSeq(text) {
		name, value, _ := strings.Cut(word, "=")
		m[name] = value
	}
	return m
}

// TestServing classifies by real servers, in each protocol.
func TestServing(t *testing.T) {
	at := servers(t)
	for _, r := range recorded {
		t.Run(r.name, func(t *testing.T) {
			if *record {
				throughTape(t, openTape(t, r.name, true), r.server, r.path, r.protocol, r.format, r.version, r.model, at)
				return
			}
			url := at[r.server]
			if strings.HasSuffix(r.server, "grpc") {
				url = "grpc://" + url
			}
			opts := Options{Model: url + r.path, Protocol: r.protocol, Format: r.format, Version: r.version}
			checkTrivial(t, open(t, opts), r.model)
			opts.Model = url + strings.ReplaceAll(r.path, "ifcb-densenet", "nope")
			if err := open(t, opts).Classify(t.Context(), grays(t, 1))[0].Err; connector.KindOf(err) != connector.KindFatal {
				t.Errorf("a model that is not there gives %v", err)
			} else {
				t.Logf("a model that is not there: %v", err)
			}
		})
	}
}
