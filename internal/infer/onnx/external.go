package onnx

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
)

// Weights in files beside the model: exporters write them so beyond 2 GB, and
// PyTorch's newer one always.

// externalEntry reads one StringStringEntryProto of where a tensor's data are.
func (t *rawTensor) externalEntry(b []byte) error {
	var key, value string
	err := each(b, func(f field) (err error) {
		switch f.id {
		case 1:
			key, err = f.text()
		case 2:
			value, err = f.text()
		}
		return err
	})
	if err != nil {
		return err
	}
	switch key {
	case "location":
		t.location = value
	case "offset", "length":
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil || n < 0 {
			return fmt.Errorf("external data: %s: %q is not a number of bytes", key, value)
		}
		if key == "offset" {
			t.offset = n
		} else {
			t.length = n
		}
	}
	return nil
}

// ExternalFiles names the files beside the model that hold weights, in the
// order in which the model first mentions them, as paths with slashes. Most
// models have none.
func ExternalFiles(data []byte) ([]string, error) {
	g, err := parseModel(data, DefaultLimits)
	if err != nil {
		return nil, fmt.Errorf("onnx: %w", err)
	}
	return g.externals, nil
}

// bytesOf gives the size of an element.
func bytesOf(elem int64) int {
	switch elem {
	case elemFloat, elemInt32:
		return 4
	case elemInt64, elemDouble:
		return 8
	case elemHalf:
		return 2
	case elemInt8, elemUint8, elemBool:
		return 1
	}
	return 0
}

// fetch puts the data of an external tensor in its place.
func (l *lowerer) fetch(t *rawTensor) error {
	if !t.external || l.opts.External == nil {
		return nil
	}
	refuse := func(err error) error { return fmt.Errorf("tensor %q: %w", t.name, err) }
	if !fs.ValidPath(t.location) {
		return refuse(fmt.Errorf("its data is in %q, which is no file beside the model", t.location))
	}
	file, ok := l.files[t.location]
	if !ok {
		var err error
		if file, err = l.opts.External(t.location); err != nil {
			return refuse(fmt.Errorf("its data is in a file that must lie beside the model: %w", err))
		}
		l.files[t.location] = file
	}
	want := int64(t.count) * int64(bytesOf(t.elem))
	if t.length == 0 {
		t.length = want
	}
	if want == 0 || t.length != want {
		return refuse(fmt.Errorf("shape %v of %s wants %d bytes, %s is said to hold %d", t.dims, elemNames[t.elem], want, t.location, t.length))
	}
	if t.offset > int64(len(file))-want {
		return refuse(fmt.Errorf("its data ends beyond the end of %s, which has %d bytes", t.location, len(file)))
	}
	t.raw, t.external = slices.Clip(file[t.offset:t.offset+want]), false
	return nil
}

// external notes the file of a tensor.
func (p *parser) external(t *rawTensor) error {
	if !t.external {
		return nil
	}
	if !t.empty() {
		return fmt.Errorf("tensor %q: its data is here and in another file", t.name)
	}
	if t.location != "" && !slices.Contains(p.g.externals, t.location) {
		if len(p.g.externals) == maxExternals {
			return errors.New("weights are in more than " + strconv.Itoa(maxExternals) + " files")
		}
		p.g.externals = append(p.g.externals, t.location)
	}
	return nil
}
