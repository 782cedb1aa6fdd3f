package ifcb

import (
	"fmt"
	"slices"
	"strconv"
)

// tableHeader knows the columns of a table with names; the zero value is a table without, in the order of the .adc.
type tableHeader struct {
	columns []int // where the .adc's columns stand, in their order
	target  int   // where the target number stands, -1 when the table has none
}

func isHeader(fields []string) bool {
	if len(fields) == 0 {
		return false
	}
	_, err := strconv.ParseFloat(fields[0], 64)
	return err != nil
}

func newTableHeader(names []string, layout adcLayout) (tableHeader, error) {
	h := tableHeader{target: slices.Index(names, "targetNumber")}
	for i, name := range layout.names {
		at := slices.Index(names, name)
		if at < 0 && i > layout.start { // early files have fewer columns
			break
		}
		if at < 0 {
			return tableHeader{}, fmt.Errorf("column %s is missing", name)
		}
		h.columns = append(h.columns, at)
	}
	return h, nil
}

// order gives the fields in the .adc's order. A line that is too short keeps what it has.
func (h tableHeader) order(fields []string) []string {
	if h.columns == nil {
		return fields
	}
	ordered := make([]string, 0, len(h.columns))
	for _, at := range h.columns {
		if at >= len(fields) {
			break
		}
		ordered = append(ordered, fields[at])
	}
	return ordered
}

// number is the line's target number: the table's own, else the line's.
func (h tableHeader) number(fields []string, line int) (int, error) {
	if h.columns == nil || h.target < 0 || h.target >= len(fields) {
		return line, nil
	}
	return parseTargetNumber(fields[h.target])
}
