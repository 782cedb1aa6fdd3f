package reference

import (
	"fmt"
	"strings"

	"github.com/axiom-data-science/hydraulics/internal/failures"
)

// failuresPage writes what is documented of each code.
func failuresPage() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Failures\n\n%s\n\nErrors in a log, in a task's trace, from `lint` and in what commands say end in a code where a user can meet\n"+
		"them. `hydraulics explain CODE` prints what is written here. Answers of the REST API keep Kafka Connect's words\nwithout a code, "+
		"since its clients read them; the trace of a status has it, and `PUT /connector-plugins/{plugin}/config/validate?codes=true`\n"+
		"has those of its errors beside them.\n", generated)
	for _, a := range failures.Areas() {
		fmt.Fprintf(&b, "\n## %s\n", a.Title)
		for _, f := range failures.All() {
			if strings.HasPrefix(f.Code, a.Begins) {
				fmt.Fprintf(&b, "\n### %s\n\n**%s%s.** %s\n\nRemedy: %s\n", f.Code, strings.ToUpper(f.Title[:1]), f.Title[1:], f.Cause, f.Remedy)
			}
		}
	}
	return b.String()
}
