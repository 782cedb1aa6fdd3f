// Package kafka is how hydraulics talks to Kafka: bytes in, bytes out, over
// sarama, which nothing else imports. A Client has the connections, those of a
// Pool share them, and what is made of it looks up over them; a Producer writes, a
// Member is one member of a group of any kind, a GroupConsumer is one that reads
// partitions, a Hold one that has a group alone.
//
// Membership is our own on raw group requests, because sarama's ConsumerGroup
// cannot rewind, ends a session when a claim returns, and does not tell whether
// a commit came through. membership.go is the group protocol as a machine
// without I/O; member.go and join.go drive it. Offsets are
// committed as whom a member is at that moment (offsets.go).
//
// # Goroutines
//
// A Member has two, for heartbeats and for the join under way; Next starts a
// join, and Close ends both. The join calls Protocols, Assign and, of a
// consumer, the look-up of where to start. A GroupConsumer has one that watches for
// topics, one that measures where partitions end, one for each broker that it fetches
// from, and one while it looks for leaders; Close ends them. A Hold has one that
// takes its member's changes, which Close ends. Everything that an owner
// calls is called from one goroutine, but for Abandon and Forfeit. A call that sarama
// cannot cancel goes on by itself when its context has ended, until a line is cut or
// sarama's time-outs end it.
// A Producer has one for each broker that leads a partition of its topics, one
// while it looks for leaders, and sarama's that reads a connection, which calls
// back; Close ends them. A Follower has one, and one for each broker that leads a
// partition of its topic; Close ends them.
//
// # Locks
//
// A Member's mu guards the machine and what belongs to it; a GroupConsumer's mu
// what its goroutines know of topics and starts. No request is sent and nothing
// of the caller's is called under either, and neither is taken under the other.
// A Hold's mu is held while it commits, so that it releases nothing meanwhile; its
// member's is taken inside.
// A fetcher's mu guards its queue, readers and routes; a wire's is taken inside.
// Three locks are held during requests and guard nothing else: a line's open,
// while connecting, its mu and its wire's being taken inside; a Producer's look,
// while something is found out about a topic, and its naming, while it gets an
// id, its mu being taken inside both. That mu guards all queues and routes.
// A Follower calls its owner under giving, which only its own goroutines take.
// A Pool's mu guards who uses what; it opens under a shared client's opening alone.
// trouble's mu is the innermost: it logs.
package kafka
