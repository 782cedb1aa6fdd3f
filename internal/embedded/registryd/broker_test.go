package registryd

import (
	"fmt"
	"testing"

	"github.com/axiom-data-science/hydraulics/internal/embedded/broker"
)

// TestOnBroker keeps ids over restarts of broker and registry, compacted or not.
func TestOnBroker(t *testing.T) {
	dir := t.TempDir()
	for round := range 3 {
		b, err := broker.Start(broker.Options{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		log, err := b.OpenLog(t.Context(), "_schemas")
		if err != nil {
			t.Fatal(err)
		}
		s := serve(t, log)
		for _, level := range []string{"NONE", "FULL"} { // the first is compacted away
			if status, got := ask(t, s, `PUT /config {"compatibility":"`+level+`"}`); status != 200 {
				t.Fatal(got)
			}
		}
		for i, subject := range []string{"a", "b", fmt.Sprintf("new-%d", round)} {
			schema := schemaBody(fmt.Sprintf(`{"type":"record","name":"R%s","fields":[]}`, []string{"a", "b", fmt.Sprint(round)}[i]))
			want := fmt.Sprintf(`{"id":%d}`, []int{1, 2, 3 + round}[i])
			if _, got := ask(t, s, "POST /subjects/"+subject+"/versions "+schema); got != want {
				t.Errorf("round %d: subject %s: %s, want %s", round, subject, got, want)
			}
		}
		if err := b.Compact(); err != nil {
			t.Fatal(err)
		}
		s.Stop()
		log.Close()
		b.Stop()
	}
}
