package config

import (
	"cmp"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
)

// Lint says everything that is wrong with a setup: the worker's keys, every
// connector as [Validator] sees it, keys that nobody knows, and files that are
// neither on disk nor among the embedded ones (nil is none).
func Lint(s *Setup, plugins *connector.Registry, embedded fs.FS) []Problem {
	problems := append(slices.Clone(s.Problems), lintWorker(s.Worker, s.Distributed)...)
	problems = append(problems, lintConverters(s.Worker, plugins)...)
	problems = append(problems, lintRepeats("", s.Worker)...)
	worker := s.Worker.Props()
	resolver, err := NewResolver(worker)
	if err != nil {
		for _, line := range strings.Split(err.Error(), "\n") {
			key, _, _ := strings.Cut(line, ": ")
			e, ok := s.Worker.Find(key)
			if !ok {
				e, _ = s.Worker.Find("config.providers")
			}
			problems = append(problems, Problem{File: e.File, Line: e.Line, Message: line})
		}
	}
	if resolver != nil {
		resolver.Embedded = embedded
		problems = append(problems, lintReferences(s.Worker, resolver)...)
		problems = append(problems, lintProviders(s.Worker, resolver)...)
	}
	v := &Validator{Plugins: plugins, Worker: worker, Resolver: resolver}
	if s.sections && !s.Distributed && len(s.Connectors) == 0 && !slices.ContainsFunc(problems, func(p Problem) bool { return !p.Warning }) {
		problems = append(problems, Problem{File: s.Files[0], Message: "there are no connectors: a worker would wait for those made over the REST API", Warning: true, Fails: true})
	}
	for _, c := range s.Connectors {
		problems = append(problems, v.lint(c)...)
		problems = append(problems, lintRepeats(c.Name, c.Entries)...)
	}
	order := map[string]int{}
	for i, f := range s.Files {
		order[f] = i
	}
	slices.SortStableFunc(problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(order[a.File], order[b.File]), cmp.Compare(a.Line, b.Line))
	})
	return Coded(problems)
}

func lintWorker(list List, distributed bool) []Problem {
	var problems []Problem
	note := func(e Entry, warning bool, text string) {
		problems = append(problems, Problem{File: e.File, Line: e.Line, Key: e.Key, Message: text, Warning: warning})
	}
	def := WorkerDef()
	for _, v := range def.Validate(list.Props()) {
		e, given := list.Find(v.Key)
		if !given {
			continue // a default of ours
		}
		if strings.Contains(e.Text, "${") {
			continue
		}
		for _, p := range once(asProblems(v), list.Props()) {
			note(e, false, p.Message)
		}
	}
	var known []string
	for _, k := range def.Keys() {
		known = append(known, k.Name)
	}
	for _, e := range list {
		_, defined := def.Key(e.Key)
		why, clients := workerProperty(e.Key)
		switch {
		case obsolete[e.Key] != "":
			note(e, true, obsolete[e.Key])
		case clients:
			if why != "" {
				note(e, true, why)
			}
		case distributedKey(e.Key):
			if !distributed {
				note(e, true, "is for workers in distributed mode")
			}
		case defined || ofWorker(e.Key):
		default:
			note(e, true, "unknown key"+didYouMean(e.Key, known))
		}
	}
	return problems
}

// lintReferences notes references of the worker's keys that have no value. They
// may have one where the worker runs.
func lintReferences(list List, r *Resolver) []Problem {
	var problems []Problem
	for _, e := range list {
		_, _, p := r.resolve(connector.Props{e.Key: e.Text}, Origin{Dir: filepath.Dir(e.File)})
		for _, x := range p.List() {
			problems = append(problems, Problem{File: e.File, Line: e.Line, Key: e.Key, Warning: true, Fails: true, Here: true,
				Message: strings.TrimPrefix(x.Message, e.Key+": ")})
		}
	}
	return problems
}

// lintProviders notes providers that read whatever the worker can for everyone
// who may send it a connector, as Kafka Connect's do.
func lintProviders(list List, r *Resolver) []Problem {
	var problems []Problem
	for _, name := range r.unlimited() {
		e, _ := list.Find("config.providers")
		problems = append(problems, Problem{File: e.File, Line: e.Line, Key: e.Key, Warning: true,
			Message: fmt.Sprintf("%s has no allow list: a connector made over REST can read all that the worker can; set config.providers.%s.param.%s",
				name, name, r.providers[name].limit)})
	}
	return problems
}

