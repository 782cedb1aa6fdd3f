package loggers

import (
	"context"
	"log/slog"
	"math"
	"strings"
)

// levels are those of Log4j, by their names.
var levels = map[string]slog.Level{
	"ALL": math.MinInt, "TRACE": slog.LevelDebug - 4, "DEBUG": slog.LevelDebug, "INFO": slog.LevelInfo, "WARN": slog.LevelWarn,
	"ERROR": slog.LevelError, "FATAL": slog.LevelError + 4, "OFF": math.MaxInt,
}

// ParseLevel finds a level by its name, in any case.
func ParseLevel(name string) (canonical string, ok bool) {
	canonical = strings.ToUpper(name)
	_, ok = levels[canonical]
	return canonical, ok
}

// enabled gives the name of the lowest level that a handler has enabled.
func enabled(h slog.Handler) string {
	for _, name := range []string{"TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"} {
		if h.Enabled(context.Background(), levels[name]) {
			return name
		}
	}
	return "OFF"
}
