package registryd

import (
	"context"
	"strconv"
)

// deleteSubject deletes a subject's versions and gives their numbers. The first
// deletion is soft: ids still answer; a permanent one follows it.
func (r *registry) deleteSubject(ctx context.Context, subject string, permanent bool) ([]int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := r.state.live(subject, true)
	if len(all) == 0 {
		return nil, subjectNotFound(subject)
	}
	if err := r.mayWrite(subject); err != nil {
		return nil, err
	}
	left := r.state.live(subject, false)
	if permanent && len(left) > 0 {
		return nil, failf(codeSubjectNotSoftDeleted, "Subject '%s' was not deleted first before being permanently deleted", subject)
	}
	if !permanent && len(left) == 0 {
		return nil, failf(codeSubjectSoftDeleted, "Subject '%s' was soft deleted. Set permanent=true to delete permanently", subject)
	}
	if !permanent {
		all = left
	}
	for _, v := range all {
		if err := r.notReferredTo(subject, v); err != nil {
			return nil, err
		}
	}
	numbers := make([]int, len(all))
	for i, v := range all {
		numbers[i] = v.number
		if err := r.drop(ctx, subject, v, permanent); err != nil {
			return nil, err
		}
	}
	for kind, set := range map[string]map[string]string{keyConfig: r.state.compatibility, keyMode: r.state.modes} {
		if _, ok := set[subject]; ok && permanent {
			if err := r.write(ctx, subjectKey(kind, subject), nil); err != nil {
				return nil, err
			}
		}
	}
	return numbers, nil
}

// deleteVersion deletes one version and gives its number.
func (r *registry) deleteVersion(ctx context.Context, subject, number string, permanent bool) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	v, err := r.version(subject, number, true)
	if err != nil {
		return 0, err
	}
	if number == "latest" || number == "-1" {
		if v, err = r.version(subject, number, permanent); err != nil {
			return 0, err
		}
	}
	text := strconv.Itoa(v.number)
	switch {
	case permanent && !v.deleted:
		return 0, failf(codeVersionNotSoftDeleted, "Subject '%s' Version %s was not deleted first before being permanently deleted", subject, text)
	case !permanent && v.deleted:
		return 0, failf(codeVersionSoftDeleted, "Subject '%s' Version %s was soft deleted. Set permanent=true to delete permanently", subject, text)
	}
	if err := r.mayWrite(subject); err != nil {
		return 0, err
	}
	if err := r.notReferredTo(subject, v); err != nil {
		return 0, err
	}
	return v.number, r.drop(ctx, subject, v, permanent)
}

func (r *registry) notReferredTo(subject string, v version) error {
	if ids := r.state.referrers(subject, v.number); len(ids) > 0 {
		return failf(codeReferenceExists, "One or more references exist to the schema {magic=1,keytype=SCHEMA,subject=%s,version=%d}: ids %v", subject, v.number, ids)
	}
	return nil
}

func (r *registry) drop(ctx context.Context, subject string, v version, permanent bool) error {
	if !permanent {
		return r.write(ctx, schemaKey(subject, v.number), schemaEntry{Subject: subject, Version: v.number, ID: v.schema.id,
			SchemaType: namedType(v.schema.kind), References: v.schema.references, Schema: v.schema.parsed.text(), Deleted: true})
	}
	if err := r.write(ctx, entryKey{Keytype: keyNoop}, noopEntry{NextID: r.state.nextID}); err != nil {
		return err
	}
	return r.write(ctx, schemaKey(subject, v.number), nil)
}
