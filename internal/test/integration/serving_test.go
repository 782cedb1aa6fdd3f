//go:build integration

package integration

import (
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/axiom-data-science/hydraulics/configs"
	"github.com/axiom-data-science/hydraulics/internal/infer/onnx"
)

// demoManifest describes the demo's model wherever it runs.
const demoManifest = "demo/demo-plankton.yaml"

// serving answers TensorFlow Serving's REST protocol for the demo's model, with
// the engine that runs in the worker's process too: that the numbers travel as
// text is what a flow through it adds.
type serving struct {
	mu      sync.Mutex
	session *onnx.Session
	pixels  int
	outputs int
	served  int // predictions
}

const servingPath = "/v1/models/demo-plankton"

// newServing starts a server and gives the model's URL.
func newServing(t *testing.T) (*serving, string) {
	t.Helper()
	data, err := fs.ReadFile(configs.FS, demoModel)
	check(t, err)
	m, err := onnx.Load(data, onnx.Options{})
	check(t, err)
	h, w, c := m.InputSize()
	s := &serving{session: m.NewSession(), pixels: h * w * c, outputs: m.OutputSize()}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+servingPath, s.status)
	mux.HandleFunc("POST "+servingPath+"/versions/1:predict", s.predict)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return s, server.URL + servingPath
}

func (s *serving) status(w http.ResponseWriter, _ *http.Request) {
	fmt.Fprint(w, `{"model_version_status":[{"version":"1","state":"AVAILABLE","status":{"error_code":"OK","error_message":""}}]}`)
}

func (s *serving) predict(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Instances [][][][]float32 `json:"instances"`
	}
	body, err := io.ReadAll(r.Body)
	if err == nil {
		err = json.Unmarshal(body, &in)
	}
	var rows [][]float32
	for _, image := range in.Instances {
		if err == nil {
			var row []float32
			row, err = s.run(image)
			rows = append(rows, row)
		}
	}
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(w).Encode(map[string]string{"error": err.Error()})
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"predictions": rows}) // the client is gone: nobody to tell
}

func (s *serving) run(image [][][]float32) ([]float32, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	pixels := make([]float32, 0, s.pixels)
	for _, line := range image {
		for _, pixel := range line {
			pixels = append(pixels, pixel...)
		}
	}
	scores := make([]float32, s.outputs)
	if err := s.session.Run(pixels, scores); err != nil {
		return nil, err
	}
	s.served++
	return scores, nil
}

func (s *serving) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.served
}
