package model

import (
	"crypto/sha256"
	"encoding/json"
	"image"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPaddingAsPillow compares with what make_padding.py recorded.
func TestPaddingAsPillow(t *testing.T) {
	data, err := os.ReadFile("testdata/padding.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden struct{ Images map[string]map[string]string }
	if err := json.Unmarshal(data, &golden); err != nil || len(golden.Images) < 12 {
		t.Fatalf("%d images, %v", len(golden.Images), err)
	}
	for file, want := range golden.Images {
		data, err := os.ReadFile(filepath.Join("testdata/images", file))
		if err != nil {
			t.Fatal(err)
		}
		for way, sum := range want {
			t.Run(file+" "+way, func(t *testing.T) {
				fill, when, _ := strings.Cut(way, " ")
				m, err := ParseManifest([]byte("resize: {keep_aspect: true, fill: " + fill + ", pad: " + when + "}"))
				if err != nil {
					t.Fatal(err)
				}
				h := sha256.New()
				for _, size := range [][2]int{{64, 64}, {224, 224}, {17, 300}} {
					for _, m.Resize.Filter = range []string{"nearest", "bilinear", "bicubic"} {
						for _, channels := range []int{3, 1} {
							img, err := decode(data, channels)
							if err != nil {
								t.Fatal(err)
							}
							m.Input = Input{Height: size[0], Width: size[1], Channels: channels}
							if when == padBefore || drawn(img, size) {
								addTo(t, h, m, img)
							}
						}
					}
				}
				if got := digest(h); got != sum {
					t.Errorf("got %s, recorded was %s", got, sum)
				}
			})
		}
	}
}

// TestPaddingIsBounded: an image that is small but long is not padded to a
// square of gigabytes.
func TestPaddingIsBounded(t *testing.T) {
	p := NewPreprocessor(Manifest{Resize: Resize{KeepAspect: true, Pad: padBefore}})
	long := encoded(t, image.NewGray(image.Rect(0, 0, 1<<14, 1)))
	if err := p.Tensor(make([]float32, p.Size()), long); err == nil || !strings.Contains(err.Error(), "too large once it is padded to 16384 x 16384") {
		t.Errorf("got %v", err)
	}
}

// TestPreparationOfPadding: how an image is padded counts into the digest of its
// preparation.
func TestPreparationOfPadding(t *testing.T) {
	seen := map[string]string{}
	for _, resize := range []string{"{}", "{fill: 7}", "{keep_aspect: true}", "{keep_aspect: true, pad: before}", "{keep_aspect: true, fill: corners}"} {
		m, err := ParseManifest([]byte("resize: " + resize))
		if err != nil {
			t.Fatal(err)
		}
		m = m.orDefaults()
		if other, ok := seen[m.Preparation()]; ok || m.Preparation() == "" {
			t.Errorf("%s and %s have the preparation %q", resize, other, m.Preparation())
		}
		seen[m.Preparation()] = resize
	}
}
