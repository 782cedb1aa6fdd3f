package rest

import "net/http"

// TopicTracking says what may be asked of the topics that connectors use.
type TopicTracking struct {
	Off     bool // nothing
	NoReset bool // they may not be reset
}

type topicsBody struct {
	Topics []string `json:"topics"`
}

func getTopics(s *Server, r request) (answer, error) {
	if s.o.Topics.Off {
		return answer{}, failed(http.StatusForbidden, "Topic tracking is disabled.")
	}
	name := r.args[0]
	b := topicsBody{[]string{}}
	b.Topics = append(b.Topics, s.o.Herder.ActiveTopics(name)...)
	return answer{status: http.StatusOK, body: map[string]topicsBody{name: b}}, nil
}

func putTopicsReset(s *Server, r request) (answer, error) {
	switch {
	case s.o.Topics.Off:
		return answer{}, failed(http.StatusForbidden, "Topic tracking is disabled.")
	case s.o.Topics.NoReset:
		return answer{}, failed(http.StatusForbidden, "Topic tracking reset is disabled.")
	}
	s.o.Herder.ResetActiveTopics(r.args[0])
	return answer{status: http.StatusAccepted}, nil
}
