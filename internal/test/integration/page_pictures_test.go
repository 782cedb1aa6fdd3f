//go:build integration

package integration

import (
	"bufio"
	"bytes"
	"fmt"
	"image"
	"image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// pictureBytes is how large a picture of the documents may be.
const pictureBytes = 150 << 10

// noon is when pictures of the documents are taken, whenever that is.
var noon = time.Date(2026, 7, 28, 12, 0, 0, 0, time.UTC)

// pictures are those of the documents, and what is there when they are taken.
var pictures = []struct {
	name, address, there, scheme string
	width, height                int64
}{
	{"overview-light", "connectors", flowing, "light", 1280, 720},
	{"overview-dark", "connectors", flowing, "dark", 1280, 720},
	{"overview-phone-light", "connectors", flowing, "light", 390, 844},
	{"overview-phone-dark", "connectors", flowing, "dark", 390, 844},
	{"connector-light", "connector/ifcb-stats", `document.querySelectorAll('.u-wrap').length === 1 && document.querySelectorAll('table').length > 3`, "light", 1280, 1000},
	{"records-dark", "records/ifcb-stats", `document.querySelectorAll('#records img').length > 20 && [...document.querySelectorAll('#records img')].every((i) => i.complete && i.naturalWidth > 0)`, "dark", 1280, 600},
}

// flowing is there when records have come to the end of the flow, there are rates of the
// last hour, and the flow is drawn.
const flowing = `document.querySelector('.flow svg .stage') !== null && [...document.querySelectorAll('#connectors tbody tr')].every((r) => r.querySelector('td[data-label="Last record"] time') && r.querySelector('td[data-label="Records/s, last hour"]').textContent > 0)`

// TestPictures takes the documents' pictures of the demo, into the folder that
// HYDRAULICS_PICTURES names. What is on them is where it should be.
func TestPictures(t *testing.T) {
	dir := os.Getenv("HYDRAULICS_PICTURES")
	if dir == "" {
		t.Skip("HYDRAULICS_PICTURES is not set: make screenshots sets it")
	}
	browser := findBrowser(t)
	at := startDemo(t, t.TempDir())
	page := httptest.NewServer(clocked(t, at["page"]))
	t.Cleanup(page.Close)
	tab := openTab(t, browser, new(console))
	t.Cleanup(page.CloseClientConnections) // before the server, which waits for streams
	s := visit{t, tab, page.URL}
	headers := network.SetExtraHTTPHeadersParams{Headers: network.Headers{"Authorization": "Bearer " + at["token"]}}
	if _, err := chromedp.Call(tab, network.SetExtraHTTPHeaders, headers); err != nil {
		t.Fatal(err)
	}
	s.do(chromedp.EmulateViewport(1280, 720), chromedp.Navigate(s.page+"/#/connectors"))
	for _, p := range pictures {
		s.media("prefers-color-scheme", p.scheme)
		s.do(chromedp.EmulateViewport(p.width, p.height))
		s.view(p.address, p.there)
		s.fits(p.name)
		shot, err := chromedp.Run(tab, chromedp.CaptureScreenshot())
		if err == nil {
			shot, err = small(shot)
		}
		if err == nil && len(shot) > pictureBytes {
			err = fmt.Errorf("it has %d bytes, and may have %d", len(shot), pictureBytes)
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, "page-"+p.name+".png"), shot, 0o644)
		}
		if err != nil {
			t.Errorf("%s: %v", p.name, err)
		}
	}
	// On a phone a connector is a card: its facts are below each other, none beside the screen.
	s.do(chromedp.EmulateViewport(390, 844))
	s.view("connectors", flowing)
	if n := eval[int](s, `[...document.querySelectorAll('#connectors tbody tr:first-child td:not(.choice)')].filter((c) => c.getBoundingClientRect().width > 0).length`); n < 6 {
		t.Errorf("on a phone a connector has %d facts", n)
	}
}

// small writes a picture anew, as small as it gets without a loss.
func small(shot []byte) ([]byte, error) {
	img, _, err := image.Decode(bytes.NewReader(shot))
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	err = encoder.Encode(&out, img)
	return out.Bytes(), err
}

// clocked is a page whose clock shows noon when it is made.
func clocked(t *testing.T, at string) http.Handler {
	to, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	shift := time.Until(noon)
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) }, // the page answers to its own name alone
		ModifyResponse: func(r *http.Response) error {
			kind := r.Header.Get("Content-Type")
			if strings.HasPrefix(kind, "application/json") || strings.HasPrefix(kind, "text/event-stream") {
				r.Body = &clock{Reader: bufio.NewReader(r.Body), Closer: r.Body, shift: shift}
				r.Header.Del("Content-Length")
				r.ContentLength = -1
			}
			return nil
		},
	}
}

// clock shifts the times in the lines of an answer.
type clock struct {
	*bufio.Reader
	io.Closer
	shift time.Duration
	left  []byte // of the line
}

var timeOfDay = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z|\d{8}T\d{6}`)

// Read gives what is left of a line, or the next one.
func (c *clock) Read(into []byte) (int, error) {
	if len(c.left) == 0 {
		line, err := c.ReadBytes('\n')
		if len(line) == 0 {
			return 0, err
		}
		c.left = timeOfDay.ReplaceAllFunc(line, c.shifted)
	}
	n := copy(into, c.left)
	c.left = c.left[n:]
	return n, nil
}

// shifted gives a time as the clock shows it, in the form that it has.
func (c *clock) shifted(text []byte) []byte {
	for _, form := range []string{time.RFC3339Nano, "20060102T150405"} {
		if at, err := time.Parse(form, string(text)); err == nil {
			return at.Add(c.shift).AppendFormat(nil, form)
		}
	}
	return text
}
