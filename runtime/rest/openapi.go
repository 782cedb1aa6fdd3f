package rest

import (
	_ "embed"
	"encoding/json"
	"net/http"
)

// openAPI describes the API in OpenAPI 3.1. Tests hold it to the routes and to
// the answers of the recordings; make integration has it fuzzed.
//
//go:embed openapi.json
var openAPI []byte

func getOpenAPI(*Server, request) (answer, error) {
	return answer{status: http.StatusOK, body: json.RawMessage(openAPI)}, nil
}
