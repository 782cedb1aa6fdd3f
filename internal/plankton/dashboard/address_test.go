package dashboard

import (
	"strings"
	"testing"
)

func TestParseAddress(t *testing.T) {
	tests := []struct {
		name, url, dataset string
		want               Address
		bad                string
	}{
		{name: "slash", url: "https://x.example/mvco/", want: Address{Base: "https://x.example", Dataset: "mvco"}},
		{name: "no slash", url: "https://x.example/mvco", want: Address{Base: "https://x.example", Dataset: "mvco"}},
		{name: "feed", url: "http://x.example:8888/mvco/feed.json", want: Address{Base: "http://x.example:8888", Dataset: "mvco"}},
		{name: "tags", url: "http://x.example/mvco:beads", want: Address{Base: "http://x.example", Dataset: "mvco:beads"}},
		{name: "below a path", url: "https://x.example/ifcb/mvco/", want: Address{Base: "https://x.example/ifcb", Dataset: "mvco"}},
		{name: "timeline page", url: "https://x.example/timeline?dataset=mvco&bin=D1", want: Address{Base: "https://x.example", Dataset: "mvco"}},
		{name: "page below a path", url: "https://x.example/ifcb/timeline?dataset=mvco", want: Address{Base: "https://x.example/ifcb", Dataset: "mvco"}},
		{name: "root with query", url: "https://x.example/?dataset=mvco", want: Address{Base: "https://x.example", Dataset: "mvco"}},
		{name: "dataset given", url: "https://x.example", dataset: "mvco", want: Address{Base: "https://x.example", Dataset: "mvco"}},
		{name: "dataset given twice", url: "https://x.example/mvco/", dataset: "mvco", want: Address{Base: "https://x.example", Dataset: "mvco"}},
		{name: "dataset given, below a path", url: "https://x.example/ifcb/", dataset: "mvco", want: Address{Base: "https://x.example/ifcb", Dataset: "mvco"}},
		{name: "none", url: "https://x.example/", bad: "names no dataset"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseAddress(tt.url, tt.dataset)
			if tt.bad != "" {
				if err == nil || !strings.Contains(err.Error(), tt.bad) {
					t.Fatalf("%v, %v", got, err)
				}
				return
			}
			if err != nil || got != tt.want {
				t.Errorf("%v, %v, want %v", got, err, tt.want)
			}
		})
	}
}
