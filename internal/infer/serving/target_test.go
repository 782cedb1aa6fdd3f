package serving

import (
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for _, c := range []struct {
		url, protocol string
		want          string // protocol, name, version and label
		at            string // version v3 of it
		err           string
	}{
		{"http://h:8501/v1/models/m", "", "tfserving m  ", "http://h:8501/v1/models/m/versions/v3", ""},
		{"http://h:8501/v1/models/m/versions/2:predict", "", "tfserving m 2 ", "http://h:8501/v1/models/m/versions/v3", ""},
		{"http://h/v1/models/m/labels/stable", "", "tfserving m  stable", "http://h/v1/models/m/versions/v3", ""},
		{"http://me:secret@h/versions/x/v1/models/m/?key=/versions/7#x", "", "tfserving m  ", "http://me:secret@h/versions/x/v1/models/m/versions/v3", ""},
		{"https://h/a/v2/models/m/versions/abc/infer", "", "open-inference m abc ", "https://h/a/v2/models/m/versions/v3", ""},
		{"http://h/v1/models/m", "kserve-v1", "kserve-v1 m  ", "http://h/v1/models/m/versions/v3", ""},
		{"grpc://h:8500/m", "", "auto m  ", "grpc://h:8500/m/versions/v3", ""},
		{"grpc://h:8500/m/versions/2", "", "auto m 2 ", "grpc://h:8500/m/versions/v3", ""},
		{"grpc://h:8500/m/labels/new", "", "tfserving m  new", "grpc://h:8500/m/versions/v3", ""},
		{"grpcs://h:8500/v2/models/m/versions/abc", "", "open-inference m abc ", "grpcs://h:8500/v2/models/m/versions/v3", ""},
		{"grpc://h:8500/m/versions/abc", "open-inference", "open-inference m abc ", "grpc://h:8500/m/versions/v3", ""},
		{"grpc://h:8500/m/versions/abc", "", "open-inference m abc ", "grpc://h:8500/m/versions/v3", ""},
		{"grpc://h:8500/m/versions/abc", "tfserving", "", "", "a number but in the protocol open-inference"},
		{"http://h/v1/models/m/versions/abc", "", "", "", "a number but in the protocol open-inference"},
		{"http://h/v1/models/m/versions/abc", "kserve-v1", "", "", "a number but in the protocol open-inference"},
		{"grpc://h:8500/m/versions/", "", "", "", "is not a URL such as"},
		{"grpc://h/m", "", "", "", "has no port"},
		{"http://h/v2/models/m", "tfserving", "", "", "is not an address of the protocol tfserving"},
		{"http://h/v2/models/m/labels/new", "", "", "", "has a label"},
	} {
		t.Run(c.url+" "+c.protocol, func(t *testing.T) {
			got, err := Parse(c.url, c.protocol, "")
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("%v, want %s", err, c.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if is := strings.Join([]string{got.Protocol, got.Name, got.Version, got.Label}, " "); is != c.want {
				t.Errorf("it is %q, want %q", is, c.want)
			}
			if at := got.AtVersion("v3"); at != c.at {
				t.Errorf("version v3 is at %s, want %s", at, c.at)
			}
		})
	}
}