// lintRepeats notes keys that are set more than once, which only Java
// properties and several files can do.
func lintRepeats(name string, list List) []Problem {
	var problems []Problem
	for i, e := range list {
		if j := slices.IndexFunc(list[i+1:], func(x Entry) bool { return x.Key == e.Key }); j >= 0 {
			problems = append(problems, Problem{File: e.File, Line: e.Line, Connector: name, Key: e.Key, Warning: true,
				Message: "has no effect: it is set again in " + list[i+1+j].Place()})
		}
	}
	return problems
}

// lintConverters checks the worker's converters and their keys.
func lintConverters(list List, plugins *connector.Registry) []Problem {
	props := list.Props()
	w := &work{v: &Validator{Plugins: plugins, Worker: props}, raw: props, props: props, report: &Report{}}
	for _, name := range []string{"key", "value", "header"} {
		key, t := name+".converter", connector.ConverterType
		if name == "header" {
			t = connector.HeaderConverterType
		}
		if _, given := props.Text(key); !given {
			continue
		}
		w.add([]connector.Key{{Name: key, Type: connector.ClassKey, Deferred: true}})
		if plugin, _ := w.class(key, t); plugin != nil {
			w.converter(plugin, key+".")
		}
	}
	var known []string
	var problems []Problem
	for _, c := range w.report.Checks {
		known = append(known, c.Def.Name)
	}
	for _, p := range once(w.report.Problems(), props) {
		e, given := list.Find(p.Key)
		if !given {
			e, _ = list.Find(p.Key[:strings.Index(p.Key, ".converter")+len(".converter")])
		}
		if !strings.Contains(e.Text, "${") {
			problems = append(problems, Problem{File: e.File, Line: e.Line, Key: p.Key, Message: p.Message})
		}
	}
	for _, e := range list {
		for _, c := range []string{"key.converter", "value.converter", "header.converter"} {
			checked := slices.ContainsFunc(w.report.Checks, func(x Check) bool { return x.Def.Name == c && x.Value.Value != nil })
			if checked && strings.HasPrefix(e.Key, c+".") && !slices.Contains(known, e.Key) {
				problems = append(problems, Problem{File: e.File, Line: e.Line, Key: e.Key, Warning: true, Message: "unknown key" + didYouMean(e.Key, known)})
			}
		}
	}
	return problems
}

// distributedKey tells that a key belongs to the coordination of a cluster of
// workers, which a single worker does not have.
func distributedKey(key string) bool {
	for _, p := range []string{"config.storage.", "status.storage.", "offset.storage.topic", "offset.storage.replication.factor",
		"offset.storage.partitions", "inter.worker.", "worker.leave.", "scheduled.rebalance.", "worker.sync.", "worker.unsync.", "connect.protocol",
		"session.timeout.ms", "heartbeat.interval.ms", "rebalance.timeout.ms", "exactly.once.source.support"} {
		if strings.HasPrefix(key, p) {
			return true
		}
	}
	return false
}

// Origin gives the origin of a connector that a file holds.
func (c Connector) Origin() Origin { return Origin{Dir: filepath.Dir(c.File)} }

// lint says what is wrong with one connector of a file.
func (v *Validator) lint(c Connector) []Problem {
	props := c.Entries.Props()
	report, err := v.Validate(props, c.Origin())
	var problems []Problem
	note := func(key, text string, warning bool) *Problem {
		p := Problem{File: c.File, Line: c.Line, Connector: c.Name, Key: key, Message: strings.TrimPrefix(text, key+": "), Warning: warning}
		for _, near := range []string{key, chainType(key)} {
			if e, ok := c.Entries.Find(near); ok {
				p.File, p.Line = e.File, e.Line
				break
			}
		}
		problems = append(problems, p)
		return &problems[len(problems)-1]
	}
	lacks := func(key, text string) { // it may be there where the worker runs
		p := note(key, text, true)
		p.Fails, p.Here = true, true
	}
	if err != nil {
		text := "is missing: it says what the connector is, such as stream"
		if class, _ := props.Text("connector.class"); class != "" {
			text = "no source or sink has this name: " + class + v.nearestClass(class)
		}
		note("connector.class", text, false)
	}
	for _, p := range once(report.Problems(), props) {
		if slices.Contains(report.Unresolved, p.Key) {
			lacks(p.Key, p.Message)
			continue
		}
		if p.Key != "connector.class" || err == nil {
			note(p.Key, p.Message, false)
		}
	}
	for _, key := range report.Paths() {
		text, ok := props.Text(key)
		if !ok || v.Resolver == nil || strings.Contains(text, "${") {
			continue
		}
		for _, path := range report.paths(key, text) {
			if v.Resolver.missing(path, c.Origin()) {
				lacks(key, "no such file beside "+c.File+": "+path)
			}
		}
	}
	for _, p := range v.Warnings(report, props) {
		note(p.Key, p.Message, true)
	}
	for _, e := range c.Entries {
		for _, name := range v.Resolver.unknownProviders(e.Text) {
			if n := nearest(name, []string{"env", "file", "dir"}); n != "" {
				note(e.Key, "${"+name+":...} is left as it is, there is no such provider, did you mean "+n+"?", true)
			}
		}
	}
	return problems
}

