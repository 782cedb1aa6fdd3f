package broker

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// kfake compacts a partition by deleting its files and writing what is left of
// them anew, on a ticker of its own: whoever kills the process in between has
// lost a topic. So that ticker is off, and the broker compacts by itself: it
// links the files of all partitions into a second folder, compacts, and removes
// the links. Links that are there at start say that the process died in between:
// the partitions are put back as they were. Nothing is appended meanwhile,
// because all this happens while the broker handles one request, ours.
//
// kfake's retention knows no difference between deleted and compacted topics:
// it would drop schemas that are a week old. So nothing is dropped by default,
// and a topic that is made without a word gets its retention as its own.
const (
	linksNew  = "cleaning.new"
	links     = "cleaning"
	linksOld  = "cleaning.old"
	partsDir  = "partitions" // kfake's
	never     = "9000000000000"
	grownBy   = 2       // times the size after the last compaction, as min.cleanable.dirty.ratio=0.5
	leastSize = 4 << 20 // bytes
)

// restoreLinks puts the partitions of an interrupted compaction back.
func restoreLinks(dir string) error {
	for _, d := range []string{linksNew, linksOld} {
		if err := os.RemoveAll(filepath.Join(dir, d)); err != nil {
			return err
		}
	}
	saved, err := os.ReadDir(filepath.Join(dir, links))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, p := range saved {
		to := filepath.Join(dir, logDir, partsDir, p.Name())
		if err := os.RemoveAll(to); err != nil {
			return err
		}
		if err := os.Rename(filepath.Join(dir, links, p.Name()), to); err != nil {
			return err
		}
	}
	return os.Remove(filepath.Join(dir, links))
}

// saveLinks links every file of every partition into the second folder.
func saveLinks(dir string) error {
	from := filepath.Join(dir, logDir, partsDir)
	to := filepath.Join(dir, linksNew)
	// What an earlier run could not remove must not keep dropLinks from its work:
	// links that outlive their compaction would bring old records back.
	if err := errors.Join(os.RemoveAll(to), os.RemoveAll(filepath.Join(dir, linksOld))); err != nil {
		return err
	}
	if err := os.MkdirAll(from, 0o755); err != nil { // there is none before the first record
		return err
	}
	err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.MkdirAll(filepath.Join(to, rel), 0o755)
		}
		return os.Link(path, filepath.Join(to, rel))
	})
	if err != nil {
		return errors.Join(err, os.RemoveAll(to))
	}
	return os.Rename(to, filepath.Join(dir, links))
}

func dropLinks(dir string) error {
	old := filepath.Join(dir, linksOld)
	if err := os.Rename(filepath.Join(dir, links), old); err != nil {
		return err
	}
	return os.RemoveAll(old)
}

// cleanLoop drops what is older than its topic keeps it, and compacts when the
// log has grown enough. Stop ends it.
func (b *Broker) cleanLoop(every time.Duration) {
	defer close(b.cleaned)
	tick := time.NewTicker(every)
	defer tick.Stop()
	size := int64(0)
	for {
		select {
		case <-b.done:
			return
		case <-tick.C:
		}
		b.cluster.ApplyRetention()
		now, err := folderSize(filepath.Join(b.dir, logDir, partsDir))
		if err != nil {
			b.log.Warn("embedded broker: the size of the log is unknown", "error", err)
			continue
		}
		if now < max(b.leastSize, grownBy*size) {
			continue
		}
		if err := b.compactNow(); err != nil {
			b.log.Warn("embedded broker: compaction", "error", err)
			size = now // tried again when it has doubled
			continue
		}
		if size, err = folderSize(filepath.Join(b.dir, logDir, partsDir)); err != nil {
			size = now
		}
	}
}

// folderSize gives the bytes in a folder. Files may go away meanwhile.
func folderSize(dir string) (int64, error) {
	sum := int64(0)
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			var info fs.FileInfo
			if info, err = d.Info(); err == nil {
				sum += info.Size()
			}
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	})
	return sum, err
}

// compactNow asks for a compaction by a request to the broker itself and waits.
func (b *Broker) compactNow() error {
	client, err := kgo.NewClient(kgo.SeedBrokers(b.Addr()))
	if err != nil {
		return err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	result := make(chan error, 1)
	b.wantCompaction.Store(&result)
	if _, err := kmsg.NewPtrListGroupsRequest().RequestWith(ctx, client); err != nil {
		return err
	}
	select {
	case err := <-result:
		return err
	default:
		return fmt.Errorf("the broker did not see the request")
	}
}

// compactAsked compacts on our own request. While it runs the broker handles
// nothing but what this function asks of it.
func (b *Broker) compactAsked(kmsg.Request) (kmsg.Response, error, bool) {
	if result := b.wantCompaction.Swap(nil); result != nil {
		*result <- b.compactLinked()
	}
	return nil, nil, false
}

func (b *Broker) compactLinked() error {
	if b.dir == "" {
		b.cluster.Compact()
		return nil
	}
	if err := saveLinks(b.dir); err != nil {
		return fmt.Errorf("no compaction without a copy: %w", err)
	}
	b.cluster.Compact()
	return dropLinks(b.dir)
}

// retainAsked gives the topics that a request makes the retention of this broker
// where the request says nothing.
func (b *Broker) retainAsked(r kmsg.Request) (kmsg.Response, error, bool) {
	req, ok := r.(*kmsg.CreateTopicsRequest)
	if !ok {
		return nil, nil, false
	}
	for i := range req.Topics {
		t := &req.Topics[i]
		given := map[string]string{}
		for _, c := range t.Configs {
			if c.Value != nil {
				given[c.Name] = *c.Value
			}
		}
		for name, value := range b.retentionOf(given) {
			t.Configs = append(t.Configs, kmsg.CreateTopicsRequestTopicConfig{Name: name, Value: &value})
		}
	}
	return nil, nil, false
}

// retentionOf gives the retention that a new topic with these configurations lacks.
func (b *Broker) retentionOf(given map[string]string) map[string]string {
	if policy := given["cleanup.policy"]; policy != "" && !strings.Contains(policy, "delete") {
		return nil
	}
	missing := map[string]string{}
	for name, value := range map[string]string{"retention.ms": fmt.Sprint(b.retention.Milliseconds()), "retention.bytes": fmt.Sprint(b.retentionBytes)} {
		if _, ok := given[name]; !ok {
			missing[name] = value
		}
	}
	return missing
}
