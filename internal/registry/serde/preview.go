package serde

import (
	"context"
	"fmt"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/registry"
)

// wouldRegister is Register in a preview: it looks the schema up, and of one that is
// not there it tells that it would be registered. Its id is 0 then.
func (s *Schemas[R, W]) wouldRegister(ctx context.Context, subject, text string) (registry.Schema, error) {
	got, err := s.client.Lookup(ctx, subject, text)
	if connector.KindOf(err) != connector.KindData {
		return got, err
	}
	newest, err := s.client.Latest(ctx, subject)
	switch {
	case connector.KindOf(err) == connector.KindData: // the subject is new
	case err != nil:
		return got, err
	default:
		fits, err := s.client.Compatible(ctx, subject, text)
		if err != nil {
			return got, err
		}
		if !fits {
			return got, connector.Data(fmt.Errorf("subject %s: the schema is not compatible with version %d, and the registry would refuse it: change it, or the subject's compatibility", subject, newest.Version))
		}
	}
	s.preview.Would(connector.Effect{Does: fmt.Sprintf("register version %d of subject %s", newest.Version+1, subject), Text: text})
	return registry.Schema{Text: text}, nil
}
