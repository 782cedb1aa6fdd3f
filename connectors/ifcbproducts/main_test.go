package ifcbproducts

import (
	"testing"

	"github.com/axiom-data-science/hydraulics/internal/test/leak"
)

func TestMain(m *testing.M) { leak.Main(m.Run) }
