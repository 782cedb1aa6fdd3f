//go:build integration

package registry

import (
	"os"
	"testing"
)

// TestSuiteReal runs the suite on a separate registry, such as Apicurio's
// Confluent API.
func TestSuiteReal(t *testing.T) {
	url := os.Getenv("HYDRAULICS_REGISTRY_URL")
	if url == "" {
		t.Skip("HYDRAULICS_REGISTRY_URL is not set: no separate schema registry to test with")
	}
	suite(t, url)
}
