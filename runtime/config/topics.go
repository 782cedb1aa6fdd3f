package config

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/java/regex"
)

// TopicRule says how topics are created: one of topic.creation.groups, or the
// default group, which takes every topic that no other one takes.
type TopicRule struct {
	include, exclude []*regex.Regexp // nil of the default group
	// Partitions and Replication are -1 for the broker's default.
	Partitions  int32
	Replication int16
	// Config are a topic's own keys, such as cleanup.policy.
	Config map[string]string
}

const (
	creation     = "topic.creation."
	defaultGroup = "default"
)

// The keys of a group that are none of the topic.
const (
	groupInclude     = "include"
	groupExclude     = "exclude"
	groupPartitions  = "partitions"
	groupReplication = "replication.factor"
)

// groupDef gives the keys of a group; of the default one they are required, as
// Kafka Connect wants it, but for streams, which it does not know.
func groupDef(prefix string, required bool, fallback TopicRule) *connector.ConfigDef {
	keys := []connector.Key{
		{Name: prefix + groupReplication, Type: connector.ShortKey, Required: required, Check: natural("Replication factor must be positive and not larger than the number of brokers in the Kafka cluster, or -1 to use the broker's default")},
		{Name: prefix + groupPartitions, Type: connector.IntKey, Required: required, Check: natural("Partitions must be positive, or -1 to use the broker's default")},
	}
	if !required {
		keys[0].Default, keys[1].Default = int(fallback.Replication), int(fallback.Partitions)
	}
	if prefix != creation+defaultGroup+"." {
		keys = append(keys, connector.Key{Name: prefix + groupInclude, Type: connector.ListKey, Required: true, Check: javaRegexes},
			connector.Key{Name: prefix + groupExclude, Type: connector.ListKey, Default: "", Check: javaRegexes})
	}
	return connector.NewConfigDef(keys...)
}

// natural is a check for a number from 1, or -1.
func natural(words string) connector.Check {
	return func(key string, v any) error {
		if v == nil || connector.AtLeast(1)(key, v) == nil || connector.Between(-1, -1)(key, v) == nil {
			return nil
		}
		return errors.New(words)
	}
}

func javaRegexes(key string, v any) error {
	list, _ := v.([]string)
	for _, text := range list {
		if err := javaRegex(key, text); err != nil {
			return err
		}
	}
	return nil
}

// TopicRules reads topic.creation.groups and the keys of each group of a source
// or stream: the default group is the last one. A connector without such keys
// leaves it to the broker's defaults.
func TopicRules(kind string, props connector.Props) ([]TopicRule, *connector.Problems) {
	used := false
	for key := range props {
		used = used || strings.HasPrefix(key, creation)
	}
	fallback, problems := TopicRule{Partitions: -1, Replication: -1}, new(connector.Problems)
	fallback = topicRule(props, defaultGroup, used && kind == "source", fallback, problems)
	var rules []TopicRule
	groups, _ := props.Text(creation + "groups")
	for _, name := range SplitList(groups) {
		if name != defaultGroup {
			rules = append(rules, topicRule(props, name, false, fallback, problems))
		}
	}
	return append(rules, fallback), problems
}

func topicRule(props connector.Props, group string, required bool, fallback TopicRule, problems *connector.Problems) TopicRule {
	prefix := creation + group + "."
	c, found := groupDef(prefix, required, fallback).Check(props)
	for _, p := range found.List() {
		problems.Add(p.Key, "%s", p.Message)
	}
	r := TopicRule{Partitions: fallback.Partitions, Replication: fallback.Replication, Config: map[string]string{}}
	if found.Err() == nil {
		r.Partitions, r.Replication = int32(c.Int(prefix+groupPartitions)), int16(c.Int(prefix+groupReplication))
	}
	for key := range props.WithPrefix(prefix) {
		if text, ok := props.Text(prefix + key); ok && !slices.Contains(groupKeys, key) {
			r.Config[key] = strings.TrimSpace(text)
		}
	}
	if found.Err() == nil && group != defaultGroup {
		r.include, r.exclude = patterns(c.List(prefix+groupInclude)), patterns(c.List(prefix+groupExclude))
	}
	return r
}

var groupKeys = []string{groupInclude, groupExclude, groupPartitions, groupReplication}

// patterns compiles regular expressions that were checked.
func patterns(texts []string) []*regex.Regexp {
	var list []*regex.Regexp
	for _, text := range texts {
		if re, err := regex.Compile(text); err == nil {
			list = append(list, re)
		}
	}
	return list
}

// Takes tells whether a topic is one of the rule's, which a whole match of its
// name decides.
func (r TopicRule) Takes(topic string) bool {
	matches := func(re *regex.Regexp) bool { return re.MatchString(topic) }
	return slices.ContainsFunc(r.include, matches) && !slices.ContainsFunc(r.exclude, matches)
}

// creationOn tells whether the worker creates topics at all.
var creationOn = sync.OnceValue(func() *connector.ConfigDef {
	k, _ := WorkerDef().Key("topic.creation.enable")
	return connector.NewConfigDef(k)
})

// topicCreation adds what is wrong with the keys of topic creation.
func (w *work) topicCreation(kind string) {
	c, _ := creationOn().Check(w.v.Worker)
	if kind == "sink" || !c.Bool("topic.creation.enable") {
		return
	}
	_, problems := TopicRules(kind, w.props)
	for _, p := range problems.List() {
		w.fault(p.Key, "%s", p.Message)
	}
}

// creationKey says why a key of topic creation has no effect, "" where it may
// have one: which keys a topic has the broker knows.
func creationKey(props connector.Props, key string) string {
	rest := strings.TrimPrefix(key, creation)
	groups, _ := props.Text(creation + "groups")
	names := append(SplitList(groups), defaultGroup)
	slices.SortFunc(names, func(a, b string) int { return cmp.Compare(len(b), len(a)) }) // a name may begin as another one does
	for _, name := range names {
		own, ok := strings.CutPrefix(rest, name+".")
		switch {
		case !ok:
			continue
		case name == defaultGroup && (own == groupInclude || own == groupExclude):
			return "has no effect: the default group takes every topic that no other group takes"
		case slices.Contains(groupKeys, own):
			return ""
		}
		if text := didYouMean(own, groupKeys); text != "" {
			return "is taken for a key of the topic" + text
		}
		return ""
	}
	name, _, _ := strings.Cut(rest, ".")
	return "has no effect: topic.creation.groups does not name " + name + didYouMean(name, names)
}
