package runtime

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/java/regex"
	"github.com/axiom-data-science/hydraulics/internal/kafka"
	"github.com/axiom-data-science/hydraulics/runtime/config"
)

// topicRule says how topics are created: one of topic.creation.groups, or the
// default group, which takes every topic that no other one takes.
type topicRule struct {
	include, exclude []*regex.Regexp
	partitions       int32
	replication      int16
	config           map[string]string
}

const creation = "topic.creation."

// parseTopicRules reads topic.creation.groups and the keys of each group. A
// connector without such keys leaves it to the broker's defaults.
func parseTopicRules(props connector.Props) ([]topicRule, error) {
	fallback, err := parseTopicRule(props, "default", topicRule{partitions: -1, replication: -1})
	if err != nil {
		return nil, err
	}
	var rules []topicRule
	groups, _ := props.Text(creation + "groups")
	for _, name := range config.SplitList(groups) {
		if name == "default" {
			continue
		}
		r, err := parseTopicRule(props, name, fallback)
		if err != nil {
			return nil, err
		}
		if len(r.include) == 0 {
			return nil, connector.Fatal(fmt.Errorf("%s%s.include is missing: a group needs to say which topics it is for", creation, name))
		}
		rules = append(rules, r)
	}
	return append(rules, fallback), nil
}

func parseTopicRule(props connector.Props, group string, fallback topicRule) (topicRule, error) {
	r := topicRule{partitions: fallback.partitions, replication: fallback.replication, config: map[string]string{}}
	prefix := creation + group + "."
	bad := func(key, text, want string) error {
		return connector.Fatal(fmt.Errorf("%s", connector.Invalid(prefix+key, text, want)))
	}
	for key := range props.WithPrefix(prefix) {
		text, ok := props.Text(prefix + key)
		if !ok {
			continue
		}
		text = strings.TrimSpace(text)
		switch key {
		case "include", "exclude":
			list, err := patterns(text)
			if err != nil {
				return r, bad(key, text, err.Error())
			}
			if key == "include" {
				r.include = list
			} else {
				r.exclude = list
			}
		case "partitions", "replication.factor":
			n, err := strconv.ParseInt(text, 10, 16)
			if err != nil || n < -1 || n == 0 {
				return r, bad(key, text, "want -1 for the broker's default, or a number from 1")
			}
			if key == "partitions" {
				r.partitions = int32(n)
			} else {
				r.replication = int16(n)
			}
		default:
			r.config[key] = text
		}
	}
	return r, nil
}

// patterns reads a list of regular expressions that match whole topic names.
func patterns(text string) ([]*regex.Regexp, error) {
	var list []*regex.Regexp
	for _, x := range config.SplitList(text) {
		re, err := regex.Compile(x)
		if err != nil {
			return nil, err
		}
		list = append(list, re)
	}
	return list, nil
}

// specFor gives how to create a topic: by the first rule that takes it.
func specFor(rules []topicRule, topic string) kafka.TopicSpec {
	matches := func(re *regex.Regexp) bool { return re.MatchString(topic) }
	for i, r := range rules {
		last := i == len(rules)-1
		if last || slices.ContainsFunc(r.include, matches) && !slices.ContainsFunc(r.exclude, matches) {
			return kafka.TopicSpec{Name: topic, Partitions: r.partitions, Replication: r.replication, Config: r.config}
		}
	}
	return kafka.TopicSpec{Name: topic, Partitions: -1, Replication: -1}
}
