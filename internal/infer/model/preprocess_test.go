package model

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"hash/crc32"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func sum(data []byte) string {
	s := sha256.Sum256(data)
	return hex.EncodeToString(s[:])
}

func tensorSum(t *testing.T, p *Preprocessor, file []byte) string {
	t.Helper()
	x := make([]float32, p.Size())
	if err := p.Tensor(x, file); err != nil {
		t.Fatal(err)
	}
	raw := make([]byte, 0, 4*len(x))
	for _, v := range x {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	return sum(raw)
}

// TestPreprocessAsPillow compares with what make_images.py recorded.
func TestPreprocessAsPillow(t *testing.T) {
	data, err := os.ReadFile("testdata/preprocess.json")
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Cases []struct {
			File string
			RGB  string `json:"rgb_f32_sha256"`
			Gray string `json:"gray_96x64_u8_sha256"`
		}
		Nearest map[string][]int `json:"nearest_224"`
	}
	if err := json.Unmarshal(data, &doc); err != nil || len(doc.Cases) < 10 {
		t.Fatalf("%d cases, %v", len(doc.Cases), err)
	}
	color, gray := NewPreprocessor(Manifest{}), NewPreprocessor(Manifest{Input: Input{Height: 96, Width: 64, Channels: 1}})
	for _, c := range doc.Cases {
		t.Run(c.File, func(t *testing.T) {
			file, err := os.ReadFile(filepath.Join("testdata/images", c.File))
			if err != nil {
				t.Fatal(err)
			}
			if got := tensorSum(t, color, file); got != c.RGB {
				t.Errorf("the tensor differs from Pillow's: %s", got)
			}
			pixels := make([]byte, gray.Size())
			if err := gray.Pixels(pixels, file); err != nil {
				t.Fatal(err)
			}
			if got := sum(pixels); got != c.Gray {
				t.Errorf("in gray it differs from Pillow's: %s", got)
			}
		})
	}
	for text, want := range doc.Nearest {
		size, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := nearest(size, 224); !slices.Equal(got, want) {
			t.Errorf("nearest of %d differs from Pillow's", size)
		}
	}
}

// TestNearestOfEverySize compares the tables of all sizes to 1600 with the hash
// of Pillow's.
func TestNearestOfEverySize(t *testing.T) {
	const pillow = "c2d2203d69661c0fd4bf925e8084bf9ceefaf75896b21f6687cbc691c9f4ecec"
	var raw []byte
	for size := 1; size <= 1600; size++ {
		for _, i := range nearest(size, 224) {
			raw = binary.LittleEndian.AppendUint32(raw, uint32(i))
		}
	}
	if got := sum(raw); got != pillow {
		t.Errorf("got %s", got)
	}
}

// TestPreprocessOfTheOriginal: the original's two test images, which are not
// part of this tree, give the tensors that its own code gave.
func TestPreprocessOfTheOriginal(t *testing.T) {
	dir := os.Getenv("HYDRAULICS_IFCB_DATA")
	if dir == "" {
		t.Skip("HYDRAULICS_IFCB_DATA is not set: it names the folder of the real images")
	}
	p := NewPreprocessor(Manifest{})
	for _, c := range []struct{ file, tensor, rgb string }{
		{"D20190728T212639_IFCB104_00002.png", "af3d7298d3015781f6576e0ceed01b92a28a5effa98c1c23e448fa5a4417964d", "ea43092270bf444484808e08e1548f9f63e08a38fc361bc0321c096f70c57777"},
		{"seed_blob_test_image.png", "3d132ac9719f7a24d801f321622d41a7620c855c9091a81793ee2084a5fb828c", "a3d0a13868687ef32fd77d10330c75336de3fc4060bbac3b97f31a147de4a216"},
	} {
		file, err := os.ReadFile(filepath.Join(dir, "images", c.file))
		if err != nil {
			t.Fatal(err)
		}
		if got := tensorSum(t, p, file); got != c.tensor {
			t.Errorf("%s: tensor %s", c.file, got)
		}
		pixels := make([]byte, p.Size())
		if err := p.Pixels(pixels, file); err != nil {
			t.Fatal(err)
		}
		if got := sum(pixels); got != c.rgb {
			t.Errorf("%s: pixels %s", c.file, got)
		}
	}
}

// TestScale: multiplying in float64 by the manifest's 1/255 gives the float32
// quotients that Keras gives, for all levels.
func TestScale(t *testing.T) {
	p := NewPreprocessor(Manifest{Scale: 0.00392156862745098})
	for v, got := range p.table {
		if want := float32(v) / 255; got != want {
			t.Errorf("%d: %g, expected %g", v, got, want)
		}
	}
}

