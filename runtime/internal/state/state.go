// Package state holds the words for what connectors and tasks are doing. They
// are Kafka Connect's, as its REST API and status topic spell them.
package state

// State is what a connector or a task is doing.
type State string

// The states. Done is ours: a task whose source has nothing more to give, ever.
// Kafka Connect has no word for it, see [State.Java].
const (
	Unassigned State = "UNASSIGNED"
	Running    State = "RUNNING"
	Paused     State = "PAUSED"
	Stopped    State = "STOPPED"
	Failed     State = "FAILED"
	Restarting State = "RESTARTING"
	Destroyed  State = "DESTROYED"
	Done       State = "DONE"
)

// Java gives the state in a word that a client of Kafka Connect knows.
func (s State) Java() State {
	if s == Done {
		return Stopped
	}
	return s
}

// Ended tells that a task in this state does nothing any more by itself.
func (s State) Ended() bool {
	return s == Stopped || s == Failed || s == Destroyed || s == Done
}

// Target is what a user wants a connector to do.
type Target string

// The targets. A stopped connector has no tasks, a paused one keeps them.
const (
	TargetStarted Target = "STARTED"
	TargetPaused  Target = "PAUSED"
	TargetStopped Target = "STOPPED"
)

// ParseTarget reads a target as the REST API's initial_state and the config
// topic's state.v2 spell it: STARTED and RUNNING mean the same.
func ParseTarget(text string) (Target, bool) {
	switch text {
	case "STARTED", "RUNNING":
		return TargetStarted, true
	case "PAUSED":
		return TargetPaused, true
	case "STOPPED":
		return TargetStopped, true
	}
	return "", false
}
