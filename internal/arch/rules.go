package arch

import (
	"slices"
	"strings"
)

// rule allows or forbids an import.
type rule struct {
	text   string
	allows func(p Package, imported string) bool
}

// within tells whether a package of the module is in one of these folders.
func within(path string, folders ...string) bool {
	return slices.ContainsFunc(folders, func(f string) bool { return path == f || strings.HasPrefix(path, f+"/") })
}

// own gives the path within the module of an import, and whether it is one.
func own(imported string) (string, bool) { return strings.CutPrefix(imported, Module+"/") }

// standard tells whether an import is of the standard library.
func standard(imported string) bool {
	first, _, _ := strings.Cut(imported, "/")
	return !strings.Contains(first, ".")
}

// forTests are packages that only tests, and each other, import.
var forTests = []string{"internal/test", "internal/arch", "connector/connectortest"}

// plugins are the folders of plugins.
var plugins = []string{"connectors", "transforms", "converter"}

// leaf tells whether a package is a leaf library. The files that are part of
// the program are one too.
func leaf(path string) bool {
	return within(path, "configs") || within(path, "internal") && !within(path, append([]string{"internal/kafka", "internal/embedded", "internal/external", "internal/scaffold"}, forTests...)...)
}

// plugin gives the package of a plugin that a path is in: connectors/ifcb.
func plugin(path string) string {
	parts := strings.SplitN(path, "/", 3)
	if len(parts) < 2 || !within(path, plugins...) {
		return ""
	}
	return parts[0] + "/" + parts[1]
}

// home forbids an outside client anywhere but in some packages.
func home(client string, folders ...string) rule {
	return rule{client + " is for " + strings.Join(folders, ", ") + " alone", func(p Package, imported string) bool {
		return !within(imported, client) || within(p.Path, folders...)
	}}
}

var rules = []rule{
	{"connector imports the standard library only", func(p Package, imported string) bool {
		return p.Path != "connector" || standard(imported)
	}},
	{"a leaf library imports the standard library, its client, connector and other leaves", func(p Package, imported string) bool {
		path, ours := own(imported)
		return !leaf(p.Path) || !ours || path == "connector" || leaf(path)
	}},
	{"a plugin imports connector and leaves, and no other plugin", func(p Package, imported string) bool {
		path, ours := own(imported)
		if plugin(p.Path) == "" || !ours || strings.HasSuffix(p.Path, "/all") {
			return true
		}
		return within(path, "connector") && !within(path, forTests...) || leaf(path) || plugin(path) == plugin(p.Path)
	}},
	{"runtime/config, offset and state do not import their parent", func(p Package, imported string) bool {
		path, _ := own(imported)
		return !within(p.Path, "runtime/config", "runtime/offset", "runtime/state") || !within(path, "runtime") || within(path, "runtime/config", "runtime/offset", "runtime/state")
	}},
	{"runtime is below herder, rest, metric, page and cli", func(p Package, imported string) bool {
		path, _ := own(imported)
		return !within(path, "runtime/herder", "runtime/rest", "runtime/metric", "runtime/page", "runtime/cli") || within(p.Path, "runtime/herder", "runtime/rest", "runtime/metric", "runtime/page", "runtime/cli", "cmd", "examples", "internal/test/integration", "internal/test/bench")
	}},
	{"herder is below rest, metric, page and cli", func(p Package, imported string) bool {
		path, _ := own(imported)
		return p.Path != "runtime/herder" || !within(path, "runtime/rest", "runtime/metric", "runtime/page", "runtime/cli")
	}},
	{"rest, metric and page do not import each other or cli", func(p Package, imported string) bool {
		path, ours := own(imported)
		sites := []string{"runtime/rest", "runtime/metric", "runtime/page"}
		return !ours || !within(p.Path, sites...) || path == p.Path || !within(path, append(sites, "runtime/cli")...)
	}},
	{"the runtime knows no plugin", func(p Package, imported string) bool {
		path, _ := own(imported)
		return !within(p.Path, "runtime") || plugin(path) == ""
	}},
	{"only the runtime and its command line talk to Kafka", func(p Package, imported string) bool {
		path, _ := own(imported)
		return path != "internal/kafka" || within(p.Path, append([]string{"runtime", "cmd", "internal/kafka"}, forTests...)...)
	}},
	{"embedded servers are for cmd and tests", func(p Package, imported string) bool {
		path, _ := own(imported)
		return !within(path, "internal/embedded") || within(p.Path, append([]string{"cmd", "internal/embedded"}, forTests...)...)
	}},
	{"the packages that register everything are for cmd", func(p Package, imported string) bool {
		path, _ := own(imported)
		return plugin(path) == "" || !strings.HasSuffix(path, "/all") || within(p.Path, "cmd")
	}},
	{"what is for tests is not in the program", func(p Package, imported string) bool {
		path, ours := own(imported)
		return !ours || !within(path, forTests...) || within(p.Path, forTests...)
	}},
	{"pgx is for internal/pg and those who import it", func(p Package, imported string) bool {
		_, importer := p.Imports[Module+"/internal/pg"]
		return !within(imported, "github.com/jackc/pgx/v5") || p.Path == "internal/pg" || importer || within(p.Path, forTests...)
	}},
	home("github.com/IBM/sarama", "internal/kafka", "internal/test/integration", "internal/test/bench"),
	home("github.com/twmb/franz-go", "internal/embedded/broker", "internal/test/kafkatest", "internal/test/integration"),
	home("github.com/riferrei/srclient", "internal/registry", "internal/avro"),
	home("github.com/knadh/koanf", "runtime/config"),
	home("github.com/prometheus", "runtime/metric"),
	home("google.golang.org/grpc", "internal/infer/serving"),
	home("github.com/spf13/cobra", "runtime/cli", "cmd", "examples"),
	{"what commands do knows no command line", func(p Package, imported string) bool {
		return !within(p.Path, "cmd/hydraulics/internal") || !within(imported, "github.com/spf13")
	}},
	{"commands know plugins by their names", func(p Package, imported string) bool {
		path, _ := own(imported)
		return !within(p.Path, "cmd") || plugin(path) == "" || strings.HasSuffix(path, "/all")
	}},
}
