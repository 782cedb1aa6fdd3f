package imaging

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// Pool has an analyser for each processor.
type Pool struct{ analysers []*Analyser }

// NewPool makes analysers of these options.
func NewPool(o Options) *Pool {
	p := &Pool{analysers: make([]*Analyser, runtime.GOMAXPROCS(0))}
	for i := range p.analysers {
		p.analysers[i] = NewAnalyser(o)
	}
	return p
}

// Each calls do for every number below n, several at a time with an analyser each, and returns when all are done. It is
// for one goroutine at a time.
func (p *Pool) Each(n int, do func(a *Analyser, i int)) {
	var next atomic.Int64
	var wait sync.WaitGroup
	for _, analyser := range p.analysers[:min(len(p.analysers), n)] {
		wait.Go(func() {
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				do(analyser, int(i))
			}
		})
	}
	wait.Wait()
}
