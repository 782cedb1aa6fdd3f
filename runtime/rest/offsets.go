package rest

import (
	"net/http"

	"github.com/axiom-data-science/hydraulics/connector"
)

// offsetBody is one offset: of a source by source partition, of a sink or stream
// by topic and partition. A null offset resets it.
type offsetBody struct {
	Partition map[string]any `json:"partition"`
	Offset    map[string]any `json:"offset"`
}

type offsetsBody struct {
	Offsets []offsetBody `json:"offsets"`
}

type messageBody struct {
	Message string `json:"message"`
}

func getOffsets(s *Server, r request) (answer, error) {
	r.stage("reading the offsets of connector %s", r.args[0])
	list, err := s.o.Herder.Offsets(r.Context(), r.args[0])
	b := offsetsBody{[]offsetBody{}}
	for _, o := range list {
		b.Offsets = append(b.Offsets, offsetBody(o))
	}
	return answer{status: http.StatusOK, body: b}, err
}

func patchOffsets(s *Server, r request) (answer, error) {
	var in struct {
		Offsets []*offsetBody `json:"offsets"`
	}
	if err := read(r, &in); err != nil {
		return answer{}, err
	}
	if len(in.Offsets) == 0 {
		return answer{}, failed(http.StatusBadRequest, "Partitions / offsets need to be provided for an alter offsets request")
	}
	var list []connector.SourceOffset
	for _, o := range in.Offsets {
		if o == nil {
			return answer{}, failed(http.StatusBadRequest, "request body: an entry of offsets is null, want an object of partition and offset")
		}
		list = append(list, connector.SourceOffset(*o))
	}
	r.stage("altering the offsets of connector %s", r.args[0])
	all, err := s.o.Herder.AlterOffsets(r.Context(), r.args[0], list)
	return answer{status: http.StatusOK, body: altered(all, "altered")}, err
}

func deleteOffsets(s *Server, r request) (answer, error) {
	r.stage("resetting the offsets of connector %s", r.args[0])
	all, err := s.o.Herder.ResetOffsets(r.Context(), r.args[0])
	return answer{status: http.StatusOK, body: altered(all, "reset")}, err
}

// altered says what was done, in Kafka Connect's words.
func altered(all bool, how string) messageBody {
	if all {
		return messageBody{"The offsets for this connector have been " + how + " successfully"}
	}
	return messageBody{"The Connect framework-managed offsets for this connector have been " + how + " successfully. However, if this connector " +
		"manages offsets externally, they will need to be manually " + how + " in the system that the connector uses."}
}
