package runtime

import (
	"slices"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime/config"
)

// PluginInfo says what a task has for one of its parts.
type PluginInfo struct {
	Role    string // "key converter", "value converter", "header converter", "transform" or "predicate"
	Alias   string // of a transform or predicate
	Class   string
	Version string
}

// note remembers what plugin a part is. Of a stream's converters those that
// write are the last, and count; so does a predicate once, however many
// transforms it is for.
func (p *parts) note(role, alias string, info connector.Info) {
	p.plugins = slices.DeleteFunc(p.plugins, func(x PluginInfo) bool { return x.Role == role && x.Alias == alias })
	p.plugins = append(p.plugins, PluginInfo{Role: role, Alias: alias, Class: config.ClassName(info), Version: info.Version})
}
