package fields

import (
	"errors"
	"testing"
)

func TestCache(t *testing.T) {
	var c Cache[int, int]
	made := 0
	double := func(n int) func() (int, error) {
		return func() (int, error) { made++; return 2 * n, nil }
	}
	for range 2 {
		if v, err := c.Get(21, double(21)); v != 42 || err != nil {
			t.Fatalf("%d, %v", v, err)
		}
	}
	if made != 1 {
		t.Errorf("it was made %d times", made)
	}
	wrong := errors.New("wrong")
	if _, err := c.Get(1, func() (int, error) { return 0, wrong }); !errors.Is(err, wrong) {
		t.Errorf("got %v", err)
	}
	if v, err := c.Get(1, double(1)); v != 2 || err != nil {
		t.Errorf("after an error: %d, %v", v, err)
	}
}

func TestCacheIsBounded(t *testing.T) {
	var c Cache[int, int]
	for n := range 3 * cacheSize {
		if _, err := c.Get(n, func() (int, error) { return n, nil }); err != nil {
			t.Fatal(err)
		}
		if len(c.made) > cacheSize {
			t.Fatalf("%d are kept", len(c.made))
		}
	}
}
