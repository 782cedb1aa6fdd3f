package cli

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/test/kafkatest"
	"github.com/axiom-data-science/hydraulics/internal/test/wait"
)

// hanging is a source whose Poll does not return for a context's end.
type hanging struct{}

var polled, released = make(chan struct{}), make(chan struct{})

func init() { connector.RegisterSource(func() connector.Source { return hanging{} }) }

func (hanging) Info() connector.Info { return connector.Info{Name: "test-hanging", Version: "1"} }

func (hanging) ConfigDef() *connector.ConfigDef { return connector.NewConfigDef() }

func (hanging) Start(context.Context, connector.Context, connector.Config) error { return nil }

func (hanging) Poll(context.Context) ([]connector.SourceRecord, error) {
	close(polled)
	<-released
	return nil, nil
}

func (hanging) Stop() error { return nil }

// A worker that is told to stop ends well within its patience, also where a
// plugin hangs.
//
// Clauses: F4.
func TestCommandStopsWhereAPluginHangs(t *testing.T) {
	defer close(released)
	worker := write(t, "connect.properties", "bootstrap.servers="+kafkatest.Start(t)+"\nlisteners=http://127.0.0.1:0\npage.listener=\ntask.shutdown.graceful.timeout.ms=100\n"+
		"key.converter=string\nvalue.converter=string\noffset.storage.file.filename="+filepath.Join(t.TempDir(), "offsets")+"\n")
	source := write(t, "source.properties", "name=stuck\nconnector.class=test-hanging\ntopic=a\n")
	ctx, cancel := context.WithCancel(t.Context())
	out, done := new(printed), make(chan error, 1)
	root := Root("hydraulics")
	root.SetOut(out)
	root.SetErr(out)
	root.SetArgs([]string{"connect-standalone", worker, source})
	go func() { done <- root.ExecuteContext(ctx) }()
	wait.For(t, "the poll", polled)
	cancel()
	if err := wait.For(t, "the end", done); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if want := "stuck"; !strings.Contains(out.String()[strings.Index(out.String(), "stopping"):], want) {
		t.Errorf("does not say what was broken off:\n%s", out)
	}
}
