//go:build unix

package file

import (
	"io/fs"
	"strconv"
	"syscall"
)

// inode names a file within its file system; empty where that is not known.
func inode(info fs.FileInfo) string {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return strconv.FormatUint(uint64(s.Ino), 10)
	}
	return ""
}
