//go:build !(linux || darwin || freebsd)

package disk

import "os"

// What a process may do with a file or folder is not asked here.
const (
	mayRead  = 4
	mayWrite = 2
	mayEnter = 1
)

func access(path string, _ uint32) error {
	_, err := os.Stat(path)
	return err
}

func room(string) (free uint64, known bool) { return 0, false }
