//go:build integration

package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/axiom-data-science/hydraulics/internal/test/wait"
)

// visit is the page in a browser, before one who may do everything.
type visit struct {
	t    *testing.T
	tab  context.Context
	page string
}

// eval gives what an expression is worth in the page.
func eval[T any](s visit, expression string) T {
	s.t.Helper()
	v, err := chromedp.Run(s.tab, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		s.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// do takes steps.
func (s visit) do(steps ...chromedp.Action[chromedp.Void]) {
	s.t.Helper()
	if err := chromedp.Do(s.tab, steps...); err != nil {
		s.t.Fatal(err)
	}
}

// until waits until an expression is true.
func (s visit) until(expression string) {
	s.t.Helper()
	wait.Until(s.t, expression, func() bool { return eval[bool](s, expression) })
}

// view goes to a view and waits for it.
func (s visit) view(name, there string) {
	s.t.Helper()
	eval[bool](s, fmt.Sprintf(`(location.hash = %q, true)`, "#/"+name))
	s.until(there)
}

// text is an expression that is true when an element holds a text.
func text(selector, want string) string {
	return fmt.Sprintf(`[...document.querySelectorAll(%q)].some((e) => e.textContent.trim() === %q)`, selector, want)
}

// focused is what has the focus: its name for those who hear it.
const focused = `(document.activeElement.getAttribute('aria-label') || document.activeElement.textContent).trim()`

// tabTo presses the tabulator until something has the focus, as one without a mouse does.
func (s visit) tabTo(name string) {
	s.t.Helper()
	var passed []string
	for range 200 {
		s.do(chromedp.KeyEvent(kb.Tab))
		at := eval[string](s, focused)
		if at == name {
			return
		}
		passed = append(passed, at)
	}
	s.t.Fatalf("no tabulator comes to %q, but to %.2000q", name, passed)
}

// ask presses a button by keyboard, leaves the dialog, and confirms it the next time.
func (s visit) ask(button string) {
	s.t.Helper()
	s.tabTo(button)
	s.do(chromedp.KeyEvent(kb.Enter))
	s.until(`document.querySelector('dialog')?.contains(document.activeElement) === true`)
	s.do(chromedp.KeyEvent(kb.Escape))
	s.until(`document.querySelector('dialog') === null`)
	if at := eval[string](s, focused); at != button {
		s.t.Errorf("after the dialog %q has the focus, want %q", at, button)
	}
	s.do(chromedp.KeyEvent(kb.Enter))
	s.until(`document.querySelector('dialog')?.contains(document.activeElement) === true`)
	s.do(chromedp.KeyEvent(kb.Enter))
	s.until(`document.querySelector('dialog') === null`)
}

// fits finds nothing that is cut off.
func (s visit) fits(what string) {
	s.t.Helper()
	if over := eval[int](s, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
		s.t.Errorf("%s: %d pixels too wide", what, over)
	}
}

// check finds that neither, and nothing that is a serious hindrance to anybody.
func (s visit) check(what string) {
	s.t.Helper()
	s.fits(what)
	shoot(s.t, s.tab, what)
	// Of records, which are all alike, a few are enough.
	const run = `axe.run({exclude: [['#records li:nth-child(n+4)']]}, {resultTypes: ['violations'], preload: false, selectors: false}).then((r) => r.violations.filter((v) => ['serious', 'critical'].includes(v.impact))
		.map((v) => v.id + ': ' + v.nodes.map((n) => n.html + ' ' + n.failureSummary).join('; ')))`
	for _, wrong := range eval[[]string](s, run) {
		s.t.Errorf("%s: axe: %s", what, wrong)
	}
}

// media has the browser prefer something.
func (s visit) media(name, value string) {
	s.t.Helper()
	p := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: name, Value: value}}}
	if _, err := chromedp.Call(s.tab, emulation.SetEmulatedMedia, p); err != nil {
		s.t.Fatal(err)
	}
}

// load loads the page anew, with axe in it.
func (s visit) load(axe string) {
	s.t.Helper()
	s.do(chromedp.Navigate(s.page+"/config/ifcb-stats"), chromedp.Navigate(s.page+"/#/connectors"))
	eval[bool](s, axe+"\n;true")
}

// block has requests to some addresses fail.
func (s visit) block(paths ...string) {
	s.t.Helper()
	p := network.SetBlockedURLsParams{}
	for _, path := range paths {
		p.URLPatterns = append(p.URLPatterns, &network.BlockPattern{URLPattern: s.page + path, Block: true})
	}
	if _, err := chromedp.Call(s.tab, network.SetBlockedURLs, p); err != nil {
		s.t.Fatal(err)
	}
}

// readAxe gives the checker of accessibility.
func readAxe(t *testing.T) string {
	t.Helper()
	file := os.Getenv("HYDRAULICS_AXE")
	if file == "" {
		t.Skip("HYDRAULICS_AXE is not set: make integration fetches axe-core and sets it")
	}
	axe, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(axe)
}

