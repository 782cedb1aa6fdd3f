//go:build integration

package integration

import (
	"fmt"
	"slices"
	"testing"

	"github.com/axiom-data-science/hydraulics/internal/test/pgtest"
	"github.com/axiom-data-science/hydraulics/internal/test/wait"
)

// The same folder is watched on the page while its database breaks and is mended, on a
// desk with a mouse and on a phone by keys alone: which stage fails, why, and the
// remedy; then a line that does not fit is replayed after a dry run.
func TestJavaFolderOnThePage(t *testing.T) {
	findBrowser(t)
	each(t, func(t *testing.T, s *stack) { newJavaWalk(s).onThePage() })
}

// onThePage goes to the page once the folder is applied.
func (w *javaWalk) onThePage() {
	t := w.t
	const apply = "bin/hydraulics connectors apply -f connectors --set walk"
	applied := slices.Index(w.commands, apply)
	if applied < 0 {
		t.Fatalf("docs/from-kafka-connect.md has no %q any more", apply)
	}
	for _, command := range w.commands[:applied+1] {
		w.shell.types(w.here.Replace(command))
	}
	pgtest.Exec(t, w.pool, "ALTER TABLE readings ALTER line TYPE text")
	for i, c := range []struct {
		name     string
		width    int
		keyboard bool
	}{{"desk, mouse", 1280, false}, {"phone, keyboard", 390, true}} {
		t.Run(c.name, func(t *testing.T) {
			v := newVisitor(t, w.page, c.width, c.keyboard)
			part := *w
			part.stack = w.within(t)
			shell := *w.shell
			shell.t = t
			part.shell = &shell
			part.breaks(v, fmt.Sprint("line", i))
			part.replays(v, fmt.Sprint("much too long ", i))
			if list := v.console.all(); len(list) > 0 {
				t.Errorf("the console says %q", list)
			}
		})
	}
}

// there tells whether a line is in the table.
func (w *javaWalk) there(line string) bool {
	return slices.Equal(pgtest.Rows(w.t, w.pool, "SELECT count(*) FROM readings WHERE line = '"+line+"'"), []string{"1"})
}

// breaks stops the database, sees that on the page, and starts it again.
func (w *javaWalk) breaks(v *visitor, line string) {
	v.open("connectors")
	v.until(`['lines', 'table', 'archive'].every((name) => document.querySelector('#connectors')?.innerText.includes(name))`)
	wait.Until(w.t, "the first lines", func() bool { return w.there("three") })
	w.stopDatabase()
	w.shell.types("echo " + line + " >> in.txt")
	v.open("connector/table")
	v.until(`document.querySelector('main').innerText.includes('sink (postgres)') && document.querySelector('main').innerText.includes('[H5001]')`)
	v.until(`document.querySelector('main').innerText.includes('Look whether it runs at connection.url')`)
	v.fits("a failing stage")
	w.startDatabase()
	wait.Until(w.t, "the line", func() bool { return w.there(line) })
	v.until(`!document.querySelector('main').innerText.includes('Look whether it runs at connection.url')`)
}

// replays has a line die that the table does not take, mends the table, and has the
// page send the line again.
func (w *javaWalk) replays(v *visitor, line string) {
	pgtest.Exec(w.t, w.pool, "ALTER TABLE readings ADD CONSTRAINT short CHECK (length(line) < 6) NOT VALID")
	dead := w.here.Replace("walk-dead")
	before := w.written(dead)
	w.shell.types("echo " + line + " >> in.txt")
	wait.Until(w.t, "the dead letter", func() bool { return w.written(dead) > before })
	v.open("letters")
	v.press(`#letter-topics a`)
	v.until(`document.querySelector('#letters')?.innerText.includes('short')`)
	v.press(`#letters > li:first-child > details > summary`)
	v.until(`document.querySelector('#letters dl').innerText.includes('TASK_PUT')`)
	pgtest.Exec(w.t, w.pool, "ALTER TABLE readings DROP CONSTRAINT short")
	v.press(`#causes button`)
	v.until(`/would go to/.test(document.querySelector('dialog').innerText)`)
	if w.there(line) {
		w.t.Error("a dry run has sent the line")
	}
	v.press(`#send`)
	v.until(`/Done: (\d+) of \1 records/.test(document.querySelector('dialog').innerText)`)
	wait.Until(w.t, "the line", func() bool { return w.there(line) })
	v.press(`dialog .actions button`)
	v.until(`!document.querySelector('dialog')`)
}
