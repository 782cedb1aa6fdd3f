package keepbest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
)

// ConfigDef gives the keys.
func (*Transform) ConfigDef() *connector.ConfigDef {
	return connector.NewConfigDef(
		connector.Key{Name: "key", Type: connector.ListKey, Default: "", Importance: connector.High,
			Doc: "Fields of the value that identify an image. Without any it is the record's key. Records of one image must be in one partition."},
		connector.Key{Name: "policy", Type: connector.StringKey, Default: keepBest, Check: connector.OneOf(keepBest, latest, perModel), Importance: connector.High,
			Doc: "Which classification of an image counts: keep-best, the one with the highest score ever; latest, the one made last, so that a better model's is not held up by the old one's certainty; per-model, the best of each model, which are all kept: a sink's pk.fields must then have the classifier's field too."},
		connector.Key{Name: "model.field", Type: connector.StringKey, Default: "classifier", Check: connector.NotEmpty,
			Doc: "Field that tells models apart, for the policy per-model."},
		connector.Key{Name: "score", Type: connector.StringKey, Default: "prob", Check: connector.NotEmpty,
			Doc: "Field with the number that tells which classification is better."},
		connector.Key{Name: "fields", Type: connector.ListKey, Default: "name,prob,classifier,classification_time",
			Doc: "Fields that make up a classification and are kept together; the score is one of them."},
		connector.Key{Name: "header.prefix", Type: connector.StringKey, Default: "classification.", Check: connector.NotEmpty, Importance: connector.Low,
			Doc: "Headers whose names begin so are part of a classification too, and kept with the fields."},
		connector.Key{Name: "retention", Type: connector.StringKey, Default: "30d", Check: checkRetention,
			Doc: "How long a classification is remembered after it was found, such as 12h, 30d or 8w; forever keeps it without end."},
		connector.Key{Name: "store", Type: connector.StringKey, Default: "keep-best", Check: checkStore, Importance: connector.Low,
			Doc: "Name of the store, part of its changelog topic's name. Another name starts anew."},
	)
}

// Validate checks the lists.
func (*Transform) Validate(conf connector.Config, p *connector.Problems) {
	for _, key := range []string{"key", "fields"} {
		list := conf.List(key)
		for i, f := range list {
			if f == "" || slices.Contains(list[:i], f) {
				p.Add(key, "%s", connector.Invalid(key, list, "a field is empty or there twice"))
				break
			}
		}
	}
	if score := conf.String("score"); score != "" && !slices.Contains(conf.List("fields"), score) {
		p.Add("fields", "%s", connector.Invalid("fields", conf.List("fields"), "it must hold the score, "+score))
	}
}

func checkRetention(_ string, v any) error {
	s, _ := v.(string)
	_, err := parseRetention(s)
	return err
}

// parseRetention reads a duration; 0 is without end. Days and weeks are of 24
// hours and 7 days.
func parseRetention(text string) (time.Duration, error) {
	wrong := fmt.Errorf("expected a time such as 12h, 30d or 8w, or forever")
	if text == "forever" {
		return 0, nil
	}
	unit := time.Duration(0)
	switch {
	case strings.HasSuffix(text, "d"):
		unit = 24 * time.Hour
	case strings.HasSuffix(text, "w"):
		unit = 7 * 24 * time.Hour
	}
	if unit == 0 {
		d, err := time.ParseDuration(text)
		if err != nil || d < time.Second {
			return 0, wrong
		}
		return d, nil
	}
	n, err := strconv.Atoi(text[:len(text)-1])
	if err != nil || n < 1 || n > 36500 {
		return 0, wrong
	}
	return time.Duration(n) * unit, nil
}

// checkStore takes what may be part of a topic's name.
func checkStore(_ string, v any) error {
	s, _ := v.(string)
	if s == "" || len(s) > 100 || strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") != "" {
		return fmt.Errorf("it must be of letters, digits, dots, underscores and dashes")
	}
	return nil
}
