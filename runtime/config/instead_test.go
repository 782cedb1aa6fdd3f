package config

import (
	"strings"
	"testing"

	"github.com/axiom-data-science/hydraulics/connector"
)

// TestInsteadOfOthersTransforms names what to use for a transform that is known
// and not here.
func TestInsteadOfOthersTransforms(t *testing.T) {
	for class, want := range map[string]string{
		"io.debezium.transforms.ByLogicalTableRouter":  "could not be found. Use org.apache.kafka.connect.transforms.RegexRouter",
		"io.confluent.connect.transforms.Filter$Value": "could not be found. Use org.apache.kafka.connect.transforms.Filter with a predicate.",
		"com.example.Mine": "Class com.example.Mine could not be found.",
	} {
		props := connector.Props{"name": "c", "connector.class": "FileStreamSink", "file": "out", "topics": "t", "transforms": "x", "transforms.x.type": class}
		report, err := (&Validator{Plugins: connector.Plugins}).Validate(props, Origin{})
		if err == nil {
			err = report.Err()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", class, err, want)
		}
	}
	// What is named must be there, so that the advice can be followed.
	for class, text := range instead {
		for _, word := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" ,;:", r) }) {
			if !strings.HasPrefix(word, kafkaTransforms) {
				continue
			}
			_, plain := connector.Plugins.Lookup(connector.TransformType, word)
			if _, value := connector.Plugins.Lookup(connector.TransformType, word+"$Value"); !plain && !value {
				t.Errorf("%s: %s is not there", class, word)
			}
		}
	}
}