// views are those of the page, and what is there when they are.
var views = []struct{ address, there string }{
	{"connectors", `document.querySelector('.flow svg .stage') !== null`},
	{"connector/ifcb-stats", `document.querySelectorAll('.u-wrap').length === 1 && document.querySelectorAll('table').length > 3`},
	{"connector/ifcb-stats?tap=all", `document.querySelectorAll('#tap > li').length > 2`},
	{"connector/ifcb-stats?tap=biovolume&rate=1", `document.querySelectorAll('#tap > li').length > 0`},
	{"connector/breaks?tap=all", text("p", "No record passes: the connector is failed.")},
	{"connector/breaks", text("h2 .state", "failed")},
	{"connector/none", text("p", "There is no such connector. All connectors")},
	{"records/ifcb-stats", `document.querySelectorAll('#records li').length > 0`},
	{"workers", text("h2", "Workers")},
	{"nowhere", text("p", "There is no such view. All connectors")},
}

// narrowTable is the least width of the screen that has tables, not cards.
const narrowTable = 1060

// checkViews looks at each view and dialog at a desk and on a telephone, and whether
// all is there where the letters are twice as large.
func checkViews(s visit) {
	s.until(text("#connectors .state", "failed"))
	for _, c := range []struct {
		scheme string
		width  int64
	}{{"light", 1280}, {"dark", 390}} {
		s.media("prefers-color-scheme", c.scheme)
		for _, v := range views {
			s.do(chromedp.EmulateViewport(640, 450))
			s.view(v.address, v.there)
			s.fits(v.address + ", twice as large")
			s.do(chromedp.EmulateViewport(narrowTable, 900))
			s.fits(v.address + ", where tables just have room")
			s.do(chromedp.EmulateViewport(c.width, 900))
			s.check(fmt.Sprintf("%s, %s, %d pixels", v.address, c.scheme, c.width))
		}
		s.view("connector/breaks", text("h2 .state", "failed"))
		eval[bool](s, `([...document.querySelectorAll('button')].find((b) => b.textContent === 'Stop').click(), true)`)
		s.until(`document.querySelector('dialog[open]') !== null`)
		s.check(fmt.Sprintf("dialog, %s, %d pixels", c.scheme, c.width))
		s.do(chromedp.KeyEvent(kb.Escape))
		s.until(`document.querySelector('dialog') === null`)
	}
	s.media("forced-colors", "active")
	s.view("connectors", `document.querySelector('.flow svg .stage') !== null`)
	s.check("connectors, forced colours")
	s.media("forced-colors", "none")
}

// restartByHand restarts a failed task, from the list of those that failed.
func restartByHand(s visit) {
	s.do(chromedp.EmulateViewport(1280, 900))
	s.view("connectors?state=FAILED", `document.querySelectorAll('#connectors tbody th').length === 1`)
	s.do(chromedp.Click(chromedp.Search(`//th/a[text()="breaks"]`)))
	s.do(chromedp.Click(chromedp.Search(`//td//button[contains(., "Restart task")]`)), chromedp.Click(chromedp.Search(`//dialog//button[contains(., "Restart task")]`)))
	s.until(text(`td[data-label="Restarts"]`, "1"))
}

// leadsToParts brings a part of a long view to the top, with the focus, below the list of parts.
func leadsToParts(s visit) {
	s.do(chromedp.EmulateViewport(390, 844))
	s.view("connector/ifcb-stats", `document.querySelector('#offsets') !== null && document.querySelectorAll('table').length > 3`)
	s.do(chromedp.Click(chromedp.Search(`//nav[@class="parts"]/button[text()="Log"]`)))
	s.until(`(` + focused + `).startsWith("Log") && document.activeElement.getBoundingClientRect().top < 200`)
	if over := eval[float64](s, `document.querySelector('.parts').getBoundingClientRect().bottom - document.activeElement.getBoundingClientRect().top`); over > 0 {
		s.t.Errorf("the list of parts hides %.0f pixels of the part", over)
	}
}

// changedElsewhere changes a connector whose state stays: the page shows what it has become.
func changedElsewhere(s visit) {
	value := func(want string) string {
		return fmt.Sprintf(`[...document.querySelectorAll('tr')].some((r) => r.querySelector('th')?.textContent === 'restart.delay.ms' && r.querySelector('td').textContent === %q)`, want)
	}
	s.view("connector/breaks", text("h2 .state", "failed"))
	for _, delay := range []string{"1001", "1002"} {
		config := fmt.Sprintf(`{"connector.class": "MockSourceConnector", "mock_mode": "task-failure", "restart.policy": "never", "restart.delay.ms": %q}`, delay)
		if status := eval[int](s, fmt.Sprintf(`fetch('api/connectors/breaks/config', {method: 'PUT', headers: {'Content-Type': 'application/json'}, body: %q}).then((r) => r.status)`, config)); status != 200 {
			s.t.Fatalf("a change is answered with %d", status)
		}
		s.until(value(delay))
	}
	s.until(text("h2 .state", "failed"))
}

