package ifcb

import (
	"bytes"
	"errors"
	"fmt"
	"image/png"
)

// CheckPNG reads the header of a PNG and gives its size in px. What is no PNG, or claims more pixels than any camera
// has, is an error; no memory is spent on pixels.
func CheckPNG(data []byte) (width, height int, err error) {
	config, err := png.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return 0, 0, fmt.Errorf("image: %w", err)
	}
	switch {
	case config.Width <= 0 || config.Height <= 0:
		return 0, 0, errors.New("image: it has no pixels")
	case config.Width > maxImagePixels/config.Height:
		return 0, 0, fmt.Errorf("image: %d x %d pixels are more than any camera has", config.Width, config.Height)
	}
	return config.Width, config.Height, nil
}
