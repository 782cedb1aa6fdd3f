package bench

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	goruntime "runtime"

	"github.com/axiom-data-science/hydraulics/internal/infer/onnx"
)

// Each network is measured in so many pairs of runs, ours and ONNX Runtime's
// in turn, each of about so long.
const (
	pairs   = 9
	pairRun = 300 * time.Millisecond
)

// BenchmarkONNX compares the engine with ONNX Runtime in the same run, on the
// networks in the folder ONNX_NETS (*.onnx, made by nets.py), with the Python of
// PYTHON, and with OpenVINO where that Python has it. It prints medians with the lowest and highest, and what two
// identical runs are of each other, which is the noise. A quantised network,
// int8-NAME, is compared with NAME in floats too.
func BenchmarkONNX(b *testing.B) {
	files, err := filepath.Glob(filepath.Join(os.Getenv("ONNX_NETS"), "*.onnx"))
	check(b, err)
	if os.Getenv("ONNX_NETS") == "" || len(files) == 0 {
		b.Skip("no networks: set ONNX_NETS to a folder that internal/test/bench/nets.py has filled (make bench PYTHON=... does)")
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".onnx")
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				compareNet(b, name, file)
			}
		})
	}
}

func compareNet(b *testing.B, name, file string) {
	data, err := os.ReadFile(file)
	check(b, err)
	var peers [2]*peer
	for i := range peers {
		peers[i] = startPeer(b, file)
	}
	openvino := startPeer(b, file, "openvino")
	if peers[0] != nil {
		fmt.Printf("%s, against %s, %d pairs: median (lowest to highest)\n", name, peers[0].version, pairs)
	} else {
		fmt.Printf("%s, alone: PYTHON names no Python that has onnxruntime\n", name)
	}
	for _, kernels := range []string{"", "avx2"} {
		heap := heapInUse()
		start := time.Now()
		m, err := onnx.Load(data, onnx.Options{Kernels: kernels})
		if err != nil {
			fmt.Printf("  %s: %v\n", kernels, err)
			continue
		}
		loaded := time.Since(start)
		engines := [2]*engine{newEngine(m), newEngine(m)}
		used := heapInUse() - heap
		label := kernels
		if label == "" {
			label = "best kernels"
			fmt.Printf("  loaded in %.0f ms; weights %.1f MB, arena %.1f MB, heap with two sessions %.1f MB\n",
				1e3*loaded.Seconds(), mega(m.WeightBytes()), mega(m.ArenaBytes()), mega(used))
		}
		var theirs runner
		if peers[0] != nil {
			theirs = peers[0]
		}
		one, clock, cpu := alternate(b, engines[0], theirs)
		fmt.Printf("  %-14s %s ms", label, one)
		if theirs != nil {
			fmt.Printf(", speed against ONNX Runtime %s, in processor time %s", clock, cpu)
			b.ReportMetric(clock.median, strings.ReplaceAll(label, " ", "-")+"-ratio")
		}
		fmt.Println()
		if kernels == "" {
			_, _, same := alternate(b, engines[0], engines[1])
			fmt.Printf("  two identical  %s in processor time\n", same)
			if openvino != nil {
				_, clock, cpu := alternate(b, engines[0], openvino)
				fmt.Printf("  best kernels   speed against %s %s, in processor time %s\n", openvino.version, clock, cpu)
			}
			compareFloats(b, engines[0], file)
			gains(b, engines, peers)
		}
	}
}

// compareFloats compares a quantised network with the one that it was made of.
func compareFloats(b *testing.B, ours *engine, file string) {
	name, quantised := strings.CutPrefix(filepath.Base(file), "int8-")
	if !quantised {
		return
	}
	data, err := os.ReadFile(filepath.Join(filepath.Dir(file), name))
	check(b, err)
	m, err := onnx.Load(data, onnx.Options{})
	check(b, err)
	_, clock, cpu := alternate(b, ours, newEngine(m))
	fmt.Printf("  in integers    speed against our own float32 %s, in processor time %s\n", clock, cpu)
	b.ReportMetric(cpu.median, "float32-ratio")
}

func mega(bytes int) float64 { return float64(bytes) / 1e6 }

func heapInUse() int {
	debug.FreeOSMemory()
	var s goruntime.MemStats
	goruntime.ReadMemStats(&s)
	return int(s.HeapAlloc)
}

// spread is a median with the lowest and highest.
type spread struct{ lowest, median, highest float64 }

func newSpread(x []float64) spread {
	slices.Sort(x)
	return spread{x[0], x[len(x)/2], x[len(x)-1]}
}

func (s spread) String() string {
	return fmt.Sprintf("%.3g (%.3g to %.3g)", s.median, s.lowest, s.highest)
}

