package connectortest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
)

// delivery is how often a system that was appended to may hold a record.
type delivery int

const (
	once delivery = iota
	atLeastOnce
)

// compareAppended tells where what is held differs from what was put, in its
// order within each partition.
func compareAppended(held []string, put []connector.Record, item func(connector.Record) string, how delivery) error {
	where := map[string]connector.Origin{}
	missing := map[string]bool{}
	for _, r := range put {
		if text := item(r); text != "" {
			where[text] = r.Origin
			missing[text] = true
		}
	}
	var errs []error
	last := map[int32]int64{}
	for i, text := range held {
		at, known := where[text]
		switch {
		case !known:
			errs = append(errs, fmt.Errorf("item %d of the system is none that was put: %q", i, text))
		case !missing[text] && how == once:
			errs = append(errs, fmt.Errorf("partition %d, offset %d is held twice: %q", at.Partition, at.Offset, text))
		case missing[text]:
			if before, ok := last[at.Partition]; ok && at.Offset < before {
				errs = append(errs, fmt.Errorf("partition %d is out of order: offset %d is held behind offset %d", at.Partition, at.Offset, before))
			}
			last[at.Partition] = at.Offset
		}
		delete(missing, text)
	}
	return errors.Join(append(few(errs), absent(missing, len(where)))...)
}

// compareKeyed tells where what is held differs from the last item of each key.
func compareKeyed(held []string, put []connector.Record, item, key func(connector.Record) string) error {
	want := map[string]string{}
	for _, r := range put {
		delete(want, key(r))
		if text := item(r); text != "" {
			want[key(r)] = text
		}
	}
	count := map[string]int{}
	for _, text := range want {
		count[text]++
	}
	var errs []error
	for i, text := range held {
		if count[text] == 0 {
			errs = append(errs, fmt.Errorf("item %d of the system is not the last of its key, or is held twice: %q", i, text))
			continue
		}
		if count[text]--; count[text] == 0 {
			delete(count, text)
		}
	}
	missing := map[string]bool{}
	for text := range count {
		missing[text] = true
	}
	return errors.Join(append(few(errs), absent(missing, len(want)))...)
}

// few shortens a long list of errors.
func few(errs []error) []error {
	const most = 5
	if len(errs) > most {
		return append(errs[:most:most], fmt.Errorf("and %d more", len(errs)-most))
	}
	return errs
}

// absent says what is lost; nil for nothing.
func absent(missing map[string]bool, of int) error {
	if len(missing) == 0 {
		return nil
	}
	texts := slices.Sorted(maps.Keys(missing))
	shown := texts[:min(len(texts), 5)]
	return fmt.Errorf("%d of %d items are lost: %q", len(texts), of, strings.Join(shown, " | "))
}
