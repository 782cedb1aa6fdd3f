package fields

import "sync"

// cacheSize bounds a cache: a source may make a schema per record.
const cacheSize = 64

// Cache keeps what a transform made of a schema, so that the records that share one share the other too. A key is what
// that depends on: mostly the schema by its identity. It is bounded: a full one begins anew. The zero value is empty and
// ready; it is safe for concurrent use.
type Cache[K comparable, V any] struct {
	mu   sync.Mutex
	made map[K]V
}

// Get gives what is kept for a key, or what make makes, which is kept then. An error is not kept.
func (c *Cache[K, V]) Get(key K, make func() (V, error)) (V, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if v, ok := c.made[key]; ok {
		return v, nil
	}
	v, err := make()
	if err != nil {
		return v, err
	}
	if c.made == nil || len(c.made) >= cacheSize {
		c.made = map[K]V{}
	}
	c.made[key] = v
	return v, nil
}
