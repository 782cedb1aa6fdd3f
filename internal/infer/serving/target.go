package serving

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Target is one model of one server.
type Target struct {
	Protocol string
	Format   string // JSON, Binary or PNG
	Name     string // of the model
	Version  string // that the URL asks for
	Label    string // of a version, in TensorFlow Serving
	url      *url.URL
	prefix   string // of the path, before /v1 or /v2
	place    string // of the model: the path from there to its name
}

// schemes are those of URLs of model servers.
var schemes = []string{"http", "https", "grpc", "grpcs"}

// IsURL tells whether a text is the URL of a model server, or a list of them.
func IsURL(text string) bool {
	scheme, _, ok := strings.Cut(text, "://")
	return ok && slices.Contains(schemes, strings.ToLower(scheme))
}

// Parse reads the URL of a model, for a protocol and format that are Auto or
// empty where the URL decides:
//
//	http://host:8501/v1/models/NAME      tfserving or kserve-v1
//	http://host:8000/v2/models/NAME      open-inference
//	grpc://host:8500/NAME                tfserving or open-inference: it is asked
//
// /versions/N may follow the name (a number but in open-inference, where it is
// any text), /labels/L too in TensorFlow Serving; https
// and grpcs are encrypted. Over gRPC the path may have /v1/models or /v2/models
// too, which tells the protocol.
func Parse(text, protocol, format string) (Target, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || !slices.Contains(schemes, u.Scheme) {
		return Target{}, fmt.Errorf("model: %q is not a URL such as http://host:8501/v1/models/NAME or grpc://host:8500/NAME", Redact(text))
	}
	t := Target{Protocol: cmp.Or(protocol, Auto), Format: cmp.Or(format, Auto), url: u}
	wrong := func(why string) (Target, error) { return Target{}, fmt.Errorf("model: %s %s", t, why) }
	found, ok := t.path()
	if !ok {
		return wrong(notURL)
	}
	if t.grpc() {
		if _, err := strconv.Atoi(u.Port()); err != nil {
			return wrong("has no port: TensorFlow Serving's habit is 8500, Triton's 8001")
		}
	}
	switch {
	case t.Protocol == Auto:
		t.Protocol = found
	case found != Auto && (found == OpenInference) != (t.Protocol == OpenInference):
		return wrong(fmt.Sprintf("is not an address of the protocol %s: that has /v1/models for tfserving and kserve-v1, /v2/models for open-inference", t.Protocol))
	case t.Protocol == KServeV1 && t.grpc():
		return wrong("is gRPC, which the protocol kserve-v1 does not have")
	}
	if t.Label != "" && t.Protocol == Auto {
		t.Protocol = TFServing // the only one with labels
	}
	if _, err := version64(t.Version); t.Version != "" && err != nil {
		switch t.Protocol {
		case OpenInference:
		case Auto:
			t.Protocol = OpenInference // the only one whose versions may be no numbers
		default:
			return wrong(notURL)
		}
	}
	if t.Label != "" && t.Protocol == OpenInference {
		return wrong("has a label, which the protocol open-inference does not have: name a version")
	}
	if err := t.settleFormat(); err != nil {
		return wrong(err.Error())
	}
	return t, nil
}

// notURL is said of an address with another path.
const notURL = "is not a URL such as http://host:8501/v1/models/NAME, http://host:8000/v2/models/NAME or grpc://host:8500/NAME, with /versions/N (a number but in the protocol open-inference) or (TensorFlow Serving) /labels/L behind it where wanted"

// path takes the path apart and gives the protocol that it tells.
func (t *Target) path() (protocol string, ok bool) {
	path := strings.TrimSuffix(t.url.Path, "/")
	path = strings.TrimSuffix(strings.TrimSuffix(path, ":predict"), "/infer")
	parts := strings.Split(strings.TrimPrefix(path, "/"), "/")
	protocol, from, at := Auto, 0, len(parts)
	if t.grpc() {
		at = 0
	}
	for i := range parts {
		if i+2 < len(parts) && parts[i+1] == "models" && (parts[i] == "v1" || parts[i] == "v2") {
			from, at, protocol = i, i+2, TFServing
			t.prefix = strings.Join(parts[:i], "/")
			if parts[i] == "v2" {
				protocol = OpenInference
			}
		}
	}
	if t.prefix != "" {
		t.prefix = "/" + t.prefix
	}
	if at >= len(parts) || parts[at] == "" || t.grpc() && t.prefix != "" {
		return "", false
	}
	t.Name, t.place = parts[at], "/"+strings.Join(parts[from:at+1], "/")
	switch rest := parts[at+1:]; {
	case len(rest) == 0:
	case len(rest) == 2 && rest[0] == "versions" && rest[1] != "":
		t.Version = rest[1]
	case len(rest) == 2 && rest[0] == "labels" && rest[1] != "":
		t.Label = rest[1]
	default:
		return "", false
	}
	return protocol, true
}

func (t *Target) settleFormat() error {
	web, v2 := !t.grpc(), t.Protocol == OpenInference
	switch {
	case t.Format == Auto && (v2 || !web):
		t.Format = Binary
	case t.Format == Auto:
		t.Format = JSON
	case t.Format == Binary && web && !v2:
		return fmt.Errorf("cannot take request.format %s: it is for grpc:// and for open-inference", Binary)
	case t.Format == JSON && !web:
		return fmt.Errorf("cannot take request.format %s: it is for http://", JSON)
	case t.Format == PNG && (!web || v2):
		return fmt.Errorf("cannot take request.format %s: it is for http:// with tfserving or kserve-v1", PNG)
	}
	return nil
}

func (t Target) grpc() bool { return strings.HasPrefix(t.url.Scheme, "grpc") }

// String gives the URL without a password.
func (t Target) String() string {
	if t.url == nil {
		return "without a URL"
	}
	return t.url.Redacted()
}

// address gives the URL of a path behind the prefix.
func (t Target) address(path string) *url.URL {
	u := *t.url
	u.Path, u.RawPath, u.RawQuery, u.Fragment = t.prefix+path, "", "", ""
	return &u
}

// AtVersion gives the URL of a version of the model, its password included.
// What is behind a question mark is left out, as in requests.
func (t Target) AtVersion(version string) string { return t.model(version, "").String() }

// model gives the URL of the model, or of one version of it, with more behind.
func (t Target) model(version, suffix string) *url.URL {
	path := t.place
	if version != "" {
		path += "/versions/" + version
	}
	return t.address(path + suffix)
}

// version64 gives a version of TensorFlow Serving, which are numbers.
func version64(version string) (int64, error) {
	n, err := strconv.ParseInt(version, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("version %q is not a number", version)
	}
	return n, nil
}

// Redact gives a list of URLs without their passwords.
func Redact(list string) string {
	var shown []string
	for text := range strings.SplitSeq(list, ",") {
		switch u, err := url.Parse(strings.TrimSpace(text)); {
		case err == nil:
			text = u.Redacted()
		case strings.Contains(text, "@"):
			text = "the URL"
		}
		shown = append(shown, text)
	}
	return strings.Join(shown, ",")
}
