package steer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"github.com/axiom-data-science/hydraulics/internal/data/wholejson"
	"github.com/axiom-data-science/hydraulics/internal/output"
	"github.com/axiom-data-science/hydraulics/runtime/internal/client"
)

// OffsetsCommand makes `offsets`, which shows and changes how far connectors have come.
func OffsetsCommand() *cobra.Command {
	w := new(worker)
	c := &cobra.Command{
		Use:   "offsets",
		Short: "List, alter and reset the offsets of the connectors of a running worker",
		Long: `Offsets say how far a connector has come: a source in what it reads, a sink or
stream in its topics. A connector must be stopped while they are changed.
Java's workers list them since 3.5 and change them since 3.6.`,
	}
	w.addTo(c, "url", ofURL)
	c.AddCommand(newOffsetsListCommand(w), newOffsetsAlterCommand(w), newOffsetsResetCommand(w))
	return c
}

func newOffsetsListCommand(w *worker) *cobra.Command {
	var form output.Form
	c := &cobra.Command{
		Use:               "list NAME",
		Short:             "List the offsets of a connector",
		Long:              "Lists the offsets of a connector. As JSON or YAML it is what alter -f takes.",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: w.names(1),
		RunE: w.asking(func(cmd *cobra.Command, c *client.Client, args []string) error {
			all, err := c.Offsets(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if all.Offsets == nil {
				all.Offsets = []client.Offset{}
			}
			table := output.Table{Columns: []string{"PARTITION", "OFFSET"}}
			for _, o := range all.Offsets {
				table.Add(string(o.Partition), string(o.Offset))
			}
			return form.Print(cmd.OutOrStdout(), all, table)
		}),
	}
	form.AddTo(c)
	return c
}

func newOffsetsAlterCommand(w *worker) *cobra.Command {
	var file string
	var at []string
	c := &cobra.Command{
		Use:   "alter NAME",
		Short: "Change offsets of a stopped connector",
		Long: `Changes the offsets that a file names, in the form of "offsets list -o json" or
-o yaml; one whose offset is null is reset. Of a sink or stream --to says the
same in a word.`,
		Example:           "  hydraulics offsets alter postgres-sink --to ifcb-sample-stats/0=1200\n  hydraulics offsets alter ifcb-source -f offsets.json",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: w.names(1),
		RunE: w.asking(func(cmd *cobra.Command, c *client.Client, args []string) error {
			to, err := offsetsOf(cmd.InOrStdin(), file, at)
			if err != nil {
				return err
			}
			said, err := c.AlterOffsets(cmd.Context(), args[0], to)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: %s\n", args[0], said)
			return err
		}),
	}
	c.Flags().StringVarP(&file, "file", "f", "", "file of offsets, JSON or YAML; - is standard input")
	c.Flags().StringArrayVar(&at, "to", nil, "TOPIC/PARTITION=OFFSET of a sink or stream: the record that is read next")
	c.MarkFlagsOneRequired("file", "to")
	return c
}

func newOffsetsResetCommand(w *worker) *cobra.Command {
	return &cobra.Command{
		Use:               "reset NAME",
		Short:             "Remove all offsets of a stopped connector, which then begins anew",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: w.names(1),
		RunE: w.asking(func(cmd *cobra.Command, c *client.Client, args []string) error {
			said, err := c.ResetOffsets(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: %s\n", args[0], said)
			return err
		}),
	}
}

// offsetsOf gives the offsets of a file and of --to.
func offsetsOf(in io.Reader, file string, at []string) (client.Offsets, error) {
	var to client.Offsets
	if file != "" {
		data, err := readAll(in, file)
		if err != nil {
			return to, fmt.Errorf("--file: %w", err)
		}
		if err := decodeOffsets(data, &to); err != nil {
			return to, fmt.Errorf("--file %s: %w: want offsets: a list of partition and offset, as \"offsets list -o json\" gives it", file, err)
		}
	}
	for _, text := range at {
		o, err := sinkOffset(text)
		if err != nil {
			return to, err
		}
		to.Offsets = append(to.Offsets, o)
	}
	return to, nil
}

func readAll(in io.Reader, file string) ([]byte, error) {
	if file == "-" {
		return io.ReadAll(in)
	}
	return os.ReadFile(file)
}

// decodeOffsets reads JSON as it is, so that its numbers stay what they are, and else
// YAML.
func decodeOffsets(data []byte, to *client.Offsets) error {
	if !json.Valid(data) {
		var v any
		if err := yaml.Unmarshal(data, &v); err != nil {
			return err
		}
		var err error
		if data, err = json.Marshal(v); err != nil {
			return err
		}
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := wholejson.Decode(d, to); err != nil {
		return err
	}
	if len(to.Offsets) == 0 {
		return errors.New("there are none")
	}
	for i, o := range to.Offsets {
		if o.Partition == nil || o.Offset == nil {
			return fmt.Errorf("number %d: want a partition and an offset; offset: null resets a partition", i+1)
		}
	}
	return nil
}

// sinkOffset reads TOPIC/PARTITION=OFFSET.
func sinkOffset(text string) (client.Offset, error) {
	at, offset, is := strings.Cut(text, "=")
	i := strings.LastIndexByte(at, '/')
	if is && i > 0 {
		partition, err := strconv.ParseInt(at[i+1:], 10, 32)
		next, err2 := strconv.ParseInt(offset, 10, 64)
		if err == nil && err2 == nil && partition >= 0 && next >= 0 {
			where, err := json.Marshal(map[string]any{"kafka_topic": at[:i], "kafka_partition": partition})
			return client.Offset{Partition: where, Offset: fmt.Appendf(nil, `{"kafka_offset":%d}`, next)}, err
		}
	}
	return client.Offset{}, fmt.Errorf("--to %s: want TOPIC/PARTITION=OFFSET, such as ifcb-sample-stats/0=1200", text)
}
