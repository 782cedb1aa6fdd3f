//go:build integration

package integration

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/internal/test/kafkatest"
	"github.com/axiom-data-science/hydraulics/internal/test/port"
	"github.com/axiom-data-science/hydraulics/internal/test/wait"
)

// visitor is somebody at the page, with a mouse or with the keyboard alone.
type visitor struct {
	t        *testing.T
	tab      context.Context
	page     string
	keyboard bool
	console  *console
}

func newVisitor(t *testing.T, page string, width int, keyboard bool) *visitor {
	w := &visitor{t: t, page: page, keyboard: keyboard, console: new(console)}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(findBrowser(t)), chromedp.NoSandbox, chromedp.WindowSize(width, 900))
	allocator, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	tab, cancel := chromedp.NewContext(allocator, chromedp.WithListener(w.console.hear))
	t.Cleanup(cancel)
	w.tab, cancel = context.WithTimeout(tab, patience)
	t.Cleanup(cancel)
	w.do(chromedp.EmulateViewport(int64(width), 900))
	return w
}

func (w *visitor) do(actions ...chromedp.Action[chromedp.Void]) {
	w.t.Helper()
	if err := chromedp.Do(w.tab, actions...); err != nil {
		shot, _ := chromedp.Run(context.WithoutCancel(w.tab), chromedp.Evaluate[string](`location.hash + '\n' + document.body.innerText`))
		w.t.Fatalf("%v; the page shows %s; the console says %q", err, shot, w.console.all())
	}
}

// until waits for something in the words of JavaScript. A page that is just being loaded
// has no answer yet.
func (w *visitor) until(condition string) {
	w.t.Helper()
	wait.Nil(w.t, condition, func() error {
		is, err := chromedp.Run(w.tab, chromedp.Evaluate[bool](condition))
		if err == nil && !is {
			text, _ := chromedp.Run(w.tab, chromedp.Evaluate[string](`document.body.innerText`))
			err = fmt.Errorf("the page shows %s", text)
		}
		return err
	})
}

// open opens a view, as one who comes by its address.
func (w *visitor) open(view string) {
	w.do(chromedp.Navigate("about:blank"), chromedp.Navigate(w.page+"/#/"+view))
}

// at brings the focus to an element: by Tab, or by a click.
func (w *visitor) at(selector string) {
	w.t.Helper()
	w.until(fmt.Sprintf(`[...document.querySelectorAll(%q)].some((e) => !e.disabled && e.checkVisibility())`, selector))
	if !w.keyboard {
		w.do(chromedp.Click(chromedp.CSS(selector)))
		return
	}
	for range 400 {
		w.do(chromedp.KeyEvent(kb.Tab))
		here, err := chromedp.Run(w.tab, chromedp.Evaluate[bool](fmt.Sprintf(`document.activeElement.matches(%q)`, selector)))
		if err != nil {
			w.t.Fatal(err)
		}
		if here {
			return
		}
	}
	w.t.Fatalf("nobody gets to %s by Tab", selector)
}

// press presses what is a button, a link or a summary.
func (w *visitor) press(selector string) {
	w.t.Helper()
	if w.at(selector); w.keyboard {
		w.do(chromedp.KeyEvent(kb.Enter))
	}
}

// write puts a text in a field, in the place of what is there.
func (w *visitor) write(selector, text string) {
	w.t.Helper()
	w.at(selector)
	w.do(chromedp.KeyEvent("a", chromedp.KeyModifiers(kb.ModifierCtrl)), chromedp.KeyEvent(text))
}

// fits tells that nothing is wider than the screen.
func (w *visitor) fits(where string) {
	w.t.Helper()
	over, err := chromedp.Run(w.tab, chromedp.Evaluate[int](`document.documentElement.scrollWidth - document.documentElement.clientWidth`))
	if err != nil || over > 0 {
		w.t.Errorf("%s is %d pixels wider than the screen (%v)", where, over, err)
	}
	shoot(w.t, w.tab, where)
}

