package httpapi

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/tokenwright/tokenwright/authserver/web"
)

// welcome is the answer of GET /.
type welcome struct {
	Name           string            `json:"name" example:"Tokenwright"`
	Message        string            `json:"message"`
	Version        string            `json:"version"`
	Docs           string            `json:"docs,omitempty" doc:"Left out where the pages are turned off" example:"/docs"`
	Authentication string            `json:"authentication"`
	Endpoints      map[string]string `json:"endpoints"`
}

func (s *server) root(context.Context, *struct{}) (*body[welcome], error) {
	w := welcome{
		Name:           "Tokenwright",
		Message:        "Tokenwright authorization server",
		Version:        s.Settings.Version,
		Authentication: "JWT Bearer tokens",
		Endpoints: map[string]string{
			"token":    s.site.Path(pathToken),
			"login":    s.site.Path(pathLogin),
			"register": s.site.Path(pathRegister),
			"refresh":  s.site.Path(pathRefresh),
			"profile":  s.site.Path("/auth/me"),
		},
	}
	if s.Authority == nil {
		w.Message = "Tokenwright resource server"
		w.Endpoints = map[string]string{"public": s.site.Path("/api/public"), "private": s.site.Path("/api/private")}
	}
	if s.Settings.Docs {
		w.Docs = s.site.Path("/docs")
	}
	if s.Settings.Strict {
		delete(w.Endpoints, "login")
	}
	return &body[welcome]{Body: w}, nil
}

type healthy struct {
	Status    string  `json:"status" example:"healthy"`
	Timestamp float64 `json:"timestamp" doc:"Unix seconds"`
}

func health(context.Context) healthy {
	return healthy{Status: "healthy", Timestamp: float64(time.Now().UnixMicro()) / 1e6}
}

type state struct {
	Status string `json:"status" example:"ready"`
}

func live(context.Context) state { return state{"alive"} }

const (
	checkTimeout = 1500 * time.Millisecond
	maxClockSkew = 5 * time.Second
)

// ready asks every part at once and names those that are away.
func (s *server) ready(ctx context.Context, _ *struct{}) (*body[state], error) {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	faults := make([]string, len(s.Checks))
	var wg sync.WaitGroup
	for i, check := range s.Checks {
		wg.Go(func() {
			clock, err := check.Ping(ctx)
			switch {
			case err != nil:
				faults[i] = check.Name + " is away"
			case time.Since(clock).Abs() > maxClockSkew:
				faults[i] = "this server's clock is more than 5 s off that of " + check.Name
			}
		})
	}
	wg.Wait()
	var found []string
	for _, fault := range faults {
		if fault != "" {
			found = append(found, fault)
		}
	}
	if len(found) > 0 {
		return nil, web.NewProblem(http.StatusServiceUnavailable, "Not ready: "+strings.Join(found, "; "))
	}
	return &body[state]{Body: state{"ready"}}, nil
}
