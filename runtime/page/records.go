package page

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/runtime"
	"github.com/axiom-data-science/hydraulics/runtime/config"
)

// shown is one record as the page shows it.
type shown struct {
	Time     time.Time `json:"time"`
	Origin   string    `json:"origin"` // topic-partition@offset
	Key      string    `json:"key,omitempty"`
	Pictures []named   `json:"pictures"`
	Fields   []named   `json:"fields"`
}

// named is a field's name and its text, or a picture's and its URL.
type named struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

// records gives the newest records of a stream, as they came to its last transform, or
// of a source, as it has written them.
func (p *Page) records(r *http.Request) (any, error) {
	name := r.PathValue("connector")
	list := []shown{}
	if status, err := p.o.Herder.Status(name); err == nil && status.Kind == string(runtime.KindSource) {
		if list, err = p.written(r.Context(), name, p.ways(name, status.Kind, nil).Writes); err != nil {
			return nil, err
		}
	}
	for _, t := range p.o.Tap(name) {
		list = append(list, p.show(t))
	}
	first := p.first(name)
	for i := range list {
		sort(list[i].Fields, first)
	}
	return list, nil
}

// first gives the names of the fields that a connector has shown first.
func (p *Page) first(name string) []string {
	i, err := p.o.Herder.Info(name)
	if err != nil {
		return nil // it is deleted meanwhile
	}
	text, _ := i.Config.Text(config.PageFieldsKey)
	return config.SplitList(text)
}

// sort puts the fields first that have these names, in their order, and leaves the
// others as they are.
func sort(fields []named, first []string) {
	place := func(f named) int {
		if i := slices.Index(first, f.Name); i >= 0 {
			return i
		}
		return len(first)
	}
	slices.SortStableFunc(fields, func(a, b named) int { return cmp.Compare(place(a), place(b)) })
}

// show makes pictures of the fields that hold a PNG, and text of the other
// scalar ones. The page knows nothing of what the records are about.
func (p *Page) show(t runtime.Tapped) shown {
	o := t.Record.Origin
	s := shown{Time: t.Time, Origin: fmt.Sprintf("%s[%d]@%d", o.Topic, o.Partition, o.Offset), Key: text(t.Record.Key), Pictures: []named{}, Fields: []named{}}
	add := func(name string, v any) {
		if png := pngOf(v); png != nil {
			s.Pictures = append(s.Pictures, named{name, "picture/" + p.pictures.keep(png) + ".png"})
		} else if line := text(v); line != "" {
			s.Fields = append(s.Fields, named{name, line})
		}
	}
	switch v := t.Record.Value.(type) {
	case *connector.Struct:
		for i, f := range v.Schema().Fields() {
			add(f.Name, v.At(i))
		}
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			add(k, v[k])
		}
	default:
		add("value", v)
	}
	return s
}

var pngMagic = []byte("\x89PNG\r\n\x1a\n")

// pngMagic64 is how a PNG in base64 begins: JSON records carry images so.
const pngMagic64 = "iVBORw0KGgo"

func pngOf(v any) []byte {
	switch x := v.(type) {
	case []byte:
		if bytes.HasPrefix(x, pngMagic) {
			return x
		}
	case string:
		if strings.HasPrefix(x, pngMagic64) {
			if b, err := base64.StdEncoding.DecodeString(x); err == nil {
				return b
			}
		}
	}
	return nil
}

// longest is the length of a text that is still shown, bytes.
const longest = 200

// text writes a scalar for people, "" for what is none or null.
func text(v any) string {
	switch x := v.(type) {
	case string:
		if len(x) > longest {
			return strings.ToValidUTF8(x[:longest], "") + " ..."
		}
		return x
	case bool, int8, int16, int32, int64:
		return fmt.Sprint(x)
	case float32:
		return number(float64(x))
	case float64:
		return number(x)
	case connector.Decimal:
		return x.String()
	case time.Time:
		return x.UTC().Format(time.RFC3339)
	case []byte:
		if x == nil {
			return ""
		}
		return fmt.Sprintf("%d bytes", len(x))
	case *connector.Struct:
		var parts []string
		for i, f := range x.Schema().Fields() {
			parts = append(parts, f.Name+" "+text(x.At(i)))
		}
		return strings.Join(parts, ", ")
	}
	return ""
}

// number writes a number with four digits that count, in full from a thousandth
// to a million.
func number(f float64) string {
	if a := math.Abs(f); a >= 1e3 && a < 1e6 {
		return strconv.FormatFloat(f, 'f', 0, 64)
	}
	return strconv.FormatFloat(f, 'g', 4, 64)
}

// keepPictures is how many pictures are kept. A list shows up to 60 records,
// often with two pictures each; the browser asks for them right after it.
const (
	keepPictures = 600
	keepBytes    = 64 << 20 // of them
)

// pictures keeps the pictures of the last lists by the hash of their content.
// The zero value is ready.
type pictures struct {
	mu     sync.Mutex
	byHash map[string][]byte
	order  []string
	bytes  int
}

func (p *pictures) keep(png []byte) string {
	sum := sha256.Sum256(png)
	name := hex.EncodeToString(sum[:12])
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.byHash == nil {
		p.byHash = map[string][]byte{}
	}
	if _, ok := p.byHash[name]; ok {
		return name
	}
	for len(p.order) >= keepPictures || len(p.order) > 0 && p.bytes+len(png) > keepBytes {
		p.bytes -= len(p.byHash[p.order[0]])
		delete(p.byHash, p.order[0])
		p.order = p.order[1:]
	}
	p.byHash[name] = png
	p.bytes += len(png)
	p.order = append(p.order, name)
	return name
}

func (p *pictures) get(name string) ([]byte, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	png, ok := p.byHash[name]
	return png, ok
}

func (p *Page) picture(w http.ResponseWriter, r *http.Request) {
	png, ok := p.pictures.get(strings.TrimSuffix(r.PathValue("name"), ".png"))
	if !ok {
		http.Error(w, "the picture is no longer in memory", http.StatusNotFound)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "image/png")
	h.Set("Cache-Control", "private, max-age=3600, immutable")
	if _, err := w.Write(png); err != nil {
		p.o.Log.Debug("page: picture not sent", "error", err.Error())
	}
}
