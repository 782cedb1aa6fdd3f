package evaluate

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/infer/model"
)

// batch is how many images are in memory at once.
const batch = 64

// Folder classifies the images of a folder that has a folder for each class,
// as training takes it: DIR/CLASS/*.png. Files that are no PNG image, and
// images that the model cannot take, are listed in the report; a model that
// cannot be asked is an error, and so is a class that the model does not know.
func Folder(ctx context.Context, c model.Classifier, dir string) (*Report, error) {
	classes, err := classesOf(dir)
	if err != nil {
		return nil, err
	}
	labels := classes
	if m, known := model.Describe(c); known {
		labels = m.Labels
		if strange := slices.DeleteFunc(slices.Clone(classes), func(s string) bool { return slices.Contains(labels, s) }); len(strange) > 0 {
			return nil, fmt.Errorf("%s: the model knows no class %s: rename the folder or take it away; its classes are %s",
				dir, strings.Join(strange, ", "), strings.Join(labels, ", "))
		}
	}
	r := New(labels)
	r.Folder = dir
	for _, class := range classes {
		if err := r.ofClass(ctx, c, dir, class); err != nil {
			return nil, err
		}
	}
	if r.Images() == 0 {
		return nil, fmt.Errorf("%s: no image could be classified%s", dir, r.firstUnread())
	}
	return r, nil
}

func (r *Report) firstUnread() string {
	if len(r.Unread) == 0 {
		return ": its folders hold no files"
	}
	return fmt.Sprintf(": %s: %s", r.Unread[0].File, r.Unread[0].Why)
}

func classesOf(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("images: %w", err)
	}
	var classes []string
	for _, e := range entries {
		if e.IsDir() && !strings.HasPrefix(e.Name(), ".") {
			classes = append(classes, e.Name())
		}
	}
	if len(classes) == 0 {
		return nil, fmt.Errorf("%s: holds no folders: it needs one of images for each class, named after the class", dir)
	}
	return classes, nil
}

// ofClass classifies the images of one class.
func (r *Report) ofClass(ctx context.Context, c model.Classifier, dir, class string) error {
	entries, err := os.ReadDir(filepath.Join(dir, class))
	if err != nil {
		return fmt.Errorf("images: %w", err)
	}
	var names []string
	var images [][]byte
	flush := func() error {
		err := r.count(c.Classify(ctx, images), class, names)
		names, images = names[:0], images[:0]
		return err
	}
	for _, e := range entries {
		name := filepath.Join(class, e.Name())
		if e.IsDir() || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		if !strings.EqualFold(filepath.Ext(name), ".png") {
			r.Unread = append(r.Unread, Unread{name, "it is no PNG"})
			continue
		}
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			var at *fs.PathError
			if errors.As(err, &at) {
				err = at.Err
			}
			r.Unread = append(r.Unread, Unread{name, err.Error()})
			continue
		}
		names, images = append(names, name), append(images, data)
		if len(images) == batch {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}

// count puts the results of images of one class into the report.
func (r *Report) count(results []model.Result, class string, names []string) error {
	for i, x := range results {
		switch {
		case x.Err == nil:
			r.Add(Prediction{filepath.ToSlash(names[i]), class, x.Class, x.Prob})
			r.Model = x.Model
		case connector.KindOf(x.Err) == connector.KindData:
			r.Unread = append(r.Unread, Unread{names[i], x.Err.Error()})
		default:
			return fmt.Errorf("%s: %w", names[i], x.Err)
		}
	}
	return nil
}
