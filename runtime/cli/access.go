package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/axiom-data-science/hydraulics/runtime/internal/door"
	"github.com/axiom-data-science/hydraulics/runtime/internal/rights"
)

func newAccessCommand() *cobra.Command {
	var name string
	c := &cobra.Command{
		Use:   "access",
		Short: "Write the lines of a worker's file of users and tokens",
		Long: `Writes lines for the file that a worker's key access.file names. Roles: view may
look, at configurations without their secrets; operate may restart, pause, stop
and resume connectors and set levels of loggers; configure may do everything.`,
	}
	c.PersistentFlags().StringVar(&name, "role", "view", "what it may do: view, operate or configure")
	entry := func(what string, lines func(cmd *cobra.Command, name string, role rights.Role) (string, error)) func(*cobra.Command, []string) error {
		return func(cmd *cobra.Command, args []string) error {
			role, err := rights.ParseRole(name)
			if err != nil {
				return err
			}
			text, err := lines(cmd, args[0], role)
			if err != nil {
				return fmt.Errorf("%s %s: %w", what, args[0], err)
			}
			_, err = io.WriteString(cmd.OutOrStdout(), text)
			return err
		}
	}
	c.AddCommand(
		&cobra.Command{Use: "user NAME", Short: "Hash the password of a user, which is read from the input", Args: cobra.ExactArgs(1),
			RunE: entry("user", func(cmd *cobra.Command, name string, role rights.Role) (string, error) {
				password, err := readPassword(cmd.InOrStdin(), cmd.ErrOrStderr())
				if err != nil {
					return "", err
				}
				return door.UserEntry(name, password, role)
			})},
		&cobra.Command{Use: "token NAME", Short: "Make a token, which is said once, and its lines", Args: cobra.ExactArgs(1),
			RunE: entry("token", func(cmd *cobra.Command, name string, role rights.Role) (string, error) {
				token, lines, err := door.TokenEntry(name, role)
				if err == nil {
					fmt.Fprintf(cmd.ErrOrStderr(), "The token, which is nowhere kept: %s\n", token)
				}
				return lines, err
			})})
	return c
}

// readPassword reads a line, which a terminal does not show.
func readPassword(in io.Reader, say io.Writer) (string, error) {
	var line []byte
	var err error
	if f, ok := in.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		fmt.Fprint(say, "password: ")
		line, err = term.ReadPassword(int(f.Fd()))
		fmt.Fprintln(say)
	} else if line, err = bufio.NewReader(in).ReadBytes('\n'); errors.Is(err, io.EOF) {
		err = nil
	}
	password := strings.TrimRight(string(line), "\r\n")
	if err == nil && password == "" {
		err = errors.New("there is no password on the input")
	}
	return password, err
}
