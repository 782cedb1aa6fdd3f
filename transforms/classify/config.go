package classify

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/axiom-data-science/hydraulics/connector"
	"github.com/axiom-data-science/hydraulics/internal/infer/serving"
)

// ConfigDef gives the keys.
func (*Transform) ConfigDef() *connector.ConfigDef {
	return connector.NewConfigDef(
		connector.Key{Name: "model", Type: connector.StringKey, Required: true, Check: connector.NotEmpty, Path: true, Importance: connector.High,
			Doc: "ONNX file, or the URL of a model behind a server: http://host:8501/v1/models/NAME (TensorFlow Serving, KServe V1), http://host:8000/v2/models/NAME (Open Inference Protocol), grpc://host:8500/NAME (either), https and grpcs with TLS, /versions/N behind it for one version. Several servers of the same model have commas between: requests are spread, and go to another one when one is away."},
		connector.Key{Name: "protocol", Type: connector.StringKey, Default: serving.Auto, Check: connector.OneOf(serving.Auto, serving.TFServing, serving.KServeV1, serving.OpenInference),
			Doc: "What a server speaks; auto goes by the URL, and asks where that leaves it open."},
		connector.Key{Name: "request.format", Type: connector.StringKey, Default: serving.Auto, Check: connector.OneOf(serving.Auto, serving.JSON, serving.Binary, serving.PNG), Importance: connector.Low,
			Doc: "How images travel to a server: binary is 4 bytes a value (grpc, open-inference), json numbers as text (http), png the file itself in base64 for a model that decodes it (http with tfserving or kserve-v1); auto is binary where the protocol has it, else json."},
		connector.Key{Name: "manifest", Type: connector.StringKey, Path: true,
			Doc: "YAML file that describes the model. The default is the file beside it with the same name and .yaml."},
		connector.Key{Name: "labels", Type: connector.StringKey, Path: true,
			Doc: "File with the names of the classes in the order of the model's outputs: one a line, or JSON, a list or an object of name by index or of index by name. It takes the place of the manifest's."},
		connector.Key{Name: "model.name", Type: connector.StringKey, Doc: "Name of the model in the field classifier, in place of the manifest's."},
		connector.Key{Name: "model.version", Type: connector.StringKey, Doc: "Version of the model in the field classifier, in place of the manifest's or the server's."},
		connector.Key{Name: "ensemble", Type: connector.ListKey, Default: "", Path: true,
			Doc: "Further models beside the key model, files or URLs, each with its manifest beside it. The probability of a class is then the mean of all; they must have the same classes, in any order."},
		connector.Key{Name: "image.field", Type: connector.StringKey, Default: "image", Check: connector.NotEmpty,
			Doc: "Field that holds the image: a PNG file as bytes, or as base64 text."},
		connector.Key{Name: "name.field", Type: connector.StringKey, Default: "name", Doc: "Field for the class, empty for none."},
		connector.Key{Name: "prob.field", Type: connector.StringKey, Default: "prob", Doc: "Field for the probability of the class, 0 to 1, empty for none."},
		connector.Key{Name: "classifier.field", Type: connector.StringKey, Default: "classifier", Doc: "Field for the model's name and version, NAME:VERSION, empty for none."},
		connector.Key{Name: "time.field", Type: connector.StringKey, Default: "classification_time",
			Doc: "Field for the time of the classification, seconds since 1970 UTC, empty for none."},
		connector.Key{Name: "model.field", Type: connector.StringKey, Default: "", Doc: "Field for the model's name alone, empty for none."},
		connector.Key{Name: "version.field", Type: connector.StringKey, Default: "", Doc: "Field for the model's version alone, empty for none."},
		connector.Key{Name: "digest.field", Type: connector.StringKey, Default: "",
			Doc: "Field for sha256: and the digest of the model's file, of a served model that of its manifest; null where there is none. Empty for no field."},
		connector.Key{Name: "preprocessing.field", Type: connector.StringKey, Default: "",
			Doc: "Field for sha256: and the digest of how images are prepared: size, filter, scale, channels. Empty for none."},
		connector.Key{Name: "scores.field", Type: connector.StringKey, Default: "",
			Doc: "Field for the probabilities of all classes, a map from class to probability. Empty for none."},
		connector.Key{Name: "embedding.field", Type: connector.StringKey, Default: "",
			Doc: "Field for the model's embedding of the image, a list of numbers: the tensor that the manifest names as output.embedding, or the model's only other output. It needs a single model in this process. Empty for none."},
		connector.Key{Name: "headers", Type: connector.ListKey, Default: "", Check: checkHeaders,
			Doc: "What is added as headers too: some of name, prob, classifier, time, model, version, digest, preprocessing, scores (as JSON), or all."},
		connector.Key{Name: "header.prefix", Type: connector.StringKey, Default: "classification.", Check: connector.NotEmpty, Importance: connector.Low,
			Doc: "What the names of these headers begin with. Transform keep-best keeps headers with the prefix classification. together with the fields."},
		connector.Key{Name: "threshold", Type: connector.DoubleKey, Default: 0.0, Check: probability,
			Doc: "Probability below which an image is unclassified, where thresholds names none for the class; 0 for none."},
		connector.Key{Name: "thresholds", Type: connector.ListKey, Default: "", Check: checkThresholds,
			Doc: "Thresholds of single classes, such as Alexandrium_singlet=0.9,Dinophysis=0.8."},
		connector.Key{Name: "unclassified", Type: connector.StringKey, Default: "unclassified", Check: connector.NotEmpty,
			Doc: "Class of images below the threshold; the probability stays that of the likeliest class."},
		connector.Key{Name: "swap.check.ms", Type: connector.LongKey, Default: 0, Check: connector.AtLeast(0),
			Doc: "How often to look whether the model's file, manifest or labels have changed, or its server serves another version. The new one is loaded beside the old one, compared with it on canary images and put in its place between two batches; one that does not pass is logged and counted, and the old one goes on. 0 is never: a file is read once, and a server's newest version is used at once, which it is too where the server cannot be asked for a version."},
		connector.Key{Name: "canary.folder", Type: connector.StringKey, Path: true,
			Doc: "Folder of PNG files on which a new model is compared with the old one. Without it these are the last images that were classified."},
		connector.Key{Name: "canary.images", Type: connector.IntKey, Default: 32, Check: connector.Between(1, 10000), Importance: connector.Low, Doc: "Number of canary images."},
		connector.Key{Name: "canary.agreement", Type: connector.DoubleKey, Default: 0.9, Check: probability,
			Doc: "Least share of the canary images, 0 to 1, to which a new model gives the same class."},
		connector.Key{Name: "canary.drift", Type: connector.DoubleKey, Default: 0.2, Check: probability,
			Doc: "Largest mean distance of a new model's scores on the canary images: half the sum of the differences, 0 to 1."},
		connector.Key{Name: "canary.labels", Type: connector.StringKey, Default: "same", Check: connector.OneOf("same", "any"), Importance: connector.Low,
			Doc: "Whether a new model must have the same classes: same or any."},
		connector.Key{Name: "max.rate", Type: connector.DoubleKey, Default: 0.0, Check: notNegative, Importance: connector.Low,
			Doc: "Largest number of images a second, for a task that must leave cores or a server to others; 0 for as many as there are."},
		connector.Key{Name: "threads", Type: connector.IntKey, Default: 0, Check: connector.Between(0, 1024), Importance: connector.Low,
			Doc: "Images that are classified at once in this process, each on a core of its own; 0 is one per core. Tasks with the same model share it."},
		connector.Key{Name: "batch.size", Type: connector.IntKey, Default: 8, Check: connector.Between(1, 1024), Importance: connector.Low,
			Doc: "Largest number of images in one request to a server; an image of 224 x 224 is 0.6 MB, or 1.6 MB as JSON. Requests that turn out larger than the server takes are halved."},
		connector.Key{Name: "batch.delay.ms", Type: connector.IntKey, Default: 0, Check: connector.AtLeast(0), Importance: connector.Low,
			Doc: "Time that a request with fewer images waits for images of other tasks with the same model in this worker; 0 is not at all. It pays where many tasks have few records each."},
		connector.Key{Name: "max.in.flight.requests", Type: connector.IntKey, Default: 4, Check: connector.Between(1, 256), Importance: connector.Low,
			Doc: "Largest number of requests at once, to all servers and of all tasks with the same model in this worker. At most as many again are encoded ahead, which bounds the memory."},
		connector.Key{Name: "hedge.ms", Type: connector.IntKey, Default: 0, Check: connector.AtLeast(0), Importance: connector.Low,
			Doc: "Time after which a request that was not answered is sent to another server as well, of several; 0 is never."},
		connector.Key{Name: "timeout.ms", Type: connector.IntKey, Default: 60000, Check: connector.AtLeast(1), Importance: connector.Low,
			Doc: "Time for one request to a server."},
		connector.Key{Name: "version.refresh.ms", Type: connector.IntKey, Default: 30000, Check: connector.AtLeast(1), Importance: connector.Low,
			Doc: "Time after which a server is asked again which version it serves. Answers or requests name it, so the field classifier is always true."},
	)
}