// shoot takes a picture of all that is on the page where HYDRAULICS_SCREENSHOTS names a
// folder for them.
func shoot(t *testing.T, tab context.Context, where string) {
	t.Helper()
	dir := os.Getenv("HYDRAULICS_SCREENSHOTS")
	if dir == "" {
		return
	}
	shot, err := chromedp.Run(tab, chromedp.FullScreenshot(100))
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, strings.ReplaceAll(t.Name()+" "+where, "/", " ")+".png"), shot, 0o644)
	}
	if err != nil {
		t.Error(err)
	}
}

const walked = `worker:
  bootstrap.servers: %s
  listeners: http://127.0.0.1:0
  page.listener: http://127.0.0.1:%d
  offset.storage.file.filename: %s
  config.write: true
  key.converter: string
  value.converter: json
  value.converter.schemas.enable: false
connectors:
  # counts nothing
  upper:
    connector.class: stream   # from one topic to another
    topics: lines
    topic: copies
    transforms:
      - InsertField$Value: {static.field: by, static.value: us}
    errors.tolerance: all
    errors.deadletterqueue.topic.name: dead
    errors.deadletterqueue.topic.replication.factor: 1
    errors.deadletterqueue.context.headers.enable: true
`

// TestPageWalks walks through the page as people do, with a mouse and by the keyboard
// alone, on a desk and on a phone: edit, preview and save; look into a topic; replay a
// dead letter.
func TestPageWalks(t *testing.T) {
	program := os.Getenv("HYDRAULICS_BINARY")
	if program == "" {
		t.Skip("HYDRAULICS_BINARY is not set: make integration builds and sets it")
	}
	findBrowser(t)
	broker, dir := kafkatest.Start(t), t.TempDir()
	at, err := port.Lasting()
	if err != nil {
		t.Fatal(err)
	}
	client, err := kafka.Open(t.Context(), kafka.Options{Bootstrap: []string{broker}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	if err := client.CreateTopic(t.Context(), kafka.TopicSpec{Name: "lines", Partitions: 1, Replication: 1}); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "flow.yaml")
	if err := os.WriteFile(file, []byte(fmt.Sprintf(walked, broker, at, filepath.Join(dir, "o"))), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "worker", "-f", file)
	cmd.Stdout, cmd.Stderr = t.Output(), t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait() // what it says is in the log
	})
	page := fmt.Sprintf("http://127.0.0.1:%d", at)
	for i, c := range []struct {
		name     string
		width    int
		keyboard bool
	}{{"desk, mouse", 1280, false}, {"desk, keyboard", 1280, true}, {"phone, mouse", 390, false}, {"phone, keyboard", 390, true}} {
		letters := func() int64 {
			ends, err := client.EndOffsets(t.Context(), "dead")
			if err != nil {
				return 0 // it is made with the first one
			}
			return ends[connector.TopicPartition{Topic: "dead"}]
		}
		before := letters()
		sendLines(t, client, `{"level": 1}`, "{broken")
		wait.Until(t, "the dead letter", func() bool { return letters() > before })
		t.Run(c.name, func(t *testing.T) {
			w := newVisitor(t, page, c.width, c.keyboard)
			w.edits(file, fmt.Sprint(i+2))
			w.looks()
			w.taps(func() { sendLines(t, client, `{"level": 2}`) })
			w.replays()
			w.goesBack()
			if list := w.console.all(); len(list) > 0 {
				t.Errorf("the console says %q", list)
			}
		})
	}
}

