package gaps

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// writers write gaps among a number of bins.
var writers = map[string]func(w io.Writer, gaps []outcome, bins int) error{
	"text": writeText, "csv": writeCSV, "json": writeJSON,
}

func expectedText(b outcome) string {
	if b.Expected == nil {
		return ""
	}
	return strconv.Itoa(int(*b.Expected))
}

func writeText(w io.Writer, gaps []outcome, bins int) error {
	table := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	if len(gaps) > 0 {
		fmt.Fprintln(table, "BIN\tDATASET\tSTATUS\tIMAGES\tREASON")
	}
	for _, b := range gaps {
		of := expectedText(b)
		if of == "" {
			of = "?"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%d of %s\t%s\n", b.PID, b.Dataset, b.Status, b.Ingested, of, strings.Join(strings.Fields(b.Reason), " "))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "%d of %d bins have a gap\n", len(gaps), bins)
	return err
}

func writeCSV(w io.Writer, gaps []outcome, _ int) error {
	out := csv.NewWriter(w)
	rows := [][]string{{"pid", "dataset", "dashboard", "ifcb_id", "time", "status", "expected", "ingested", "failed", "reason"}}
	for _, b := range gaps {
		rows = append(rows, []string{b.PID, b.Dataset, b.Dashboard, b.IFCB, time.Unix(b.Time, 0).UTC().Format(time.RFC3339), b.Status,
			expectedText(b), strconv.Itoa(int(b.Ingested)), strconv.Itoa(int(b.Failed)), b.Reason})
	}
	return out.WriteAll(rows)
}

func writeJSON(w io.Writer, gaps []outcome, bins int) error {
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	return out.Encode(map[string]any{"bins": bins, "gaps": gaps})
}
