// Package kafka is how hydraulics talks to Kafka: bytes in, bytes out, over
// sarama, which nothing else imports. A Client has the connections, a Producer
// writes, a GroupConsumer is one member of a consumer group.
//
// Membership is our own on raw group requests, because sarama's ConsumerGroup
// cannot rewind, ends a session when a claim returns, and does not tell whether
// a commit came through.
package kafka
