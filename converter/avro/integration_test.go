//go:build integration

package avro

import (
	"fmt"
	"os"
	"testing"
	"time"
)

func TestConverterReal(t *testing.T) {
	url := os.Getenv("HYDRAULICS_REGISTRY_URL")
	if url == "" {
		t.Skip("HYDRAULICS_REGISTRY_URL is not set: no separate schema registry to test with")
	}
	converterSuite(t, url, fmt.Sprintf("suite-%d", time.Now().UnixNano()))
}
