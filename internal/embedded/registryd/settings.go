package registryd

import (
	"net/http"
	"slices"
	"strings"
)

// getConfig gives the compatibility of a subject or the registry.
func (r *registry) getConfig(req *http.Request) (any, error) {
	subject := req.PathValue("subject")
	r.mu.RLock()
	defer r.mu.RUnlock()
	if _, own := r.state.compatibility[subject]; !own && subject != "" && !flag(req, "defaultToGlobal") {
		return nil, failf(codeNoSubjectCompatibility, "Subject '%s' does not have subject-level compatibility configured", subject)
	}
	return configEntry{r.state.level(subject)}, nil
}

func (r *registry) putConfig(req *http.Request) (any, error) {
	var in struct {
		Compatibility string `json:"compatibility"`
	}
	if err := body(req, &in); err != nil {
		return nil, err
	}
	level := strings.ToUpper(in.Compatibility)
	if !slices.Contains(levels, level) {
		return nil, failf(codeInvalidCompatibility, "Invalid compatibility level. Valid values are %s", strings.Join(levels, ", "))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	in.Compatibility = level
	return in, r.write(req.Context(), subjectKey(keyConfig, req.PathValue("subject")), configEntry{level})
}

// deleteConfig gives what was in force before.
func (r *registry) deleteConfig(req *http.Request) (any, error) {
	subject := req.PathValue("subject")
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, own := r.state.compatibility[subject]; !own && subject != "" {
		return nil, subjectNotFound(subject)
	}
	before := configEntry{r.state.level(subject)}
	return before, r.write(req.Context(), subjectKey(keyConfig, subject), nil)
}

func (r *registry) getMode(req *http.Request) (any, error) {
	subject := req.PathValue("subject")
	r.mu.RLock()
	defer r.mu.RUnlock()
	mode, own := r.state.modes[subject]
	if !own && subject != "" {
		if !flag(req, "defaultToGlobal") {
			return nil, failf(codeNoSubjectMode, "Subject '%s' does not have subject-level mode configured", subject)
		}
		mode = r.state.modes[""]
	}
	if mode == "" {
		mode = modeReadWrite
	}
	return modeEntry{mode}, nil
}

func (r *registry) putMode(req *http.Request) (any, error) {
	var in modeEntry
	if err := body(req, &in); err != nil {
		return nil, err
	}
	in.Mode = strings.ToUpper(in.Mode)
	if !slices.Contains([]string{modeReadWrite, modeReadOnly, modeReadOnlyOverride}, in.Mode) {
		return nil, failf(codeInvalidMode, "Invalid mode. Valid values are READWRITE, READONLY, READONLY_OVERRIDE (IMPORT is not offered by the embedded registry)")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return in, r.write(req.Context(), subjectKey(keyMode, req.PathValue("subject")), in)
}

func (r *registry) deleteMode(req *http.Request) (any, error) {
	subject := req.PathValue("subject")
	r.mu.Lock()
	defer r.mu.Unlock()
	mode, own := r.state.modes[subject]
	if !own {
		return nil, subjectNotFound(subject)
	}
	return modeEntry{mode}, r.write(req.Context(), subjectKey(keyMode, subject), nil)
}