func encoded(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestPreprocessOddImages(t *testing.T) {
	deep := image.NewGray16(image.Rect(0, 0, 3, 2))
	deep.SetGray16(1, 1, color.Gray16{Y: 0x1234})
	p := NewPreprocessor(Manifest{Input: Input{Height: 2, Width: 3, Channels: 1}})
	pixels := make([]byte, p.Size())
	if err := p.Pixels(pixels, encoded(t, deep)); err != nil || pixels[4] != 0x12 {
		t.Errorf("16 bits: %v %v", pixels, err)
	}
	c := image.NewNRGBA(image.Rect(0, 0, 1, 1))
	c.SetNRGBA(0, 0, color.NRGBA{1, 2, 3, 0})
	bgr := NewPreprocessor(Manifest{Input: Input{Height: 1, Width: 1, Order: "BGR"}})
	pixels = make([]byte, 3)
	if err := bgr.Pixels(pixels, encoded(t, c)); err != nil || !bytes.Equal(pixels, []byte{3, 2, 1}) {
		t.Errorf("BGR: %v %v", pixels, err)
	}
	good := encoded(t, deep)
	claim := func(width, height uint32) []byte {
		file := bytes.Clone(good)
		binary.BigEndian.PutUint32(file[16:], width)
		binary.BigEndian.PutUint32(file[20:], height)
		binary.BigEndian.PutUint32(file[29:], crc32.ChecksumIEEE(file[12:29]))
		return file
	}
	for name, file := range map[string][]byte{"empty": nil, "text": []byte("GIF89a"), "cut": good[:len(good)/2], "head only": good[:33], "huge": claim(60_000, 60_000),
		"more than its bytes hold": claim(8000, 8000), "a long side": encoded(t, image.NewGray(image.Rect(0, 0, 1<<16+1, 1)))} {
		if err := p.Pixels(make([]byte, p.Size()), file); err == nil || !strings.Contains(err.Error(), "image") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestNormalised: mean and std are per channel of the input, in its order.
func TestNormalised(t *testing.T) {
	c := image.NewNRGBA(image.Rect(0, 0, 1, 1))
	c.SetNRGBA(0, 0, color.NRGBA{51, 102, 255, 255})
	gray := image.NewGray(image.Rect(0, 0, 1, 1))
	gray.Pix[0] = 51
	for _, filter := range []string{"nearest", "keras-bilinear"} {
		for _, x := range []struct {
			name string
			m    Manifest
			img  image.Image
			want []float32
		}{
			{"RGB", Manifest{Mean: []float64{0.1, 0.2, 0.5}, Std: []float64{0.5, 0.25, 2}}, c, []float32{0.2, 0.8, 0.25}},
			{"BGR", Manifest{Mean: []float64{0.1, 0.2, 0.5}, Input: Input{Order: "BGR"}}, c, []float32{0.9, 0.2, -0.3}},
			{"gray in three", Manifest{Mean: []float64{0.1, 0.2, 0.5}}, gray, []float32{0.1, 0, -0.3}},
			{"one for all", Manifest{Std: []float64{0.5}}, c, []float32{0.4, 0.8, 2}},
			{"one channel", Manifest{Mean: []float64{0.1}, Input: Input{Channels: 1}}, gray, []float32{0.1}},
		} {
			x.m.Input.Height, x.m.Input.Width, x.m.Resize.Filter = 1, 1, filter
			p := NewPreprocessor(x.m)
			got := make([]float32, p.Size())
			if err := p.Tensor(got, encoded(t, x.img)); err != nil {
				t.Fatal(err)
			}
			for i, v := range got {
				if math.Abs(float64(v-x.want[i])) > 1e-6 {
					t.Errorf("%s, %s: %v, expected %v", filter, x.name, got, x.want)
					break
				}
			}
		}
	}
}

// TestThinImage: a side that would be less than a pixel is one.
func TestThinImage(t *testing.T) {
	img := image.NewGray(image.Rect(0, 0, 300, 1))
	p := NewPreprocessor(Manifest{Input: Input{Height: 5, Width: 5, Channels: 1}, Resize: Resize{Filter: "bilinear", KeepAspect: true, Fill: Fill{Value: 9}}})
	pixels := make([]byte, p.Size())
	if err := p.Pixels(pixels, encoded(t, img)); err != nil {
		t.Fatal(err)
	}
	want := bytes.Repeat([]byte{9}, 25)
	clear(want[10:15])
	if !bytes.Equal(pixels, want) {
		t.Errorf("got %v", pixels)
	}
}

// BenchmarkTensor prepares an image of the median size of a bin's.
func BenchmarkTensor(b *testing.B) {
	img := image.NewGray(image.Rect(0, 0, 88, 42))
	for i := range img.Pix {
		img.Pix[i] = byte(150 + i*i%23 + i/97%40)
	}
	var file bytes.Buffer
	if err := png.Encode(&file, img); err != nil {
		b.Fatal(err)
	}
	for _, filter := range filterNames {
		b.Run(filter, func(b *testing.B) {
			p := NewPreprocessor(Manifest{Resize: Resize{Filter: filter}})
			x := make([]float32, p.Size())
			b.ReportAllocs()
			for b.Loop() {
				if err := p.Tensor(x, file.Bytes()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
