package bench

import (
	"bufio"
	"bytes"
	"fmt"
	"image"
	"image/png"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/axiom-data-science/hydraulics/internal/plankton/imaging"
	"github.com/axiom-data-science/hydraulics/internal/test/golden"
)

// What `make bench` takes from the environment.
const (
	// originalsVariable names a folder with checkouts of the Python originals: hydraulics
	// (axiom-data-science/hydraulics) and ifcb-features (WHOIGit/ifcb-features).
	originalsVariable = "ORIGINALS"
	// pythonVariable names the Python that has what they need: python3 unless it is set.
	pythonVariable = "PYTHON"
)

var checkouts = map[string]string{imaging.Seed: "hydraulics", imaging.V4: "ifcb-features"}

// analyses are what is timed of an image.
var analyses = map[string]func(*imaging.Analyser, *image.Gray) error{
	imaging.Seed: func(a *imaging.Analyser, g *image.Gray) error { _, err := a.Analyse(g); return err },
	imaging.V4:   func(a *imaging.Analyser, g *image.Gray) error { _, err := a.AnalyseV4(g); return err },
}

// BenchmarkImaging times both algorithms over whole sets of images, on one core and warm: (a) synthetic images with the
// shapes of the bin D20141117T234033_IFCB102, (b) all images of the complete bins of the reference data. An iteration
// is a round of ours, of the 24 inverse transforms alone, and of Python's, one after the other; the fastest rounds are
// compared.
func BenchmarkImaging(b *testing.B) {
	for _, set := range []struct {
		name   string
		images func(*testing.B) []*image.Gray
	}{{"synthetic", syntheticImages}, {"bins", binImages}} {
		b.Run(set.name, func(b *testing.B) {
			images := set.images(b)
			if images == nil {
				b.Skip(golden.DataVariable + " is not set: the bins are in the folder that it names")
			}
			folder := b.TempDir()
			for i, gray := range images {
				var file bytes.Buffer
				check(b, png.Encode(&file, gray))
				check(b, os.WriteFile(filepath.Join(folder, fmt.Sprintf("%05d.png", i)), file.Bytes(), 0o600))
			}
			for _, algorithm := range []string{imaging.Seed, imaging.V4} {
				b.Run(algorithm, func(b *testing.B) { compare(b, algorithm, images, folder) })
			}
		})
	}
}

// compare times one algorithm over one set.
func compare(b *testing.B, algorithm string, images []*image.Gray, folder string) {
	analyser := imaging.NewAnalyser(imaging.Options{Filters: imaging.NewFilters(1 << 30)})
	ours := func() { round(b, analyser, images, analyses[algorithm]) }
	transforms := func() { round(b, analyser, images, (*imaging.Analyser).Responses) }
	python := startPython(b, algorithm, folder)
	ours() // makes the filters
	fastest, bare, theirs := math.Inf(1), math.Inf(1), math.Inf(1)
	failed := 0
	for b.Loop() {
		fastest, bare = min(fastest, seconds(b, ours)), min(bare, seconds(b, transforms))
		if python != nil {
			t, n := python.round(b)
			theirs, failed = min(theirs, t), n
		}
	}
	pixels := 0
	for _, gray := range images {
		pixels += len(gray.Pix)
	}
	b.ReportMetric(0, "ns/op") // of both sides together: it says nothing
	b.ReportMetric(fastest*1e3, "ms/set")
	b.ReportMetric(fastest*1e3/float64(len(images)), "ms/image")
	b.ReportMetric(fastest*1e9/float64(pixels), "ns/px")
	b.ReportMetric(fastest/bare, "x-of-24-FFTs")
	if python == nil {
		b.Logf("no Python with NumPy, SciPy and Pillow: nothing to compare with. %s=FILE names one", pythonVariable)
		return
	}
	b.ReportMetric(theirs*1e3, "ms/set-Python")
	b.ReportMetric(theirs/fastest, "x-Python")
	b.Logf("x-Python compares with %s; it failed on %d of %d images", python.name, failed, len(images))
	if os.Getenv(originalsVariable) == "" {
		b.Logf("the ratio to the original is left out: %s=DIR names a folder with a checkout %s of it", originalsVariable, checkouts[algorithm])
	}
}

func round(b *testing.B, analyser *imaging.Analyser, images []*image.Gray, analyse func(*imaging.Analyser, *image.Gray) error) {
	for _, gray := range images {
		check(b, analyse(analyser, gray))
	}
}

// seconds is the CPU time that f takes, which is what originals.py measures of the other side: another program on the
// machine then slows neither.
func seconds(b *testing.B, f func()) float64 {
	start := processTime(b)
	f()
	return (processTime(b) - start).Seconds()
}

// processTime is the CPU time that this process has used, the collector's included.
func processTime(b *testing.B) time.Duration {
	var usage syscall.Rusage
	check(b, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// python is a running originals.py.
type python struct {
	name  string
	ask   io.Writer
	reply *bufio.Scanner
}

// startPython starts the original, or what stands for it. It is nil where there is no Python for the latter, and an
// error where there is none for an original that was asked for.
func startPython(b *testing.B, algorithm, folder string) *python {
	command, source := os.Getenv(pythonVariable), "../golden"
	if command == "" {
		command = "python3"
	}
	originals := os.Getenv(originalsVariable)
	if originals != "" {
		source = filepath.Join(originals, checkouts[algorithm])
	}
	cmd := exec.Command(command, "originals.py", algorithm, source, folder)
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	ask, err := cmd.StdinPipe()
	check(b, err)
	out, err := cmd.StdoutPipe()
	check(b, err)
	if err := cmd.Start(); err != nil {
		if originals != "" {
			b.Fatal(err)
		}
		return nil
	}
	p := &python{ask: ask, reply: bufio.NewScanner(out)}
	if !p.reply.Scan() {
		err := cmd.Wait()
		if originals != "" {
			b.Fatalf("%s in %s: %v\n%s", algorithm, source, err, complaint.Bytes())
		}
		return nil
	}
	p.name = p.reply.Text()
	b.Cleanup(func() {
		check(b, ask.Close())
		check(b, cmd.Wait())
	})
	return p
}

// round has all images analysed once and gives the seconds that took.
func (p *python) round(b *testing.B) (seconds float64, failed int) {
	_, err := fmt.Fprintln(p.ask)
	check(b, err)
	if !p.reply.Scan() {
		b.Fatal("originals.py ended")
	}
	_, err = fmt.Sscan(p.reply.Text(), &seconds, &failed)
	check(b, err)
	return seconds, failed
}
