package registryd

import (
	"fmt"
	"net/http"
)

// apiError is an answer that is not a success, with Confluent's error codes.
type apiError struct {
	status  int
	Code    int    `json:"error_code"`
	Message string `json:"message"`
}

func (e *apiError) Error() string { return e.Message }

// The error codes, as Confluent documents them; the first three digits are the
// HTTP status.
const (
	codeSubjectNotFound        = 40401
	codeVersionNotFound        = 40402
	codeSchemaNotFound         = 40403
	codeSubjectSoftDeleted     = 40404
	codeSubjectNotSoftDeleted  = 40405
	codeVersionSoftDeleted     = 40406
	codeVersionNotSoftDeleted  = 40407
	codeNoSubjectCompatibility = 40408
	codeNoSubjectMode          = 40409
	codeIncompatible           = 409
	codeInvalidSchema          = 42201
	codeInvalidVersion         = 42202
	codeInvalidCompatibility   = 42203
	codeInvalidMode            = 42204
	codeOperationNotPermitted  = 42205
	codeReferenceExists        = 42206
	codeStore                  = 50001
	codeUnprocessable          = 422
)

func failf(code int, format string, args ...any) *apiError {
	status := code
	if code > 999 {
		status = code / 100
	}
	return &apiError{status: status, Code: code, Message: fmt.Sprintf(format, args...)}
}

// httpError is an answer in the words of the server below the API.
func httpError(status int) *apiError {
	return failf(status, "HTTP %d %s", status, http.StatusText(status))
}

func subjectNotFound(subject string) *apiError {
	return failf(codeSubjectNotFound, "Subject '%s' not found.", subject)
}

func versionNotFound(version string) *apiError {
	return failf(codeVersionNotFound, "Version %s not found.", version)
}

func schemaNotFound() *apiError { return failf(codeSchemaNotFound, "Schema not found") }

func schemaIDNotFound(id int) *apiError {
	return failf(codeSchemaNotFound, "Schema %d not found", id)
}

func storeFailed(err error) *apiError {
	return &apiError{status: http.StatusInternalServerError, Code: codeStore, Message: "Error in the backend data store: " + err.Error()}
}