// keyboard restarts the task, and pauses and resumes several, without a mouse and on a telephone.
func keyboard(s visit) {
	s.do(chromedp.EmulateViewport(390, 900))
	s.view("connectors", `document.querySelectorAll('#connectors tbody th').length > 3`)
	for _, name := range []string{"choose ifcb-bins", "choose ifcb-postgres"} {
		s.tabTo(name)
		s.do(chromedp.KeyEvent(" "))
	}
	// What changes leaves the focus where it is.
	eval[bool](s, `(window.was = document.querySelector('#connectors').textContent, true)`)
	s.until(`document.querySelector('#connectors').textContent !== window.was`)
	if at := eval[string](s, focused); at != "choose ifcb-postgres" {
		s.t.Errorf("after a change %q has the focus", at)
	}
	both := func(state string) string {
		return fmt.Sprintf(`[...document.querySelectorAll('#connectors tr')].filter((r) => /^ifcb-(bins|postgres)/.test(r.querySelector('th a')?.textContent) && r.querySelector('.state').textContent === %q).length === 2`, state)
	}
	s.ask("Pause")
	s.until(both("paused"))
	s.ask("Resume")
	s.until(both("running"))
	s.tabTo("breaks")
	s.do(chromedp.KeyEvent(kb.Enter))
	s.until(text("h2 .kind", "source"))
	s.until(`(` + focused + `).startsWith("breaks")`) // its heading
	s.ask("Restart task 0")
	s.until(text(`td[data-label="Restarts"]`, "2"))
}

// leavesTaps leaves more taps than a browser opens connections, each for another document
// from which one may come back: none holds up what is asked for after it.
func leavesTaps(s visit) {
	for n := range 7 {
		s.do(chromedp.Navigate("about:blank"), chromedp.Navigate(s.page+"/#/connector/ifcb-bins?tap=all"))
		s.until(text("p", "Waiting for a record to pass.") + ` || document.querySelector('#tap') !== null`)
		if status := eval[int](s, `fetch('state', {signal: AbortSignal.timeout(5000)}).then((r) => r.status, () => 0)`); status != 200 {
			s.t.Errorf("after %d taps that were left a request is answered with %d", n, status)
			return
		}
	}
}

// asksOn asks whether to restart what failed, also when meanwhile nothing has failed.
func asksOn(s visit) {
	s.do(chromedp.EmulateViewport(1280, 900))
	s.view("connector/breaks", text("h2 .state", "failed"))
	s.do(chromedp.Click(chromedp.Search(`//main//div[@class="actions"]/button[text()="Restart what failed"]`)))
	if status := eval[int](s, `fetch('api/connectors/breaks/stop', {method: 'PUT'}).then((r) => r.status)`); status >= 300 {
		s.t.Fatalf("to stop it is answered with %d", status)
	}
	s.until(text("h2 .state", "stopped"))
	if !eval[bool](s, `document.querySelector('dialog')?.open === true`) {
		s.t.Error("the question has vanished before it was answered")
		return
	}
	s.do(chromedp.Click(chromedp.Search(`//dialog//button[text()="Leave it"]`)))
	s.until(`!document.querySelector('dialog')`)
}

// deletes deletes a connector, by its page.
func deletes(s visit) {
	s.view("connector/breaks", text("h2 .state", "stopped"))
	for _, within := range []string{"main", "dialog"} {
		s.do(chromedp.Click(chromedp.Search(`//` + within + `//div[@class="actions"]/button[text()="Delete"]`)))
	}
	s.until(`location.hash === '#/connectors' && !document.querySelector('#connectors a[href="#/connector/breaks"]')`)
}

// brokenOff looks at the page without a stream, and without a worker that answers.
func brokenOff(s visit, axe string) {
	s.block("/events*", "/state")
	s.load(axe)
	s.until(`document.querySelector('[role=alert]') !== null`)
	s.check("no answer")
	s.block("/events*")
	s.until(`document.querySelector('[role=alert]') === null && document.querySelectorAll('#connectors tbody th').length > 3`)
	s.block()
}

// breaks makes a connector that fails.
func breaks(s visit) {
	body, err := json.Marshal(map[string]any{"name": "breaks", "config": map[string]string{
		"connector.class": "MockSourceConnector", "mock_mode": "task-failure", "restart.policy": "never"}})
	if err != nil {
		s.t.Fatal(err)
	}
	made := eval[int](s, fmt.Sprintf(`fetch('api/connectors', {method: 'POST', headers: {'Content-Type': 'application/json'}, body: %q}).then((r) => r.status)`, body))
	if made != 201 {
		s.t.Fatalf("the connector that breaks is answered with %d", made)
	}
}
