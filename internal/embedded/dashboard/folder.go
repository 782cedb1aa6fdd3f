package dashboard

import (
	"sync"

	"github.com/axiom-data-science/hydraulics/internal/plankton/ifcb"
)

// listed is a bin of the folder, and what was noted about it.
type listed struct {
	ifcb.File
	note
}

// folder remembers where bins lie, so that not every image request walks the directories.
type folder struct {
	dir string
	mu  sync.Mutex
	adc map[ifcb.BinID]string // paths
}

func newFolder(dir string) *folder { return &folder{dir: dir} }

// list looks at the folder anew; oldest first.
func (f *folder) list() ([]listed, error) {
	files, err := ifcb.List(f.dir)
	if err != nil {
		return nil, err
	}
	notes, err := readNotes(f.dir)
	if err != nil {
		return nil, err
	}
	bins := make([]listed, len(files))
	paths := make(map[ifcb.BinID]string, len(files))
	for i, file := range files {
		bins[i] = listed{file, notes[file.ID]}
		paths[file.ID] = file.ADC
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.adc = paths
	return bins, nil
}

// find gives the .adc path of a bin; it looks at the folder anew when it does not know it.
func (f *folder) find(id ifcb.BinID) (string, bool) {
	f.mu.Lock()
	path, ok := f.adc[id]
	f.mu.Unlock()
	if ok {
		return path, true
	}
	if _, err := f.list(); err != nil {
		return "", false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	path, ok = f.adc[id]
	return path, ok
}
