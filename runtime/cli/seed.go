package cli

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/axiom-data-science/hydraulics/internal/data/wholejson"
)

// seedConfig is the config.json of the first hydraulics' stream application.
type seedConfig struct {
	AppName    string   `json:"app_name"`
	Broker     []string `json:"broker"`
	Bootstrap  string   `json:"bootstrap.servers"`
	Registry   string   `json:"schema.registry.url"`
	Partitions int      `json:"topic_partitions"`
	Images     string   `json:"image_topic"`
	Stats      string   `json:"stats_topic"`
	Model      string   `json:"tensorflow_url"`
	Classes    []string `json:"class_names"`
	Diatoms    []string `json:"diatoms"`
	HAB        []string `json:"hab_species"`
}

func newSeedCommand() *cobra.Command {
	var dir string
	seed := &cobra.Command{
		Use:   "seed-config CONFIG.json",
		Short: "Print the flow that the config.json of the original stream application describes",
		Long: `Prints the worker's keys and the stream that classify the images, as YAML.

Lists of classes that differ from the built-in ones need files of their own:
with --dir the flow and the lists are written into a folder.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			data, err := os.ReadFile(args[0])
			if err != nil {
				return err
			}
			s, err := parseSeed(data)
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			lists, own := s.lists(Defaults)
			text := s.flow(cmd.Root().Name(), lists)
			if dir == "" {
				if len(own) > 0 {
					return fmt.Errorf("%s: %s are not the built-in lists: use --dir to have the flow and its lists written into a folder",
						args[0], strings.Join(sortedNames(own), ", "))
				}
				_, err = fmt.Fprint(cmd.OutOrStdout(), text)
				return err
			}
			return writeFlow(cmd, dir, text, own)
		},
	}
	seed.Flags().StringVar(&dir, "dir", "", "write flow.yaml and the lists of classes into this folder")
	return seed
}

// parseSeed reads the original's configuration. The error names everything
// that is missing.
func parseSeed(data []byte) (*seedConfig, error) {
	s := &seedConfig{Partitions: 1, AppName: "ifcb-stream-classifier"}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := wholejson.Decode(d, s); err != nil {
		if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && wrong.Field != "" {
			return nil, fmt.Errorf("%s: a JSON %s does not fit here", wrong.Field, wrong.Value)
		} else if ok {
			return nil, fmt.Errorf("want a JSON object, not a JSON %s", wrong.Value)
		}
		return nil, err
	}
	if s.Bootstrap == "" {
		var servers []string
		for _, b := range s.Broker {
			if b = strings.TrimPrefix(b, "kafka://"); !strings.Contains(b, ":") {
				b += ":9092"
			}
			servers = append(servers, b)
		}
		s.Bootstrap = strings.Join(servers, ",")
	}
	var missing []error
	for _, k := range []struct{ key, text string }{{"bootstrap.servers", s.Bootstrap}, {"schema.registry.url", s.Registry},
		{"image_topic", s.Images}, {"stats_topic", s.Stats}, {"tensorflow_url", s.Model}} {
		if k.text == "" {
			missing = append(missing, fmt.Errorf("%s is missing", k.key))
		}
	}
	return s, errors.Join(missing...)
}

// lists gives the path of each list of classes: the built-in one where it is
// the same, else a file of its own, whose lines are given too.
func (s *seedConfig) lists(builtin fs.FS) (paths map[string]string, own map[string][]string) {
	paths, own = map[string]string{}, map[string][]string{}
	for name, list := range map[string][]string{"classes": s.Classes, "diatoms": s.Diatoms, "hab": s.HAB} {
		if len(list) == 0 {
			continue
		}
		paths[name] = "ifcb/" + name + ".txt"
		if !slices.Equal(readLines(builtin, paths[name]), list) {
			paths[name] = name + ".txt"
			own[name] = list
		}
	}
	return paths, own
}

// readLines gives the lines of a file that say something.
func readLines(files fs.FS, name string) []string {
	if files == nil {
		return nil
	}
	data, err := fs.ReadFile(files, name)
	if err != nil {
		return nil
	}
	var lines []string
	sc := bufio.NewScanner(bytes.NewReader(data))
	for sc.Scan() {
		if line := strings.TrimSpace(sc.Text()); line != "" && !strings.HasPrefix(line, "#") {
			lines = append(lines, line)
		}
	}
	return lines
}

// quote writes a text as a YAML scalar.
func quote(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // text always has a form in JSON
	}
	return string(b)
}

// flow writes the configuration.
func (s *seedConfig) flow(program string, lists map[string]string) string {
	var b strings.Builder
	w := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	w("# The original stream application's config.json as a flow. Run it with")
	w("#   %s worker -f THIS_FILE", program)
	w("worker:")
	w("  bootstrap.servers: %s", quote(s.Bootstrap))
	w("  schema.registry.url: %s", quote(s.Registry))
	w("  key.converter: avro")
	w("  value.converter: avro")
	w("")
	w("connectors:")
	w("  %s:", quote(s.AppName))
	w("    connector.class: stream")
	w("    topics: %s", quote(s.Images))
	w("    topic: %s", quote(s.Stats))
	w("    # Images as the original's publish scripts write them. For those of the ifcb")
	w("    # connector in its own form remove input.value.converter, and write")
	w("    # key: [pid, roi] in keep-best.")
	w("    input.key.converter: string")
	w("    input.value.converter: {class: json, schemas.enable: false}")
	w("    key.converter: {class: avro, subject: ifcb-stats-key, use.latest.version: true}")
	w("    value.converter: {class: avro, subject: ifcb-stats-value, use.latest.version: true}")
	w("    topic.creation.default.partitions: %d", s.Partitions)
	w("    topic.creation.default.replication.factor: -1")
	w("    transforms:")
	classify := []string{"model: " + quote(strings.TrimSuffix(s.Model, ":predict"))}
	if p := lists["classes"]; p != "" {
		classify = append(classify, "labels: "+p)
	}
	w("      - classify: {%s}", strings.Join(classify, ", "))
	w("      - keep-best: {key: [ifcb_id, datetime, roi], score: prob, fields: [name, prob, classifier, classification_time], retention: 30d}")
	w("      - biovolume: {pixels.per.micron: 3.4}")
	var carbon []string
	for _, name := range []string{"diatoms", "hab"} {
		if p := lists[name]; p != "" {
			carbon = append(carbon, name+": "+p)
		}
	}
	w("      # formula: seed gives the original's carbon, whose coefficients are wrong.")
	w("      - carbon: {%s}", strings.Join(carbon, ", "))
	w("      - ifcb-stats: {}")
	return b.String()
}

func sortedNames(m map[string][]string) []string {
	var names []string
	for n := range m {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// writeFlow writes the flow and its lists. What is there is not overwritten.
func writeFlow(cmd *cobra.Command, dir, text string, lists map[string][]string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("--dir: %w", err)
	}
	files := map[string]string{"flow.yaml": text}
	for name, lines := range lists {
		files[name+".txt"] = strings.Join(lines, "\n") + "\n"
	}
	for name, text := range files {
		path := filepath.Join(dir, name)
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("--dir: %s is there already and is not overwritten: name another folder", path)
		}
		if err != nil {
			return fmt.Errorf("--dir: %w", err)
		}
		_, err = f.WriteString(text)
		if err := errors.Join(err, f.Close()); err != nil {
			return err
		}
		fmt.Fprintln(cmd.OutOrStdout(), path)
	}
	return nil
}