// took is a time in seconds, by the clock and of the processor. The second says
// more where other programs run too.
type took struct{ clock, cpu float64 }

// runner runs images and gives the time.
type runner interface{ run(n int) (took, error) }

// alternate gives the milliseconds per image of ours, and theirs over ours by
// the clock and in processor time.
func alternate(b *testing.B, ours, theirs runner) (ms, clock, cpu spread) {
	n, k := calibrate(b, ours), 0
	if theirs != nil {
		k = calibrate(b, theirs)
	}
	var times, clocks, cpus []float64
	for range pairs {
		t, err := ours.run(n)
		check(b, err)
		times = append(times, 1e3*t.clock/float64(n))
		if theirs != nil {
			u, err := theirs.run(k)
			check(b, err)
			images := float64(n) / float64(k)
			clocks, cpus = append(clocks, images*u.clock/t.clock), append(cpus, images*u.cpu/t.cpu)
		}
	}
	if theirs == nil {
		return newSpread(times), spread{}, spread{}
	}
	return newSpread(times), newSpread(clocks), newSpread(cpus)
}

// calibrate warms up and gives the number of images of one measurement.
func calibrate(b *testing.B, r runner) int {
	_, err := r.run(1)
	check(b, err)
	t, err := r.run(3)
	check(b, err)
	return max(3, int(pairRun.Seconds()/(t.clock/3)))
}

// gains says what a second core adds: two sessions of one model, and two
// processes of ONNX Runtime.
func gains(b *testing.B, engines [2]*engine, peers [2]*peer) {
	ours := gain(b, engines[0], engines[1])
	fmt.Printf("  two sessions   %s of one", ours)
	if peers[0] != nil {
		theirs := gain(b, peers[0], peers[1])
		fmt.Printf("; two processes of ONNX Runtime %s; ratio %.2f", theirs, ours.median/theirs.median)
	}
	fmt.Println()
}

func gain(b *testing.B, one, two runner) spread {
	n := calibrate(b, one)
	var list []float64
	for range pairs {
		alone, err := one.run(n)
		check(b, err)
		var t [2]took
		var errs [2]error
		var both sync.WaitGroup
		for i, r := range []runner{one, two} {
			both.Go(func() { t[i], errs[i] = r.run(n) })
		}
		both.Wait()
		check(b, errs[0])
		check(b, errs[1])
		list = append(list, 2*alone.clock/max(t[0].clock, t[1].clock))
	}
	return newSpread(list)
}

type engine struct {
	s           *onnx.Session
	pixels, out []float32
}

func newEngine(m *onnx.Model) *engine {
	h, w, c := m.InputSize()
	e := &engine{s: m.NewSession(), pixels: make([]float32, h*w*c), out: make([]float32, m.OutputSize())}
	for i := range e.pixels {
		e.pixels[i] = float32(i*7919%1000) / 1000
	}
	return e
}

func (e *engine) run(n int) (took, error) {
	start, cpu := time.Now(), processorTime()
	for range n {
		if err := e.s.Run(e.pixels, e.out); err != nil {
			return took{}, err
		}
	}
	return took{time.Since(start).Seconds(), processorTime() - cpu}, nil
}

func processorTime() float64 {
	var r syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &r) // cannot fail with these arguments
	return time.Duration(r.Utime.Nano() + r.Stime.Nano()).Seconds()
}

// peer is a process of ort.py.
type peer struct {
	version string
	in      io.Writer
	out     *bufio.Reader
}

// startPeer gives nil where the engine is not there: ONNX Runtime, or that of the arguments.
func startPeer(b *testing.B, file string, arguments ...string) *peer {
	python := os.Getenv("PYTHON")
	if python == "" {
		return nil
	}
	cmd := exec.Command(python, append([]string{"ort.py", file}, arguments...)...)
	in, err := cmd.StdinPipe()
	check(b, err)
	out, err := cmd.StdoutPipe()
	check(b, err)
	if cmd.Start() != nil {
		return nil
	}
	b.Cleanup(func() {
		_ = in.Close() // it ends at the end of its input
		_ = cmd.Wait()
	})
	p := &peer{in: in, out: bufio.NewReader(out)}
	if p.version, err = p.line(); err != nil {
		return nil
	}
	return p
}

func (p *peer) line() (string, error) {
	s, err := p.out.ReadString('\n')
	return strings.TrimSpace(s), err
}

func (p *peer) run(n int) (t took, err error) {
	if _, err = fmt.Fprintln(p.in, n); err != nil {
		return t, err
	}
	s, err := p.line()
	if err == nil {
		_, err = fmt.Sscan(s, &t.clock, &t.cpu)
	}
	if err != nil {
		return t, fmt.Errorf("%s: %w", p.version, err)
	}
	return t, nil
}