// once leaves out what says again that something is wrong: a value of the wrong
// type is not null besides, whatever Kafka Connect says, and what is wrong
// between two keys is one mistake.
func once(list []connector.Problem, props connector.Props) []connector.Problem {
	var some []connector.Problem
	for _, p := range list {
		_, given := props.Text(p.Key)
		again := slices.ContainsFunc(some, func(x connector.Problem) bool {
			return x.Message == p.Message || x.Key == p.Key && given && strings.HasPrefix(p.Message, connector.Invalid(p.Key, nil, ""))
		})
		if !again {
			some = append(some, p)
		}
	}
	return some
}

func asProblems(v connector.Value) []connector.Problem {
	list := make([]connector.Problem, len(v.Errors))
	for i, text := range v.Errors {
		list[i] = connector.Problem{Key: v.Key, Message: text}
	}
	return list
}

// chainType gives the key that holds the type of the transform or predicate
// which a key belongs to, "" for other keys.
func chainType(key string) string {
	for _, chain := range []string{"transforms.", "predicates."} {
		if rest, ok := strings.CutPrefix(key, chain); ok {
			alias, _, _ := strings.Cut(rest, ".")
			return chain + alias + ".type"
		}
	}
	return ""
}

func (v *Validator) nearestClass(class string) string {
	infos := append(v.Plugins.List(connector.SourceType), v.Plugins.List(connector.SinkType)...)
	if near := NearestPlugin(class, append(infos, connector.Info{Name: StreamClass})); near != "" {
		return ", did you mean " + near + "?"
	}
	var names []string
	for _, i := range infos {
		names = append(names, i.Name)
	}
	return "; there are " + strings.Join(append(names, StreamClass), ", ")
}

// Warnings gives the keys of a connector that was validated which have no
// effect, each once and with the reason: the nearest key where it is misspelt.
func (v *Validator) Warnings(r *Report, props connector.Props) []connector.Problem {
	if r.Kind == "" {
		return nil // its class is not known, and so its keys are not
	}
	var list []connector.Problem
	for _, key := range sortedKeys(props) {
		if text := v.unknown(r, props, key); text != "" {
			list = append(list, connector.Problem{Key: key, Message: text})
		}
	}
	return list
}

// unknown says why a key has no effect, "" where it has one.
func (v *Validator) unknown(r *Report, props connector.Props, key string) string {
	if role, property, ok := overridden(key); ok {
		return clientProperty(role, property)
	}
	if slices.ContainsFunc(r.Checks, func(c Check) bool { return c.Def.Name == key }) || strings.Contains(key, ".converter.request.header.") {
		return ""
	}
	if r.Kind != "sink" && strings.HasPrefix(key, creation) {
		return creationKey(props, key)
	}
	for _, name := range []string{"key.converter", "value.converter", "header.converter"} {
		if !strings.HasPrefix(key, name+".") {
			continue
		}
		if _, own := props.Text(name); !own {
			return "has no effect: the connector does not set " + name + ", and so uses the worker's with the worker's keys"
		}
	}
	for _, chain := range []string{"transforms", "predicates"} {
		rest, ok := strings.CutPrefix(key, chain+".")
		alias, _, dotted := strings.Cut(rest, ".")
		if !ok || !dotted {
			continue
		}
		switch named := slices.Contains(listOf(props, chain), alias); {
		case !named:
			return "has no effect: " + chain + " does not name " + alias
		case named && !slices.ContainsFunc(r.Checks, func(c Check) bool { return c.Def.Name == chain+"."+alias+".type" && c.Value.Value != nil }):
			return "" // of what keys there are nothing is known: the type's error is enough
		}
	}
	known := make([]string, 0, len(r.Checks))
	for _, c := range r.Checks {
		chain := c.Def.Name == "transforms" || c.Def.Name == "predicates"
		if strings.HasPrefix(key, c.Def.Name+".") && c.Def.Type != connector.ClassKey && !chain {
			return "has no effect: " + c.Def.Name + " is one value and has no keys below it"
		}
		known = append(known, c.Def.Name)
	}
	return "unknown key" + didYouMean(key, known)
}

func listOf(props connector.Props, key string) []string {
	text, _ := props.Text(key)
	var list []string
	for _, s := range strings.Split(text, ",") {
		list = append(list, strings.TrimSpace(s))
	}
	return list
}
