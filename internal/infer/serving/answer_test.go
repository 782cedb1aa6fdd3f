package serving

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protowire"
)

// floatTensor is a TensorProto or its answer's output, as a server would send it.
func floatTensor(shape []int, fields ...[]byte) []byte {
	var dims []byte
	for _, n := range shape {
		dims = appendMessage(dims, 2, appendNumber(nil, 1, uint64(n)))
	}
	return append(appendMessage(appendNumber(nil, 1, 1), 2, dims), slices.Concat(fields...)...)
}

func predicted(tensor []byte) []byte {
	return appendMessage(nil, 1, appendMessage(appendText(nil, 1, "p"), 2, tensor))
}

// one and half are 1 and 0.5 as float32.
var one, half = []byte{0, 0, 128, 63}, []byte{0, 0, 0, 63}

func TestPredictAnswer(t *testing.T) {
	single := func(v uint32) []byte {
		return protowire.AppendFixed32(protowire.AppendTag(nil, 5, protowire.Fixed32Type), v)
	}
	for _, c := range []struct {
		name   string
		answer []byte
		n      int
		rows   [][]float32
		want   string
	}{
		{"content", predicted(floatTensor([]int{2, 1}, appendMessage(nil, 4, slices.Concat(one, half)))), 2, [][]float32{{1}, {0.5}}, ""},
		{"packed", predicted(floatTensor([]int{1, 2}, appendMessage(nil, 5, slices.Concat(one, half)))), 1, [][]float32{{1, 0.5}}, ""},
		{"not packed", predicted(floatTensor([]int{1, 2}, single(0x3f800000), single(0x3f000000))), 1, [][]float32{{1, 0.5}}, ""},
		{"shortened", predicted(floatTensor([]int{1, 3}, single(0x3f000000))), 1, [][]float32{{0.5, 0.5, 0.5}}, ""},
		{"another number of rows", predicted(floatTensor([]int{2, 1}, appendMessage(nil, 4, slices.Concat(one, half)))), 1, nil, "2 predictions for 1 images"},
		{"too few bytes", predicted(floatTensor([]int{1, 2}, appendMessage(nil, 4, one))), 1, nil, "has 1 values and the shape [1 2]"},
		{"too many", predicted(floatTensor([]int{1, 1}, appendMessage(nil, 4, slices.Concat(one, one)))), 1, nil, "has 2 values and the shape [1 1]"},
		{"torn bytes", predicted(floatTensor([]int{1, 1}, appendMessage(nil, 4, one[:3]))), 1, nil, "3 bytes are no list of FP32"},
		{"huge shape", predicted(floatTensor([]int{1, 1 << 40}, appendMessage(nil, 4, one))), 1, nil, "impossible shape"},
		{"negative shape", predicted(floatTensor([]int{1, -5}, appendMessage(nil, 4, one))), 1, nil, "impossible shape"},
		{"no outputs", nil, 1, nil, "no outputs"},
		{"no message", []byte("<html>"), 1, nil, "no message of this protocol"},
		{"two outputs", append(predicted(floatTensor([]int{1, 1}, appendMessage(nil, 4, one))), predicted(floatTensor([]int{1, 1}, appendMessage(nil, 4, one)))...), 1, nil, "2 outputs and none is called probabilities"},
	} {
		got, err := predictAnswer(c.answer, c.n)
		if c.want != "" {
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %v", c.name, err)
			}
		} else if diff := cmp.Diff(c.rows, got.Rows); err != nil || diff != "" {
			t.Errorf("%s: %v %s", c.name, err, diff)
		}
	}
}

// TestNoCopy: what a request sends of an image is the memory of the image.
func TestNoCopy(t *testing.T) {
	img, err := NewImage(4096, func(b []byte) ([]byte, error) { return append(b, make([]byte, 4096)...), nil })
	if err != nil {
		t.Fatal(err)
	}
	sent, err := rawCodec{}.Marshal(message([]byte("head"), []Image{img, img}, "", ""))
	if err != nil {
		t.Fatal(err)
	}
	if len(sent) != 3 || &sent[1].ReadOnlyData()[0] != &img.ReadOnlyData()[0] || &sent[2].ReadOnlyData()[0] != &img.ReadOnlyData()[0] {
		t.Error("the image was copied")
	}
	sent.Free()
	img.Free()
}

func TestLabels(t *testing.T) {
	want := []string{"a", "b c"}
	for _, v := range []any{[]any{"a", "b c"}, `["a","b c"]`, "a, b c", "a\nb c\n", map[string]any{"string_param": "a,b c"}} {
		if got := labels(v); !slices.Equal(got, want) {
			t.Errorf("%v: %q", v, got)
		}
	}
	for _, v := range []any{nil, 3.0, []any{1.0}, ""} {
		if got := labels(v); got != nil {
			t.Errorf("%v: %q", v, got)
		}
	}
}

// FuzzAnswers: whatever a server answers is an answer of the right shape or an error.
func FuzzAnswers(f *testing.F) {
	f.Add(predicted(floatTensor([]int{1, 2}, appendMessage(nil, 5, slices.Concat(one, half)))), "")
	f.Add([]byte(`{"model_version":"1","outputs":[{"name":"p","datatype":"FP32","shape":[1,2],"data":[[1,NaN]]}]}`), "")
	f.Add([]byte(`{"outputs":[{"name":"p","datatype":"FP32","shape":[1,1],"parameters":{"binary_data_size":4}}]}1234`), "94")
	f.Add([]byte(`{"predictions":[{"probabilities":[1,0]}]}`), "9")
	f.Add(appendMessage(appendMessage(nil, 5, appendMessage(appendText(appendText(nil, 1, "p"), 2, Float32), 3, []byte{1, 1})), 6, one), "")
	f.Fuzz(func(t *testing.T, data []byte, head string) {
		check := func(rows [][]float32, err error) {
			if err != nil {
				return
			}
			if len(rows) != 1 || len(rows[0]) == 0 || len(rows[0]) > maxAnswer/4 {
				t.Errorf("%d rows", len(rows))
			}
		}
		a, err := predictAnswer(data, 1)
		check(a.Rows, err)
		a, err = openMessage(data, 1)
		check(a.Rows, err)
		a, err = openAnswer(answered{http.Header{headLength: {head}}, data}, 1)
		check(a.Rows, err)
		list, err := predictions(data)
		for _, row := range list {
			check([][]float32{row}, err)
		}
		_, _ = openMetadata(data)
		_, _, _ = versionStates(data)
		_ = signatures(data, new(Description))
	})
}
