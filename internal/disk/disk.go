// Package disk looks at folders and files, and writes nothing to see whether one could.
package disk

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/axiom-data-science/hydraulics/connector"
)

// little is how much room a disk should have at least, bytes.
const little = 512 << 20

// errFolder is that a folder is where a file is to be.
var errFolder = errors.New("it is a folder")

// ToWrite looks at a folder that is to be written to: it is there, the process may, and
// there is room.
func ToWrite(what, dir string) connector.Finding {
	f := at(what, dir)
	if f.Err = isFolder(dir); f.Err != nil {
		return f
	}
	if err := access(dir, mayWrite|mayEnter); err != nil {
		f.Err = connector.Coded("H7006", fmt.Errorf("this process may not write there: %w", err))
		return f
	}
	return withRoom(f, dir)
}

// ToAppend looks at a file that is written to, which is there or to be made.
func ToAppend(what, file string) connector.Finding {
	info, err := os.Stat(file)
	switch {
	case errors.Is(err, os.ErrNotExist):
		f := ToWrite(what, filepath.Dir(file))
		f.What = at(what, file).What
		return f
	case err == nil && info.IsDir():
		err = errFolder
	case err == nil:
		err = access(file, mayWrite)
	}
	f := at(what, file)
	if err != nil {
		f.Err = connector.Coded("H7006", fmt.Errorf("this process may not write it: %w", err))
		return f
	}
	return withRoom(f, filepath.Dir(file))
}

// withRoom says of what may be written to how much room its disk has.
func withRoom(f connector.Finding, dir string) connector.Finding {
	f.Says = "it may be written to"
	free, known := room(dir)
	if known {
		f.Says += ", " + size(free) + " free"
	}
	if known && free < little {
		f.Warning, f.Err = true, connector.Coded("H9002", fmt.Errorf("%s free, less than %s", size(free), size(little)))
	}
	return f
}

// ToRead looks at a folder that is read.
func ToRead(what, dir string) connector.Finding {
	f := at(what, dir)
	if f.Err = isFolder(dir); f.Err != nil {
		return f
	}
	if err := access(dir, mayRead|mayEnter); err != nil {
		f.Err = connector.Coded("H7005", fmt.Errorf("this process may not read it: %w", err))
		return f
	}
	f.Says = "it may be read"
	return f
}

// FileToRead looks at a file that is read, which may come later.
func FileToRead(what, file string) connector.Finding {
	f := at(what, file)
	err := access(file, mayRead)
	if info, there := os.Stat(file); there == nil && info.IsDir() {
		err = errFolder
	}
	switch {
	case errors.Is(err, os.ErrNotExist):
		f.Warning, f.Err = true, connector.Coded("H7007", errors.New("it is not there: it is waited for"))
	case err != nil:
		f.Err = connector.Coded("H7007", fmt.Errorf("this process may not read it: %w", err))
	default:
		f.Says = "it may be read"
	}
	return f
}

func at(what, path string) connector.Finding {
	if whole, err := filepath.Abs(path); err == nil {
		path = whole
	}
	return connector.Finding{What: what + " " + path}
}

func isFolder(dir string) error {
	info, err := os.Stat(dir)
	if err == nil && !info.IsDir() {
		err = errors.New("it is no folder")
	}
	if errors.Is(err, os.ErrNotExist) {
		err = errors.New("the folder is not there")
	}
	return connector.Coded("H7005", err)
}

// size gives a number of bytes for people.
func size(n uint64) string {
	if n >= 1<<30 {
		return fmt.Sprintf("%d GiB", n>>30)
	}
	return fmt.Sprintf("%d MiB", n>>20)
}
