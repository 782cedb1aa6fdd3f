package ifcb_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/png"
	"io"
	"math/rand/v2"
	"net/http"
	"runtime/debug"
	"runtime/metrics"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/embedded/dashboard"
	"github.com/axiom-data-science/hydraulics/internal/plankton/ifcb"
	"github.com/axiom-data-science/hydraulics/internal/test/race"
)

// mostHeap bounds what lies on the heap while a bin of whatever size is read: a batch of images, the bin's table, the
// zip's directory, and that of the server in the same process.
const mostHeap = 64 << 20

// A bin of 500 MB is read in bounded memory. Its zip is made while it is sent.
func TestMemoryForALargeBin(t *testing.T) {
	images, least := 10_000, int64(500<<20)
	if testing.Short() || race.Enabled {
		images, least = 2_000, 100<<20
	}
	picture := noise(t)
	var sent int64
	b := newBins(t, dashboard.Options{Generation: 2}, func(w http.ResponseWriter, r *http.Request) bool {
		stem, isZip := strings.CutSuffix(r.URL.Path, ".zip")
		if isZip {
			var err error
			if sent, err = sendBin(w, stem[strings.LastIndex(stem, "/")+1:], picture, images); err != nil {
				t.Error(err)
			}
		}
		return isZip
	})
	b.take(t, "2024-05-01T10:00:00Z")
	s := start(t, b.props("bins.topic", "bins"), nil)
	before := debug.SetGCPercent(25) // what is counted is in use, but for a little
	t.Cleanup(func() { debug.SetGCPercent(before) })
	most := heapWatch(t)
	given, size := 0, int64(0)
	var told *connector.Struct
	for {
		records, err := s.Poll(t.Context())
		for _, r := range records {
			value := r.Value.(*connector.Struct)
			if r.Topic == "bins" {
				told = value
				continue
			}
			data, _ := value.Get("image")
			given, size = given+1, size+int64(len(data.([]byte)))
		}
		if errors.Is(err, connector.ErrDone) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if heap := most(); heap > mostHeap {
		t.Errorf("%d MB on the heap, want %d at most", heap>>20, mostHeap>>20)
	} else {
		t.Logf("%d images, %d MB; at most %d MB on the heap", given, size>>20, heap>>20)
	}
	status, _ := told.Get("status")
	if given != images || sent < least || size < least || status != "complete" {
		t.Errorf("%d images of %d bytes in a zip of %d, the bin is %v; want %d of %d at least, complete", given, size, sent, status, images, least)
	}
}

// heapWatch samples the size of the heap until the function it gives is called, which tells the largest.
func heapWatch(t *testing.T) (most func() uint64) {
	t.Helper()
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	quit, largest := make(chan struct{}), make(chan uint64, 1)
	go func() { // ends with most
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		peak := uint64(0)
		for {
			metrics.Read(sample)
			peak = max(peak, sample[0].Value.Uint64())
			select {
			case <-tick.C:
			case <-quit:
				largest <- peak
				return
			}
		}
	}()
	stop := sync.OnceFunc(func() { close(quit) })
	t.Cleanup(stop)
	return func() uint64 {
		stop()
		return <-largest
	}
}

// sendBin writes a bin's zip as generation 2 does, stored, with the same picture as every image, and gives its size.
func sendBin(w io.Writer, lid string, picture []byte, images int) (int64, error) {
	id, err := ifcb.ParseBinID(lid)
	if err != nil {
		return 0, err
	}
	size := &countingWriter{Writer: w}
	z := zip.NewWriter(size)
	add := func(name string, data []byte, sum uint32) error {
		entry, err := z.CreateRaw(&zip.FileHeader{Name: name, Method: zip.Store, CRC32: sum,
			CompressedSize64: uint64(len(data)), UncompressedSize64: uint64(len(data))})
		if err == nil {
			_, err = entry.Write(data)
		}
		return err
	}
	var table bytes.Buffer
	for i := range images {
		fmt.Fprintf(&table, "%d,0.1,0.1,0.1,0.1,0.1,0,0,0,0,50,0.1,0.2,100,100,240,225,%d,0,0,0,0,0.2,0.1\n", i+1, i*240*225)
	}
	if err := add(lid+".csv", table.Bytes(), crc32.ChecksumIEEE(table.Bytes())); err != nil {
		return 0, err
	}
	sum := crc32.ChecksumIEEE(picture)
	for i := range images {
		if err := add(id.Target(i+1).String()+".png", picture, sum); err != nil {
			return 0, err
		}
	}
	err = z.Close()
	return size.n, err
}

type countingWriter struct {
	io.Writer
	n int64
}

func (c *countingWriter) Write(p []byte) (int, error) {
	n, err := c.Writer.Write(p)
	c.n += int64(n)
	return n, err
}

// noise is a PNG of 54 kB.
func noise(t *testing.T) []byte {
	t.Helper()
	gray := image.NewGray(image.Rect(0, 0, 240, 225))
	random := rand.New(rand.NewPCG(5, 1))
	for i := range gray.Pix {
		gray.Pix[i] = uint8(random.Uint32())
	}
	var out bytes.Buffer
	if err := png.Encode(&out, gray); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
