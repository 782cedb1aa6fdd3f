package offset

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/axiom-data-science/hydraulics/internal/files"
)

// Java's standalone worker keeps its offsets as ObjectOutputStream writes a
// HashMap<byte[],byte[]>: keys and values are JSON, as in the offset topic. Only
// that one class is read: whatever else a stream may hold is refused.
const (
	javaMagic = "\xac\xed\x00\x05"
	// The object, and its class with SUID, flags and fields, which has no superclass.
	javaHashMap = "sr\x00\x11java.util.HashMap\x05\x07\xda\xc1\xc3\x16\x60\xd1\x03\x00\x02" +
		"F\x00\x0aloadFactorI\x00\x09thresholdxp"
	// The class of an array of bytes, the first time.
	javaBytes = "r\x00\x02[B\xac\xf3\x17\xf8\x06\x08\x54\xe0\x02\x00\x00xp"

	// The same class once more: a reference to the third thing of the stream, after
	// the class HashMap and its object. The arrays are those that follow.
	javaBytesAgain  = "q\x00\x7e\x00\x02"
	javaFirstHandle = 0x7e0003

	javaCounts = "w\x08" // a block of data: how many buckets and entries there are
	javaEnd    = "x"

	javaNull, javaReference, javaArray = 'p', 'q', 'u'
)

var errJavaForm = errors.New("not the offsets of a standalone Java worker (a serialised HashMap of byte arrays)")

// ImportJava reads the offset file of Java's standalone worker and writes it as
// a file of ours, to another name or, with the same one, in its place: then
// Java's file is kept beside it with .java behind its name. It gives the number of
// offsets of each connector. It never writes over offsets that are there.
func ImportJava(from, to string) (map[string]int, error) {
	data, err := os.ReadFile(from)
	if err != nil {
		return nil, err
	}
	f, err := lockFile(to)
	if err != nil {
		return nil, err
	}
	counts, err := f.importJava(data, from)
	return counts, errors.Join(err, f.Close())
}

func (f *File) importJava(data []byte, from string) (map[string]int, error) {
	counts := map[string]int{}
	err := readJavaMap(data, func(key, value []byte) error {
		return f.takeJava(key, value, counts)
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", from, err)
	}
	there, err := os.ReadFile(f.name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, err
	case bytes.Equal(there, data):
		if err := keepBeside(f.name+".java", data, f.mode()); err != nil {
			return nil, err
		}
	case len(bytes.TrimSpace(there)) > 0:
		return nil, fmt.Errorf("%s: it is there already, and is not written over: name a new file, or move it away", f.name)
	}
	if err := f.write(f.offsets); err != nil {
		return nil, fmt.Errorf("offset file %s: %w", f.name, err)
	}
	return counts, nil
}

// keepBeside writes a copy of Java's file, unless there is one.
func keepBeside(name string, data []byte, mode fs.FileMode) error {
	there, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return files.Replace(name, data, mode)
	}
	if err == nil && !bytes.Equal(there, data) {
		err = fmt.Errorf("%s: it is there already, and holds something else: move it away", name)
	}
	return err
}

// takeJava takes up one entry. Java forgets an offset by a value of null.
func (f *File) takeJava(key, value []byte, counts map[string]int) error {
	key, err := payload(key)
	if err != nil {
		return fmt.Errorf("key: %w", err)
	}
	name, partition, err := parseKey(string(key))
	if err != nil {
		return err
	}
	ours, err := Key(name, partition)
	if err != nil {
		return err
	}
	if value, err = payload(value); err != nil {
		return fmt.Errorf("offset of %s: %w", ours, err)
	}
	var offset map[string]any
	if err := decode(value, &offset); err != nil {
		return fmt.Errorf("offset of %s: %w", ours, err)
	}
	if offset == nil {
		return nil
	}
	if _, twice := f.offsets[ours]; twice {
		return fmt.Errorf("offset of %s: it is there twice", ours)
	}
	if f.offsets[ours], err = canonical(offset); err != nil {
		return fmt.Errorf("offset of %s: %w", ours, err)
	}
	counts[name]++
	return nil
}

// payload takes off the envelope that JsonConverter made around keys and values
// when internal.key.converter.schemas.enable was true, as it was by default
// before Kafka 2.0.
func payload(data []byte) ([]byte, error) {
	if data == nil {
		return []byte("null"), nil
	}
	if data = bytes.TrimSpace(data); !bytes.HasPrefix(data, []byte("{")) {
		return data, nil
	}
	var envelope map[string]json.RawMessage
	if err := json.Unmarshal(data, &envelope); err != nil {
		return nil, err
	}
	inner, enveloped := envelope["payload"]
	if _, typed := envelope["schema"]; enveloped && typed && len(envelope) == 2 {
		return inner, nil
	}
	return data, nil
}

// readJavaMap calls entry for each key with its value, which may be nil.
func readJavaMap(data []byte, entry func(key, value []byte) error) error {
	r := &javaReader{rest: data}
	if !r.skip(javaMagic) || !r.skip(javaHashMap) {
		return errJavaForm
	}
	r.take(8) // load factor and threshold
	if !r.skip(javaCounts) {
		return errJavaForm
	}
	r.take(4) // buckets
	for n := r.uint32(); n > 0 && r.err == nil; n-- {
		key, value := r.bytes(), r.bytes()
		if r.err != nil {
			break
		}
		if err := entry(key, value); err != nil {
			return err
		}
	}
	if r.err == nil && (!r.skip(javaEnd) || len(r.rest) > 0) {
		r.err = errJavaForm
	}
	return r.err
}

// javaReader reads what is left of a stream until the first error.
type javaReader struct {
	rest   []byte
	arrays [][]byte // by handle, from javaFirstHandle
	err    error
}

func (r *javaReader) skip(text string) (there bool) {
	r.rest, there = bytes.CutPrefix(r.rest, []byte(text))
	return there
}

func (r *javaReader) take(n int) []byte {
	if r.err == nil && n > len(r.rest) {
		r.err = errors.New("the file is cut off")
	}
	if r.err != nil {
		return nil
	}
	taken := r.rest[:n:n]
	r.rest = r.rest[n:]
	return taken
}

func (r *javaReader) uint32() int {
	if b := r.take(4); b != nil {
		return int(binary.BigEndian.Uint32(b))
	}
	return 0
}

// bytes reads an array of bytes, nil for null.
func (r *javaReader) bytes() []byte {
	tag := r.take(1)
	if r.err != nil {
		return nil
	}
	switch tag[0] {
	case javaNull:
		return nil
	case javaReference:
		if i := r.uint32() - javaFirstHandle; i >= 0 && i < len(r.arrays) {
			return r.arrays[i]
		}
	case javaArray:
		if r.skip(javaBytes) || len(r.arrays) > 0 && r.skip(javaBytesAgain) {
			array := r.take(r.uint32())
			r.arrays = append(r.arrays, array)
			return array
		}
	}
	if r.err == nil {
		r.err = errJavaForm
	}
	return nil
}