func sendLines(t *testing.T, client *kafka.Client, values ...string) {
	t.Helper()
	p, err := client.NewProducer(kafka.ProducerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range values {
		m := kafka.Message{Topic: "lines", Key: []byte("k"), Value: []byte(v), Timestamp: connector.NoTimestamp}
		err = errors.Join(err, p.Send(t.Context(), m, func(connector.RecordMetadata, error) {}))
	}
	if err := errors.Join(err, p.Flush(t.Context()), p.Close()); err != nil {
		t.Fatal(err)
	}
}

// edits changes a key in the form, is led to what is wrong with it, also where its group
// was closed, previews it, and has the file written.
func (w *visitor) edits(file, tasks string) {
	w.open("connector/upper")
	w.press(`a[href="#/edit/upper"]`)
	w.write(`[id="f-tasks.max"]`, "many")
	w.until(`document.querySelector('.go')?.innerText === 'tasks.max'`)
	w.press(`details.group:has([id="f-tasks.max"]) > summary`)
	w.press(`.go`)
	w.until(`document.activeElement.id === 'f-tasks.max'`)
	w.write(`[id="f-tasks.max"]`, tasks)
	w.until(`document.querySelector('#text').value.includes('tasks.max: ` + tasks + `') && document.querySelector('#diff')?.innerText.includes('tasks.max')`)
	w.press(`section[aria-labelledby=previews] button[type=submit]`)
	w.until(`document.querySelectorAll('#preview li').length > 1`)
	w.until(`document.querySelector('#preview').innerText.includes('becomes a dead letter')`)
	w.fits("edit")
	w.press(`#save`)
	w.until(`document.querySelector('main').innerText.includes('is written, and is read anew')`)
	text, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(text), "\n    tasks.max: "+tasks+"\n") || !strings.Contains(string(text), "stream   # from one topic to another\n") {
		w.t.Errorf("%v: %s", err, text)
	}
}

// looks finds a record in a topic.
func (w *visitor) looks() {
	w.open("topics")
	w.fits("topics")
	w.press(`#topics a[href="#/topics/lines"]`)
	w.write(`input[name=from]`, "beginning"+kb.Enter)
	w.until(`location.hash.includes('from=beginning') && document.querySelectorAll('#tail > li').length > 1`)
	w.press(`#tail > li:first-child > details > summary`)
	w.until(`document.querySelector('#tail dl').innerText.includes('level')`)
	w.fits("a topic")
}

// taps looks at records on their way: the tap pauses at one that is read, and goes on.
func (w *visitor) taps(send func()) {
	w.open("connector/upper")
	w.press(`#all-tapped`)
	send() // which is seen as it passes, or as one of before
	w.until(`document.querySelectorAll('#tap > li').length > 0`)
	w.press(`#tap > li:first-child > details > summary`)
	w.until(`document.querySelector('main').innerText.includes('Paused while you read') && document.querySelector('#tap details[open]').innerText.includes('InsertField')`)
	w.fits("tap")
	w.press(`button[aria-pressed=true]`)
	w.until(`document.querySelector('main').innerText.includes('A sample of what passes')`)
	w.press(`#untap`)
	w.until(`!document.querySelector('#tap') && !location.hash.includes('tap=')`)
}

// replays sends a dead letter again.
func (w *visitor) replays() {
	w.open("letters")
	w.press(`#letter-topics a`)
	w.press(`#letters > li:first-child > details > summary`)
	w.fits("letters")
	w.press(`#causes button`)
	w.press(`#send`)
	w.until(`/Done: (\d+) of \1 records/.test(document.querySelector('dialog').innerText)`)
	w.fits("replay")
	w.press(`dialog .actions button`)
	w.until(`!document.querySelector('dialog')`)
}

// goesBack has a connector read its topic again: it is stopped, its offset altered, and
// it is resumed.
func (w *visitor) goesBack() {
	w.open("connector/upper")
	confirm := `dialog .actions button:first-child`
	w.press(`.offsets > .actions > button`)
	w.press(confirm)
	w.press(`#offsets td button:first-child`)
	w.write(`#next`, "0")
	w.until(`/reads up to \d+ records? again/.test(document.querySelector('dialog').innerText)`)
	w.fits("offsets")
	w.press(`#change-offsets`)
	w.until(`!document.querySelector('dialog') && document.querySelector('#offsets td.code').innerText.trim().endsWith('0') && document.querySelector('.offsets').innerText.includes('altered successfully')`)
	w.press(`h2 + .actions > button:nth-of-type(2)`)
	w.press(confirm)
	w.until(`document.querySelector('h2 .state').innerText === 'running'`)
}
