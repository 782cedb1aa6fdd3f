package ifcb

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/axiom-data-science/hydraulics/connector"
)

func TestValidate(t *testing.T) {
	good := connector.Props{"topic": "t", "dashboard.url": "https://x.example/mvco"}
	tests := []struct {
		name string
		more connector.Props
		want []string // keys with a problem
	}{
		{"least", nil, nil},
		{"no dataset", connector.Props{"dashboard.url": "https://x.example"}, []string{"dashboard.url"}},
		{"no URL", connector.Props{"dashboard.url": "mvco"}, []string{"dashboard.url"}},
		{"password in URL", connector.Props{"dashboard.url": "https://u:p@x.example/mvco"}, []string{"dashboard.url"}},
		{"station that follows", connector.Props{"start.from": "oldest"}, []string{"start.from"}},
		{"station, all, follows", connector.Props{"start.from": "oldest", "nbins": "-1"}, nil},
		{"station once", connector.Props{"start.from": "oldest", "mode": "once"}, nil},
		{"all", connector.Props{"nbins": "-1"}, nil},
		{"all, newest first", connector.Props{"nbins": "-1", "order": "newest"}, []string{"order"}},
		{"too many newest first", connector.Props{"nbins": "20000"}, []string{"order"}},
		{"neither dashboard nor folder", connector.Props{"dashboard.url": nil}, []string{"dashboard.url"}},
		{"folder", connector.Props{"dashboard.url": nil, "folder": "bins"}, nil},
		{"dashboard and folder", connector.Props{"folder": "bins"}, []string{"folder"}},
		{"datasets of a folder", connector.Props{"dashboard.url": nil, "folder": "bins", "datasets": "a,b"}, []string{"datasets"}},
		{"datasets", connector.Props{"dashboard.url": "https://x.example", "datasets": "a,b"}, nil},
		{"all datasets", connector.Props{"dashboard.url": "https://x.example", "datasets": "*"}, nil},
		{"all datasets and one", connector.Props{"dashboard.url": "https://x.example", "datasets": "*,a"}, []string{"datasets"}},
		{"dataset and datasets", connector.Props{"dashboard.url": "https://x.example", "datasets": "a", "dataset": "b"}, []string{"dataset"}},
		{"dates", connector.Props{"backfill.start": "2019-07-28T21:26:39+00:00", "backfill.end": "2019-07-28T21:26:40Z"}, nil},
		{"a single day", connector.Props{"backfill.start": "2019-07-28", "backfill.end": "2019-07-28"}, nil},
		{"no dates", connector.Props{"backfill.start": "last week", "backfill.end": "28.7.2019"}, []string{"backfill.start", "backfill.end"}},
		{"ends before it begins", connector.Props{"backfill.start": "2019-07-28", "backfill.end": "2019-07-27"}, []string{"backfill.end"}},
		{"several at once", connector.Props{"nbins": "-2", "mode": "maybe", "dashboard.generation": "3"}, []string{"dashboard.generation", "mode", "nbins"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			props := good.Clone()
			for k, v := range tt.more {
				if props[k] = v; v == nil {
					delete(props, k)
				}
			}
			_, problems := connector.CheckPlugin(new(Source), props)
			var got []string
			for _, p := range problems.List() {
				got = append(got, p.Key)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("keys with problems (-want +got):\n%s\n%v", diff, problems.Err())
			}
		})
	}
}
