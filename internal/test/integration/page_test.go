//go:build integration

package integration

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/axiom-data-science/hydraulics/internal/test/wait"
)

// TestDemoInABrowser runs the demo as a newcomer does, asks its API, and looks
// at its page with a real browser: every picture is there, nothing is in the
// console, nothing hinders anybody, and what a mouse does keys do.
func TestDemoInABrowser(t *testing.T) {
	browser, axe := findBrowser(t), readAxe(t)
	at := startDemo(t, t.TempDir())
	var rows []map[string]any
	wait.Nil(t, "the query answers with rows", func() error {
		resp, err := http.Get(at["api"] + "/ifcb_sample_stats?hab=is.true&order=time.desc&limit=5")
		if err != nil {
			return err
		}
		defer func() { _ = resp.Body.Close() }()
		if err := json.NewDecoder(resp.Body).Decode(&rows); err != nil {
			return err
		}
		if len(rows) == 0 {
			return fmt.Errorf("%s, no rows", resp.Status)
		}
		return nil
	})
	for _, row := range rows {
		if row["hab"] != true {
			t.Errorf("row %v is not of a harmful alga", row)
		}
	}

	said := new(console)
	tab := openTab(t, browser, said)
	fail := func(err error) {
		if err != nil {
			t.Fatalf("browser: %v; console: %q", err, said.all())
		}
	}
	fail(chromedp.Do(tab, chromedp.Navigate(at["page"]+"/#/records/ifcb-stats"), chromedp.WaitVisible(chromedp.CSS("#records img"))))
	var seen sight // the list is a newer one from time to time, whose pictures are to come
	wait.Nil(t, "all pictures are there, outlines among them", func() (err error) {
		seen, err = chromedp.Run(tab, chromedp.Evaluate[sight](look))
		if err == nil && (seen.Images <= 20 || seen.Broken > 0 || seen.Outlines == 0) {
			err = fmt.Errorf("%d of %d pictures are broken, %d are outlines", seen.Broken, seen.Images, seen.Outlines)
		}
		return err
	})
	shot, err := chromedp.Run(tab, chromedp.FullScreenshot(90))
	fail(err)
	if file := os.Getenv("HYDRAULICS_SCREENSHOT"); file != "" {
		if err := os.WriteFile(file, shot, 0o644); err != nil {
			t.Error(err)
		}
	}
	fail(chromedp.Do(tab, chromedp.Navigate(at["page"]+"/#/connectors")))
	connectors, err := chromedp.Run(tab, chromedp.Text(chromedp.CSS("#connectors")))
	fail(err)
	for _, name := range []string{"ifcb-images", "ifcb-stats", "ifcb-postgres"} {
		if !strings.Contains(connectors, name) {
			t.Errorf("connector %s is not on the page: %s", name, connectors)
		}
	}
	fail(pauseAndResume(tab, at["page"], at["token"]))
	s := visit{t, tab, at["page"]}
	s.load(axe)
	breaks(s)
	checkViews(s)
	leadsToParts(s)
	changedElsewhere(s)
	restartByHand(s)
	keyboard(s)
	leavesTaps(s)
	asksOn(s)
	deletes(s)
	if list := said.all(); len(list) > 0 {
		t.Errorf("the console says %q", list)
	}
	brokenOff(s, axe)
	t.Logf("passed: page: %d pictures, none broken, console silent", seen.Images)
}

// console is what a browser's console says.
type console struct {
	mu   sync.Mutex
	list []string
}

// hear takes note of an event of the browser.
func (c *console) hear(event any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		c.list = append(c.list, string(e.Type))
	case *runtime.EventExceptionThrown:
		said := e.ExceptionDetails.Text
		if x := e.ExceptionDetails.Exception; x != nil {
			said += ": " + x.Description
		}
		c.list = append(c.list, said)
	case *cdplog.EventEntryAdded:
		c.list = append(c.list, e.Entry.Text+" "+e.Entry.URL)
	}
}

func (c *console) all() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.list)
}

// openTab opens a tab of a browser until the test ends.
func openTab(t *testing.T, browser string, said *console) context.Context {
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(browser), chromedp.NoSandbox, chromedp.WindowSize(1280, 1000))
	allocator, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	tab, cancel := chromedp.NewContext(allocator, chromedp.WithListener(said.hear))
	t.Cleanup(cancel)
	tab, cancel = context.WithTimeout(tab, 3*patience) // for many steps
	t.Cleanup(cancel)
	return tab
}

// pauseAndResume does so with a connector, as one who may: who only looks has no buttons.
func pauseAndResume(tab context.Context, page, token string) error {
	one := page + "/#/connector/ifcb-stats"
	buttons, err := chromedp.Run(tab, chromedp.Evaluate[int](`document.querySelectorAll('.actions button').length`))
	if err != nil || buttons > 0 {
		return fmt.Errorf("one who only looks has %d buttons (%w)", buttons, err)
	}
	headers := network.SetExtraHTTPHeadersParams{Headers: network.Headers{"Authorization": "Bearer " + token}}
	if _, err := chromedp.Call(tab, network.SetExtraHTTPHeaders, headers); err != nil {
		return err
	}
	press := func(label, state string) []chromedp.Action[chromedp.Void] {
		return []chromedp.Action[chromedp.Void]{
			chromedp.Click(chromedp.Search(`//main//div[@class="actions"]/button[text()="` + label + `"]`)),
			chromedp.Click(chromedp.Search(`//dialog//button[text()="` + label + `"]`)),
			chromedp.WaitVisible(chromedp.CSS("h2 .state." + state)),
		}
	}
	return chromedp.Do(tab, slices.Concat([]chromedp.Action[chromedp.Void]{
		chromedp.Navigate(page + "/state"), // another document, so that the next one is loaded anew
		chromedp.Navigate(one), chromedp.WaitVisible(chromedp.CSS("h2 .state.RUNNING")),
	}, press("Pause", "PAUSED"), press("Resume", "RUNNING"))...)
}

// sight is what is on the page.
type sight struct {
	Images, Broken, Outlines int
}

// look gathers a sight.
const look = `(() => {
	const images = [...document.querySelectorAll('#records img')];
	return {
		Images: images.length,
		Broken: images.filter((i) => !i.complete || i.naturalWidth === 0).length,
		Outlines: images.filter((i) => i.alt.startsWith('outline')).length,
	};
})()`

// findBrowser gives the browser's program.
func findBrowser(t *testing.T) string {
	t.Helper()
	for _, name := range []string{os.Getenv("HYDRAULICS_BROWSER"), "chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); name != "" && err == nil {
			return path
		}
	}
	t.Skip("no browser: install chromium, or name one in HYDRAULICS_BROWSER")
	return ""
}

// startDemo runs the built program's demo until the test ends and gives its endpoints.
func startDemo(t *testing.T, data string, args ...string) map[string]string {
	t.Helper()
	program := os.Getenv("HYDRAULICS_BINARY")
	if program == "" {
		t.Skip("HYDRAULICS_BINARY is not set: make integration builds and sets it")
	}
	cmd := exec.Command(program, append([]string{"demo", "--data", data, "--interval", "2s"}, args...)...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	read := make(chan struct{})
	go func() { // ends with the program
		defer close(read)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			t.Log(lines.Text())
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		<-read
		if err := cmd.Wait(); err != nil {
			t.Errorf("demo: %v", err)
		}
	})
	var at map[string]string
	wait.Nil(t, "the demo is ready", func() error {
		text, err := os.ReadFile(filepath.Join(data, "endpoints.json"))
		if err != nil {
			return err
		}
		return json.Unmarshal(text, &at)
	})
	return at
}
