package cli

import (
	"log/slog"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

// memoryShare is how much of its control group's memory the program takes.
const memoryShare = 0.9

// limitMemory makes the garbage collector mind the memory limit of the control
// group (version 1 or 2) that the process is in, as a container's is. GOMEMLIMIT
// of the environment counts more; without a limit there is none.
func limitMemory() {
	_, err := memlimit.SetGoMemLimitWithOpts(memlimit.WithRatio(memoryShare), memlimit.WithProvider(memlimit.FromCgroup),
		memlimit.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		slog.Debug("memory limit of the control group: " + err.Error())
	}
}
