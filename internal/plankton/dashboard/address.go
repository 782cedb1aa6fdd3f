package dashboard

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"
)

// Address is where a dataset is.
type Address struct {
	Base    string // URL of the dashboard, without a slash at the end
	Dataset string
	Tags    string // with commas between them
}

// TagList gives the tags one by one.
func (a Address) TagList() []string {
	if a.Tags == "" {
		return nil
	}
	return strings.Split(a.Tags, ",")
}

// Series is the dataset with its tags, as generation 1 writes them: mvco:beads.
func (a Address) Series() string {
	return strings.Join(append([]string{a.Dataset}, a.TagList()...), ":")
}

// WithTags moves the tags that a dataset's name carries to their place, and adds more.
func (a Address) WithTags(more []string) Address {
	parts := strings.Split(a.Dataset, ":")
	tags := append(parts[1:len(parts):len(parts)], more...)
	a.Dataset, a.Tags = parts[0], strings.Join(slices.DeleteFunc(tags, func(t string) bool { return t == "" }), ",")
	return a
}

// ParseBase reads the URL of a dashboard's root.
func ParseBase(text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil {
		return "", err
	}
	u.RawQuery, u.Fragment = "", ""
	return strings.TrimRight(u.String(), "/"), nil
}

// ParseAddress takes the dataset from the URL's query or path unless it is given. A link to feed.json or a timeline
// page is understood.
func ParseAddress(text, dataset string) (Address, error) {
	u, err := url.Parse(text)
	if err != nil {
		return Address{}, err
	}
	if named := u.Query().Get("dataset"); named != "" {
		if dataset == "" {
			dataset = named
		}
		if !strings.HasSuffix(u.Path, "/") { // the page it is a link to
			u.Path = strings.TrimSuffix(u.Path, path.Base(u.Path))
		}
	}
	u.RawQuery, u.Fragment = "", ""
	u.Path = strings.TrimSuffix(strings.TrimSuffix(u.Path, "feed.json"), "/")
	last := path.Base(u.Path)
	switch {
	case dataset == "" && (u.Path == "" || last == "/"):
		return Address{}, fmt.Errorf("it names no dataset: let it end in one, or set dataset")
	case dataset == "":
		dataset = last
		u.Path = strings.TrimSuffix(u.Path, last)
	case last == dataset:
		u.Path = strings.TrimSuffix(u.Path, last)
	}
	u.RawPath = ""
	u.Path = strings.TrimRight(u.Path, "/")
	return Address{Base: u.String(), Dataset: dataset}, nil
}

// ErrLogin marks a URL that must not be printed: it holds a user or password.
var ErrLogin = errors.New("must not contain a user or password: use auth.type=basic, auth.user and auth.password")

// CheckURL tells what is wrong with the URL of a dashboard.
func CheckURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "":
		return fmt.Errorf("must be an http or https URL such as https://ifcb.example.org/mvco/")
	case u.User != nil:
		return ErrLogin
	}
	return nil
}
