package door

import (
	"net/http"
	"slices"
	"strings"

	"github.com/rs/cors"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime/config"
)

// The keys of what other web pages may do.
const (
	originKey  = "access.control.allow.origin"
	methodsKey = "access.control.allow.methods"
)

// origins say which web pages from elsewhere a browser lets in: those that the
// configuration allows, with the methods that it allows, and no others.
type origins struct {
	cors    *cors.Cors // nil is none
	methods []string
}

func originsOf(c connector.Config) origins {
	allowed := config.SplitList(c.String(originKey))
	if len(allowed) == 0 {
		return origins{}
	}
	o := origins{methods: config.SplitList(strings.ToUpper(c.String(methodsKey)))}
	if len(o.methods) == 0 {
		o.methods = []string{http.MethodGet, http.MethodPost, http.MethodHead} // Kafka Connect's own
	}
	o.cors = cors.New(cors.Options{AllowedOrigins: allowed, AllowedMethods: o.methods, OptionsSuccessStatus: http.StatusOK,
		AllowedHeaders: []string{"Accept", "Authorization", "Content-Type", "X-Requested-With"}})
	return o
}

// guard lets requests pass that no page from elsewhere has made, or one of an
// allowed origin.
func (o origins) guard(next http.Handler) http.Handler {
	foreign := http.NewCrossOriginProtection()
	guarded := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := foreign.Check(r); err != nil && (o.cors == nil || !o.cors.OriginAllowed(r) || !slices.Contains(o.methods, r.Method)) {
			http.Error(w, err.Error()+": "+originKey+" and "+methodsKey+" allow pages from elsewhere", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
	if o.cors == nil {
		return guarded
	}
	return o.cors.Handler(guarded)
}
