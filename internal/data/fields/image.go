package fields

import (
	"encoding/base64"
	"errors"
	"fmt"
)

// Image gives the bytes of an image's file: bytes as they are, or text in base64.
func Image(v any) ([]byte, error) {
	switch x := v.(type) {
	case nil:
		return nil, errors.New("missing or null, expected an image")
	case []byte:
		return x, nil
	case string:
		data, err := base64.StdEncoding.DecodeString(x)
		if err != nil {
			return nil, fmt.Errorf("image in base64: %w", err)
		}
		return data, nil
	}
	return nil, fmt.Errorf("expected an image as bytes or base64, got %T", v)
}
