package cluster

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/internal/test/leak"
)

func TestMain(m *testing.M) { leak.Main(m.Run) }

func diff(want, got any) string { return cmp.Diff(want, got) }
