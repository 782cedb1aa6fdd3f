package dashboard

import (
	"sync"

	"github.com/axiom-data-science/hydraulics/internal/ifcb"
)

// folder remembers where bins lie, so that not every image request walks the directories.
type folder struct {
	dir  string
	mu   sync.Mutex
	path map[ifcb.BinID]string
}

func newFolder(dir string) *folder { return &folder{dir: dir} }

// list looks at the folder anew.
func (f *folder) list() ([]ifcb.File, error) {
	files, err := ifcb.List(f.dir)
	if err != nil {
		return nil, err
	}
	path := make(map[ifcb.BinID]string, len(files))
	for _, file := range files {
		path[file.ID] = file.ADC
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.path = path
	return files, nil
}

// find gives the .adc path of a bin; it looks at the folder anew when it does not know it.
func (f *folder) find(id ifcb.BinID) (string, bool) {
	f.mu.Lock()
	path, ok := f.path[id]
	f.mu.Unlock()
	if ok {
		return path, true
	}
	if _, err := f.list(); err != nil {
		return "", false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	path, ok = f.path[id]
	return path, ok
}
