// Package distributed makes a worker one of a cluster, as Kafka Connect's distributed
// workers are: what is wanted, source offsets and statuses are in three topics, the
// group of the workers says which of them runs what (package cluster), and its leader
// alone changes what is wanted.
//
// A [Member] is what a herder and a REST API need of that: worker.go has its topics and
// its life, assignment.go what it is assigned, statuses.go what the workers say of
// themselves, peers.go who they are, requests.go what they ask of each other,
// keys.go how they sign it, word.go how one vouches for who asks.
//
// # Goroutines and locks
//
// A member has one goroutine for its group, one that looks after the session key while
// it leads, and one that sees who is in the group; Close ends them. Those of its topics are their own. Its mu guards what
// was assigned, and nothing is called under it.
//
// Nothing of it is promised to those outside the module.
package distributed