// Validate finds fields that are named twice.
func (*Transform) Validate(conf connector.Config, p *connector.Problems) {
	by := map[string]string{}
	for _, part := range fieldParts {
		key := part + ".field"
		name := conf.String(key)
		if other, twice := by[name]; twice && name != "" {
			p.Add(key, "%s", connector.Invalid(key, name, "it is the field of "+other+" too"))
		}
		by[name] = key
	}
}

func probability(_ string, v any) error {
	if f, ok := v.(float64); ok && !(f >= 0 && f <= 1) {
		return fmt.Errorf("it must be from 0 to 1")
	}
	return nil
}

func notNegative(_ string, v any) error {
	if f, ok := v.(float64); ok && !(f >= 0 && f <= math.MaxInt32) {
		return fmt.Errorf("it must be a number that is not negative")
	}
	return nil
}

func checkThresholds(_ string, v any) error {
	list, _ := v.([]string)
	_, err := parseThresholds(list)
	return err
}

// parseThresholds reads CLASS=P.
func parseThresholds(list []string) (map[string]float32, error) {
	of := map[string]float32{}
	for _, text := range list {
		i := strings.LastIndexByte(text, '=')
		if i < 1 {
			return nil, fmt.Errorf("%q is not a class and its threshold such as Dinophysis=0.8", text)
		}
		class := strings.TrimSpace(text[:i])
		p, err := strconv.ParseFloat(strings.TrimSpace(text[i+1:]), 32)
		if err != nil || !(p >= 0 && p <= 1) {
			return nil, fmt.Errorf("%q: the threshold is not a number from 0 to 1", text)
		}
		if _, twice := of[class]; twice {
			return nil, fmt.Errorf("class %s is there twice", class)
		}
		of[class] = float32(p)
	}
	return of, nil
}

func checkHeaders(_ string, v any) error {
	list, _ := v.([]string)
	for _, name := range list {
		if name != "all" && !slices.Contains(parts, name) {
			return fmt.Errorf("%q is none of all, %s", name, strings.Join(parts, ", "))
		}
	}
	return nil
}
