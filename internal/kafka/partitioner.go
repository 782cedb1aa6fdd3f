package kafka

import (
	"encoding/binary"
	"math/rand/v2"

	"github.com/axiom-data-science/hydraulics/connector"
)

// partitioner chooses partitions of one topic as Java's does: by the key's
// murmur2, and without a key one partition until it got a batch's bytes.
type partitioner struct {
	batch int // bytes
	stuck int32
	given int // bytes to stuck
}

func newPartitioner(batch int) partitioner { return partitioner{batch: batch, stuck: -1} }

// partition chooses among n partitions.
func (p *partitioner) partition(m *Message, size, n int) int32 {
	switch {
	case m.Partition != connector.AnyPartition:
		return m.Partition
	case m.Key != nil:
		return int32(int(murmur2(m.Key)&0x7fffffff) % n)
	}
	if p.stuck < 0 || int(p.stuck) >= n || p.given >= p.batch {
		p.stuck, p.given = rand.Int32N(int32(n)), 0
	}
	p.given += size
	return p.stuck
}

// murmur2 is the hash of Kafka's Utils.murmur2.
func murmur2(data []byte) uint32 {
	const (
		m = 0x5bd1e995
		r = 24
	)
	h := 0x9747b28c ^ uint32(len(data))
	for ; len(data) >= 4; data = data[4:] {
		k := binary.LittleEndian.Uint32(data) * m
		k = (k ^ k>>r) * m
		h = h*m ^ k
	}
	switch len(data) {
	case 3:
		h ^= uint32(data[2]) << 16
		fallthrough
	case 2:
		h ^= uint32(data[1]) << 8
		fallthrough
	case 1:
		h = (h ^ uint32(data[0])) * m
	}
	h = (h ^ h>>13) * m
	return h ^ h>>15
}
