package kafkatest

import (
	"cmp"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// ModelTopic is the topic of a [Model].
const ModelTopic = "model"

// Model is brokers with one topic, of which a seed says what is in it, and how they
// fail when they are asked for it: connections are cut, leaders move, answers lack
// partitions or the end of a batch, or are damaged. It answers fetches as Kafka
// does (KIP-74), a segment at a time, for readers of what is committed. It is safe
// for concurrent use.
type Model struct {
	Addr []string

	cluster *kfake.Cluster
	mu      sync.Mutex
	rng     *rand.Rand
	logs    []*modelLog
	faults  int
}

// NewModel runs brokers until the test ends. So many fetches fail.
func NewModel(t testing.TB, seed uint64, brokers, partitions, batches, faults int) *Model {
	t.Helper()
	m := &Model{rng: rand.New(rand.NewPCG(seed, 0)), faults: faults}
	var err error
	if m.cluster, err = kfake.NewCluster(kfake.NumBrokers(brokers), kfake.SeedTopics(int32(partitions), ModelTopic)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.cluster.Close)
	m.Addr = m.cluster.ListenAddrs()
	for range partitions {
		l := writeLog(m.rng, batches)
		l.leader, l.there = int32(m.rng.IntN(brokers)), m.rng.IntN(batches)
		m.logs = append(m.logs, l)
	}
	for key, answer := range map[int16]func(kmsg.Request) (kmsg.Response, error){Metadata: m.metadata, ListOffsets: m.offsets, Fetch: m.fetch} {
		m.cluster.ControlKey(key, func(r kmsg.Request) (kmsg.Response, error, bool) {
			m.cluster.KeepControl()
			resp, err := answer(r)
			return resp, err, resp != nil || err != nil
		})
	}
	return m
}

// Records gives what a reader of what is committed is given of a partition.
func (m *Model) Records(partition int32) []ModelRecord { return m.logs[partition].records }

// End gives the offset behind a partition.
func (m *Model) End(partition int32) int64 {
	l := m.logs[partition]
	return l.batches[len(l.batches)-1].last + 1
}

// Grow has so many batches more be there of each partition.
func (m *Model) Grow(batches int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, l := range m.logs {
		l.there = min(l.there+batches, len(l.batches))
	}
}

// Damage has a batch in the middle of a partition, with records that are committed, be
// damaged for good: its checksum or its length does not fit. It gives its first and
// last offset, and is called before anything is read.
func (m *Model) Damage(partition int32, length bool) (first, last int64) {
	l := m.logs[partition]
	for i := len(l.batches) / 2; i < len(l.batches); i++ {
		b := &l.batches[i]
		if !slices.ContainsFunc(l.records, func(r ModelRecord) bool { return r.Offset >= b.first && r.Offset <= b.last }) {
			continue
		}
		b.raw = slices.Clone(b.raw)
		if b.raw[30] ^= 0xff; length {
			b.raw[30] ^= 0xff
			b.raw[9] = 0xff // of four bytes, behind the offset
		}
		return b.first, b.last
	}
	return -1, -1
}

// metadata adds leaders to what the brokers say, of which the first is the controller.
func (m *Model) metadata(r kmsg.Request) (kmsg.Response, error) {
	resp := r.ResponseKind().(*kmsg.MetadataResponse)
	resp.ControllerID = 0
	for i, address := range m.Addr {
		b := kmsg.NewMetadataResponseBroker()
		b.NodeID = int32(i)
		host, port, _ := net.SplitHostPort(address) // it is one of a listener's
		n, _ := strconv.Atoi(port)
		b.Host, b.Port = host, int32(n)
		resp.Brokers = append(resp.Brokers, b)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	t := kmsg.NewMetadataResponseTopic()
	t.Topic = kmsg.StringPtr(ModelTopic)
	for i, l := range m.logs {
		p := kmsg.NewMetadataResponseTopicPartition()
		p.Partition, p.Leader, p.LeaderEpoch, p.Replicas, p.ISR = int32(i), l.leader, l.epoch, []int32{l.leader}, []int32{l.leader}
		t.Partitions = append(t.Partitions, p)
	}
	resp.Topics = append(resp.Topics, t)
	return resp, nil
}

func (m *Model) offsets(r kmsg.Request) (kmsg.Response, error) {
	resp := r.ResponseKind().(*kmsg.ListOffsetsResponse)
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, in := range r.(*kmsg.ListOffsetsRequest).Topics {
		t := kmsg.NewListOffsetsResponseTopic()
		t.Topic = in.Topic
		for _, asked := range in.Partitions {
			p := kmsg.NewListOffsetsResponseTopicPartition()
			if p.Partition, p.Offset = asked.Partition, 0; asked.Timestamp == -1 {
				p.Offset = m.logs[asked.Partition].stable()
			}
			t.Partitions = append(t.Partitions, p)
		}
		resp.Topics = append(resp.Topics, t)
	}
	return resp, nil
}

// fetch answers a fetch, or fails.
func (m *Model) fetch(r kmsg.Request) (kmsg.Response, error) {
	req, resp := r.(*kmsg.FetchRequest), r.ResponseKind().(*kmsg.FetchResponse)
	m.mu.Lock()
	defer m.mu.Unlock()
	fault := m.fault()
	switch fault {
	case "cut":
		return nil, io.ErrUnexpectedEOF
	case "throttled":
		resp.ThrottleMillis = 2
		return resp, nil
	case "move":
		l := m.logs[m.rng.IntN(len(m.logs))]
		l.leader, l.epoch = int32(m.rng.IntN(len(m.Addr))), l.epoch+1
	}
	left, given := int(req.MaxBytes), false
	for _, in := range req.Topics {
		t := kmsg.NewFetchResponseTopic()
		t.Topic = in.Topic
		for _, asked := range in.Partitions {
			if fault == "missing" && m.rng.IntN(2) == 0 {
				continue
			}
			p := m.partition(asked, min(left, int(asked.PartitionMaxBytes)), !given)
			if fault == "refused" && p.ErrorCode == 0 && m.rng.IntN(2) == 0 {
				p.ErrorCode, p.RecordBatches = []int16{-1, 3, 5, 6, 9, 56, 74, 75, 78}[m.rng.IntN(9)], nil
			}
			if fault == "damaged" && len(p.RecordBatches) > 30 {
				p.RecordBatches[30] ^= 0xff // what the checksum of each format covers
			}
			left -= min(left, len(p.RecordBatches))
			given = given || len(p.RecordBatches) > 0
			t.Partitions = append(t.Partitions, p)
		}
		resp.Topics = append(resp.Topics, t)
	}
	if !given {
		resp.ThrottleMillis = 2 // in place of a wait
	}
	return resp, nil
}

// fault gives what is wrong with an answer. mu is held.
func (m *Model) fault() string {
	if m.faults == 0 || m.rng.IntN(3) > 0 {
		return ""
	}
	m.faults--
	return []string{"cut", "throttled", "move", "missing", "refused", "damaged"}[m.rng.IntN(6)]
}

// partition gives what there is of a partition: a batch that is larger than what is
// left only where nothing was given yet, else a part of it. mu is held.
func (m *Model) partition(asked kmsg.FetchRequestTopicPartition, left int, whole bool) kmsg.FetchResponseTopicPartition {
	p := kmsg.NewFetchResponseTopicPartition()
	p.Partition, p.RecordBatches = asked.Partition, []byte{}
	l := m.logs[asked.Partition]
	switch {
	case l.leader != m.cluster.CurrentNode():
		p.ErrorCode = 6
	case asked.CurrentLeaderEpoch < l.epoch:
		p.ErrorCode = 74
	case asked.CurrentLeaderEpoch > l.epoch:
		p.ErrorCode = 75
	case asked.FetchOffset > l.end() || asked.FetchOffset < 0:
		p.ErrorCode = 1
	}
	if p.HighWatermark, p.LastStableOffset, p.LogStartOffset = l.end(), l.stable(), 0; p.ErrorCode != 0 {
		return p
	}
	from := slices.IndexFunc(l.batches[:l.there], func(b modelBatch) bool { return b.last >= asked.FetchOffset })
	if from < 0 {
		return p
	}
	upTo := asked.FetchOffset
	for _, b := range l.batches[from:l.there] {
		if b.segment != l.batches[from].segment || b.last >= l.stable() {
			break
		}
		if len(p.RecordBatches)+len(b.raw) > left && (!whole || len(p.RecordBatches) > 0) {
			p.RecordBatches = append(p.RecordBatches, b.raw[:max(left-len(p.RecordBatches), 0)]...)
			break
		}
		p.RecordBatches, upTo = append(p.RecordBatches, b.raw...), b.last
	}
	for _, a := range l.aborted {
		if a.first <= upTo && a.last >= asked.FetchOffset {
			t := kmsg.NewFetchResponseTopicPartitionAbortedTransaction()
			t.ProducerID, t.FirstOffset = a.producer, a.first
			p.AbortedTransactions = append(p.AbortedTransactions, t)
		}
	}
	m.rng.Shuffle(len(p.AbortedTransactions), func(i, j int) {
		p.AbortedTransactions[i], p.AbortedTransactions[j] = p.AbortedTransactions[j], p.AbortedTransactions[i]
	})
	return p
}

func sortRecords(list []ModelRecord) {
	slices.SortFunc(list, func(a, b ModelRecord) int { return cmp.Compare(a.Offset, b.Offset) })
}
