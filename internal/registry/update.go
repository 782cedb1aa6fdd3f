package registry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
)

// Update registers schema files, each under its own subject, whose compatibility
// it sets first: to BACKWARD, or with force to NONE. It logs the id or the error
// of each and goes on to the next; the error names the files that failed.
// Files come after those that they refer to.
func Update(ctx context.Context, c *Client, files []*File, force bool, log *slog.Logger) error {
	u := update{client: c, level: Backward, done: map[*File]Pointer{}}
	if force {
		u.level = None
	}
	var failed []error
	for _, f := range files {
		subject, s, err := u.one(ctx, f)
		if err != nil {
			err = fmt.Errorf("%s: %w", f.Name, err)
			log.Error("schema not registered", "file", f.Name, "subject", subject, "error", err)
			failed = append(failed, err)
			continue
		}
		u.done[f] = Pointer{Subject: subject, Version: s.Version}
		log.Info("schema registered", "file", f.Name, "subject", subject, "id", s.ID, "compatibility", string(u.level))
	}
	return errors.Join(failed...)
}

type update struct {
	client *Client
	level  Compatibility
	done   map[*File]Pointer
}

func (u *update) one(ctx context.Context, f *File) (subject string, s Schema, err error) {
	if subject, err = f.Subject(); err != nil {
		return "", s, err
	}
	draft := Draft{Type: f.Type, Text: f.Text}
	for _, r := range f.refs {
		at, ok := u.done[r.file]
		if !ok {
			return subject, s, fmt.Errorf("it refers to %s, which is not registered", r.file.Name)
		}
		at.Name = r.name
		draft.References = append(draft.References, at)
	}
	if err := u.client.SetCompatibility(ctx, subject, u.level); err != nil {
		return subject, s, err
	}
	s, err = u.client.Publish(ctx, subject, draft)
	return subject, s, err
}
