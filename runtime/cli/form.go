package cli

import (
	"encoding/json"
	"errors"

	"github.com/spf13/cobra"
)

// form is how a command prints what it found. It is the value of a flag.
type form struct{ json bool }

// addTo gives a command the flag.
func (f *form) addTo(c *cobra.Command) {
	c.Flags().VarP(f, "output", "o", "how it is printed: text or json")
	_ = c.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"text", "json"}, cobra.ShellCompDirectiveNoFileComp)) // fails for flags that are not there
}

// Set takes the flag's value.
func (f *form) Set(text string) error {
	if text != "text" && text != "json" {
		return errors.New("want text or json")
	}
	f.json = text == "json"
	return nil
}

// String gives the flag's value.
func (f *form) String() string {
	if f.json {
		return "json"
	}
	return "text"
}

// Type names the values.
func (*form) Type() string { return "text|json" }

// printJSON prints a value for programs.
func printJSON(cmd *cobra.Command, v any) error {
	enc := json.NewEncoder(cmd.OutOrStdout())
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
