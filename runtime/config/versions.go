package config

import (
	"fmt"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/java/version"
)

// versionRange checks the form of a version or a set of ranges as Maven, and so
// Kafka Connect, writes them: "1.0", "[1.0,2.0)", "(,1.0],[1.2,)".
func versionRange(_ string, v any) error {
	text, given := v.(string)
	if !given {
		return nil
	}
	if _, err := version.Requirement(text); err != nil {
		return connector.Sentence(err.Error())
	}
	return nil
}

// otherVersion is within what Java says of a plugin of another version.
const otherVersion = " which does not match the required version range"

// OtherVersion says that a plugin is not of a version that is required, nil where it
// is. Plugins are compiled into a worker: there is one version of each.
func OtherVersion(i connector.Info, required version.Range) error {
	if required.Has(i.Version) {
		return nil
	}
	return connector.Sentence(fmt.Sprintf("Plugin %s has version %s%s %s", ClassName(i), i.Version, otherVersion, required))
}

// offer makes a plugin's version the default of its version key.
func (w *work) offer(key, version string) {
	c := w.check(key)
	if c == nil {
		return
	}
	c.Def.Default, c.Value.Recommended = version, []any{version}
	if _, given := w.props[key]; !given {
		c.Value.Value = version
	}
}

// workersVersion refuses a converter of the worker whose version is not the one that
// the worker's own key requires.
func (w *work) workersVersion(key string, i connector.Info) {
	text, _ := w.v.Worker.Text(key)
	if required, err := version.Requirement(text); text != "" && err == nil {
		if err := OtherVersion(i, required); err != nil {
			w.fault(key, "the worker's %s: %v: plugins are compiled into the worker: leave it out", key, err)
		}
	}
}

// version offers a plugin's version, and refuses another one, as Kafka Connect does,
// at the keys of both class and version.
func (w *work) version(class, key string, i connector.Info) {
	w.offer(key, i.Version)
	text, given := w.props.Text(key)
	if !given {
		return
	}
	required, err := version.Requirement(text)
	if err != nil {
		return // said of its form
	}
	if err := OtherVersion(i, required); err != nil {
		w.fault(class, "%v: plugins are compiled into the worker: leave %s out", err, key)
		w.fault(key, "%v: plugins are compiled into the worker: leave it out", err)
	}
}
