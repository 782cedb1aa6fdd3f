// Package steer has the commands that ask a running worker, of this program or of
// Java's, for something: what it runs, that it does so otherwise, how far it has come.
package steer

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/axiom-data-science/hydraulics/runtime/internal/client"
)

// ErrDiffers says that connectors are not what files declare. It was said already.
var ErrDiffers = errors.New("the connectors are not those of the files")

// What a command ends with. The numbers are a promise: scripts ask for them.
const (
	exitFailed      = 1
	exitDiffers     = 2
	exitLacking     = 3
	exitUnreachable = 4
	exitNotFound    = 5
)

// ExitCode gives the number that the program ends with after an error.
func ExitCode(err error) int {
	if errors.Is(err, ErrDiffers) {
		return exitDiffers
	}
	if _, away := errors.AsType[*client.UnreachableError](err); away {
		return exitUnreachable
	}
	if refused, is := errors.AsType[*client.Error](err); is {
		switch {
		case refused.Lacking():
			return exitLacking
		case refused.NotFound():
			return exitNotFound
		}
	}
	return exitFailed
}

// completionTimeout is how long a shell waits for a worker's names.
const completionTimeout = 3 * time.Second

// worker is which worker the commands of a group ask.
type worker struct{ target client.Target }

// ofURL is what help says of the flag --url.
const ofURL = "REST API of the worker, with commas those of several of a cluster (HYDRAULICS_URL; " + client.DefaultURL + ")"

// addTo gives a command, and those below it, the flags; url is what that of the address
// is called, and usage what help says of it.
func (w *worker) addTo(c *cobra.Command, url, usage string) {
	addTarget(c, &w.target, url, usage)
	c.PersistentFlags().DurationVar(&w.target.Timeout, "timeout", client.DefaultTimeout, "how long an answer may take")
}

// AddTarget gives a command of another package the flags that say which worker is asked;
// url is what that of the address is called.
func AddTarget(c *cobra.Command, target *client.Target, url string) { addTarget(c, target, url, ofURL) }

func addTarget(c *cobra.Command, target *client.Target, url, usage string) {
	flags := c.PersistentFlags()
	flags.StringVar(&target.URL, url, "", usage)
	flags.StringVar(&target.Context, "context", "", "worker of the file of contexts (HYDRAULICS_CONTEXTS; hydraulics/contexts.yaml in the folder of configurations)")
	_ = c.RegisterFlagCompletionFunc("context", func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		contexts, err := target.Contexts()
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		return contexts.Names(), cobra.ShellCompDirectiveNoFileComp
	}) // fails for flags that are not there
}

// asking makes what a command does of what it asks a worker.
func (w *worker) asking(do func(cmd *cobra.Command, c *client.Client, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		c, err := w.target.Open()
		if err != nil {
			return err
		}
		defer c.Close()
		return do(cmd, c, args)
	}
}

// each does something to each of the connectors that a command names, and says so.
// What is wrong with one keeps it from none of the others.
func (w *worker) each(done string, do func(ctx context.Context, c *client.Client, name string) error) func(*cobra.Command, []string) error {
	return w.asking(func(cmd *cobra.Command, c *client.Client, names []string) error {
		var errs []error
		for _, name := range names {
			err := do(cmd.Context(), c, name)
			if err == nil {
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: %s\n", name, done)
			}
			errs = append(errs, err)
		}
		return errors.Join(errs...)
	})
}

// names gives a shell those of the worker's connectors that are not there already.
func (w *worker) names(most int) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if most > 0 && len(args) >= most {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		target := w.target
		target.Timeout = completionTimeout
		c, err := target.Open()
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		defer c.Close()
		names, err := c.Names(cmd.Context())
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		return left(names, args, begun), cobra.ShellCompDirectiveNoFileComp
	}
}

// left gives the names that begin so and were not given yet.
func left(names, given []string, begun string) []cobra.Completion {
	there := map[string]bool{}
	for _, name := range given {
		there[name] = true
	}
	var list []cobra.Completion
	for _, name := range names {
		if strings.HasPrefix(name, begun) && !there[name] {
			list = append(list, name)
		}
	}
	return list
}
