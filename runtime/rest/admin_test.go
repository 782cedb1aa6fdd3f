package rest

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"testing"
)

// Clauses: K14.
func TestAdminEndpoints(t *testing.T) {
	before := routes
	defer func() { routes = before }()
	routes = append(routes[:len(routes):len(routes)], path("admin/test", map[string]verb{"GET": views(func(*Server, request) (answer, error) {
		return answer{status: http.StatusOK}, nil
	})}))
	with, apart := New(Options{Herder: new(fakeHerder)}), New(Options{Herder: new(fakeHerder), AdminApart: true})
	for name, c := range map[string]struct {
		of           http.Handler
		api, adminOK bool
	}{
		"with the API":         {with, true, true},
		"the API without them": {apart, true, false},
		"by themselves":        {apart.Admin(), false, true},
	} {
		t.Run(name, func(t *testing.T) {
			for path, there := range map[string]bool{"/connectors": c.api, "/": c.api, "/admin/test": c.adminOK, "/%61dmin/test/": c.adminOK, "/administration": false} {
				w := httptest.NewRecorder()
				c.of.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
				if (w.Code == http.StatusOK) != there {
					t.Errorf("%s answers %d", path, w.Code)
				}
			}
		})
	}
}

// Clauses: K3.
func TestLocationOverTLS(t *testing.T) {
	r := httptest.NewRequest("POST", "/connectors", nil)
	r.Host, r.TLS = "sea.example:8443", new(tls.ConnectionState)
	w := httptest.NewRecorder()
	write(w, r, answer{status: http.StatusCreated, location: location("a b")})
	if got := w.Header().Get("Location"); got != "https://sea.example:8443/connectors/a%20b" {
		t.Errorf("it is %s", got)
	}
}
