//go:build linux || darwin || freebsd

package disk

import "syscall"

// What a process may do with a file or folder, as access(2) has it.
const (
	mayRead  = 4
	mayWrite = 2
	mayEnter = 1
)

func access(path string, mode uint32) error { return syscall.Access(path, mode) }

// room gives how much a process may still write to the disk of a folder.
func room(dir string) (free uint64, known bool) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return 0, false
	}
	return uint64(max(0, s.Bavail)) * uint64(s.Bsize), true // the types differ between systems
}
