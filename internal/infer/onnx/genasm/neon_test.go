package main

import (
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var word = regexp.MustCompile(`(?m)^\tWORD \$(0x[0-9a-f]{8}) // (.*)$`)

// TestEncodings disassembles what the generator encodes itself.
func TestEncodings(t *testing.T) {
	const disassembler = "aarch64-linux-gnu-objdump"
	if _, err := exec.LookPath(disassembler); err != nil {
		t.Skipf("%v: apt install binutils-aarch64-linux-gnu", err)
	}
	var code []byte
	var want []string
	for _, m := range word.FindAllStringSubmatch(string(generateNEON()), -1) {
		n, err := strconv.ParseUint(m[1], 0, 32)
		if err != nil {
			t.Fatal(err)
		}
		code = binary.LittleEndian.AppendUint32(code, uint32(n))
		want = append(want, m[2])
	}
	file := filepath.Join(t.TempDir(), "code")
	if err := os.WriteFile(file, code, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(disassembler, "-D", "-z", "-b", "binary", "-m", "aarch64", "--no-show-raw-insn", file).Output()
	if err != nil {
		t.Fatal(err)
	}
	_, listing, _ := strings.Cut(string(out), "<.data>:\n")
	have := strings.Split(strings.TrimSpace(listing), "\n")
	if len(want) < 100 || len(have) != len(want) {
		t.Fatalf("%d instructions, %d disassembled", len(want), len(have))
	}
	for i, line := range have {
		_, text, _ := strings.Cut(line, ":\t")
		if text = strings.ReplaceAll(text, "\t", " "); text != want[i] {
			t.Errorf("%q is encoded as %q", want[i], text)
		}
	}
}
