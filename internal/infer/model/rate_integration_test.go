//go:build integration

package model

import (
	"bytes"
	"fmt"
	"image"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/axiom-data-science/hydraulics/internal/test/wait"
)

// rate is images per second, and milliseconds of the client's CPU per image.
type rate struct{ images, cpu float64 }

// TestServingRate compares the client with a minimal one in Python on the same
// server, in turns. The one in Python sends a tensor that it has; this one
// decodes, scales and encodes a PNG for each image. It reports, and fails only
// where an answer is wrong: a rate on a machine with other work proves nothing.
func TestServingRate(t *testing.T) {
	at, python := servers(t), os.Getenv("HYDRAULICS_SERVING_PYTHON")
	if python == "" {
		t.Skip("HYDRAULICS_SERVING_PYTHON is not set: it names the Python that has the model servers' packages")
	}
	rounds := 7
	for _, c := range []struct{ protocol, server, path string }{
		{"open-inference", "grpc", "/v2/models/ifcb-densenet"},
		{"tfserving", "tfs-grpc", "/v1/models/ifcb-densenet"},
	} {
		for _, shape := range []struct{ batch, clients int }{{1, 1}, {8, 2}} {
			const images = 480
			var ours, theirs []rate
			for range rounds {
				theirs = append(theirs, pythonRate(t, python, c.protocol, at[c.server], shape.batch, shape.clients, images))
				ours = append(ours, ownRate(t, "grpc://"+at[c.server]+c.path, shape.batch, shape.clients, images))
			}
			var ratios []float64
			for i := range ours {
				ratios = append(ratios, ours[i].images/theirs[i].images)
			}
			images1, cpu1 := spread(ours)
			images2, cpu2 := spread(theirs)
			t.Logf("%s gRPC, batch %d, %d at once: hydraulics %s images/s, %s ms CPU/image; Python %s images/s, %s ms CPU/image; ratio of rates %s",
				c.protocol, shape.batch, shape.clients, images1, cpu1, images2, cpu2, medianOf(ratios))
		}
	}
}

func spread(list []rate) (images, cpu string) {
	var a, b []float64
	for _, r := range list {
		a, b = append(a, r.images), append(b, r.cpu)
	}
	return medianOf(a), medianOf(b)
}

// medianOf gives a median with the least and the greatest.
func medianOf(list []float64) string {
	slices.Sort(list)
	return fmt.Sprintf("%.3g (%.3g to %.3g)", list[len(list)/2], list[0], list[len(list)-1])
}

func pythonRate(t *testing.T, python, protocol, server string, batch, clients, images int) (r rate) {
	t.Helper()
	ctx, cancel := wait.Context()
	defer cancel()
	cmd := exec.CommandContext(ctx, python, "testdata/grpc_client.py", protocol, server, "ifcb-densenet", strconv.Itoa(batch), strconv.Itoa(clients), strconv.Itoa(images))
	var said bytes.Buffer // by TensorFlow, mostly to nobody
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err == nil {
		_, err = fmt.Sscan(string(out), &r.images, &r.cpu)
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, said.Bytes())
	}
	return r
}

func ownRate(t *testing.T, url string, batch, clients, images int) rate {
	t.Helper()
	c := open(t, Options{Model: url, BatchSize: batch, InFlight: clients, Version: "1"})
	picture := image.NewGray(image.Rect(0, 0, 120, 80)) // about the median ROI
	for i := range picture.Pix {
		picture.Pix[i] = byte(180 + i%7 - i%120*i%31)
	}
	file := encoded(t, picture)
	classify := func(n int) {
		for _, r := range c.Classify(t.Context(), slices.Repeat([][]byte{file}, n)) {
			if r.Err != nil {
				t.Fatal(r.Err)
			}
		}
	}
	classify(batch * clients)
	start, before := time.Now(), cpuTime(t)
	classify(images)
	took, used := time.Since(start), cpuTime(t)-before
	return rate{float64(images) / took.Seconds(), float64(used.Microseconds()) / 1000 / float64(images)}
}

// cpuTime is what this process has used, in user and kernel mode.
func cpuTime(t *testing.T) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
