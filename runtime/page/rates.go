package page

import (
	"encoding/csv"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/axiom-data-science/hydraulics/runtime/internal/rates"
)

// shownRates are a connector's samples, and what is not among them.
type shownRates struct {
	Samples []rates.Sample `json:"samples"`
	Notes   []string       `json:"notes"`
}

// rates gives a connector's samples, of all workers that run its tasks.
func (p *Page) rates(r *http.Request) shownRates {
	name := r.PathValue("connector")
	lists := [][]rates.Sample{p.o.Rates.Samples(name)}
	var mu sync.Mutex
	notes := p.elsewhere(name, "its rates are not among these", func(at, _ string) error {
		var theirs []rates.Sample
		if err := p.peer(r, at, "/connectors/"+url.PathEscape(name)+"/rates", &theirs); err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		lists = append(lists, theirs)
		return nil
	})
	return shownRates{rates.Join(lists...), append([]string{}, notes...)}
}

// ratesJSON answers with a connector's samples.
func (p *Page) ratesJSON(w http.ResponseWriter, r *http.Request) { p.reply(w, p.rates(r)) }

// ratesCSV answers with the same for spreadsheets.
func (p *Page) ratesCSV(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	out := csv.NewWriter(w)
	shown := p.rates(r)
	lacking := strings.Join(shown.Notes, "; ")
	errs := []error{out.Write([]string{"time", "seconds", "records_in_per_second", "records_out_per_second", "errors", "lag_records", "lacking"})}
	for _, one := range shown.Samples {
		lag := ""
		if one.Lag != nil {
			lag = fmt.Sprint(*one.Lag)
		}
		errs = append(errs, out.Write([]string{one.Time.Format(time.RFC3339), fmt.Sprint(one.Seconds), fmt.Sprint(one.In), fmt.Sprint(one.Out), fmt.Sprint(one.Errors), lag, lacking}))
	}
	out.Flush()
	if err := errors.Join(append(errs, out.Error())...); err != nil {
		p.o.Log.Debug("page: rates not sent", "error", err.Error())
	}
}
