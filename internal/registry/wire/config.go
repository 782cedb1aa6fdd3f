package wire

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/axiom-data-science/hydraulics/connector"
)

// KeyStrict is the configuration key of [Settings.Strict].
const KeyStrict = "latest.compatibility.strict"

// KeyIDStrict is the configuration key of [Settings.IDStrict].
const KeyIDStrict = "id.compatibility.strict"

// The other keys; but for subject they are Confluent's.
const (
	keyAutoRegister   = "auto.register.schemas"
	keyUseLatest      = "use.latest.version"
	keyUseID          = "use.schema.id"
	keyNormalize      = "normalize.schemas"
	keyLatestTTL      = "latest.cache.ttl.sec"
	keySubject        = "subject"
	keyKeyStrategy    = "key.subject.name.strategy"
	keyValueStrategy  = "value.subject.name.strategy"
	keyCacheSize      = "schemas.cache.size"
	keyConfluentCache = "schemas.cache.config"
)

// The configuration keys that the formats share which have unions and enums that
// Kafka Connect has not.
const (
	KeyGeneralized   = "generalized.sum.type.support"
	KeyIgnoreDefault = "ignore.default.for.nullables"
)

// Group is the group that the keys belong to.
const Group = "Schemas"

// Boolean is a key of a format.
func Boolean(name string, def bool, importance connector.Importance, doc string) connector.Key {
	return connector.Key{Name: name, Type: connector.BooleanKey, Default: def, Importance: importance, Group: Group, Doc: doc}
}

// SumKeys defines [KeyGeneralized] and [KeyIgnoreDefault].
func SumKeys() []connector.Key {
	return []connector.Key{
		Boolean(KeyGeneralized, false, connector.Medium, "Name enums and unions as the converters of other formats do, so that they can be written in those."),
		Boolean(KeyIgnoreDefault, false, connector.Medium, "Write null, not the default, where a field is null."),
	}
}

// Keys are the configuration keys of a converter.
func Keys() []connector.Key {
	return append([]connector.Key{
		Boolean(keyAutoRegister, true, connector.Medium,
			"Register the schema that a record maps to where it is new. If false the subject must have it."),
		Boolean(keyUseLatest, false, connector.Medium,
			"Write records field by field into the newest schema of their subject. Fields that it lacks are left out; fields that the record lacks take its defaults. Overrides auto.register.schemas."),
		Boolean(KeyStrict, true, connector.Low,
			"With use.latest.version: compare the schemas before the first record is written, so that a field whose type can never fit is an error even where its values are null."),
		{Name: keyUseID, Type: connector.IntKey, Default: -1, Importance: connector.Low, Group: Group,
			Check: connector.AtLeast(-1), Doc: "Write records field by field into the schema with this id, whatever their subject. -1 is no id. Overrides use.latest.version."},
		Boolean(KeyIDStrict, true, connector.Low,
			"With use.schema.id: compare the schemas before the first record is written, as latest.compatibility.strict."),
		Boolean(keyNormalize, false, connector.Medium,
			"Where a schema is registered or looked up, one that says the same in another order is the same."),
		{Name: keyLatestTTL, Type: connector.LongKey, Default: -1, Importance: connector.Low, Group: Group,
			Check: connector.AtLeast(-1), Doc: "With use.latest.version: how long the newest schema is taken for the newest, seconds; -1 is until the task ends."},
		{Name: keySubject, Type: connector.StringKey, Importance: connector.Medium, Group: Group,
			Doc: "The subject of all records, in place of what the subject name strategy gives."},
		{Name: keyKeyStrategy, Type: connector.StringKey, Default: javaPackage + byTopic, Importance: connector.Medium, Group: Group,
			Check: isStrategy, Doc: "The subject of keys: TopicNameStrategy (<topic>-key), RecordNameStrategy (<record name>) or TopicRecordNameStrategy (<topic>-<record name>)."},
		{Name: keyValueStrategy, Type: connector.StringKey, Default: javaPackage + byTopic, Importance: connector.Medium, Group: Group,
			Check: isStrategy, Doc: "The subject of values: TopicNameStrategy (<topic>-value), RecordNameStrategy (<record name>) or TopicRecordNameStrategy (<topic>-<record name>)."},
		{Name: keyCacheSize, Type: connector.IntKey, Default: 1000, Importance: connector.Low, Group: Group,
			Check: connector.AtLeast(1), Doc: "How many schemas are remembered in each direction."},
		{Name: keyConfluentCache, Type: connector.IntKey, Importance: connector.Low, Group: Group,
			Doc: "Confluent's name of schemas.cache.size."},
	}, javaKeys()...)
}

// javaKeys are Confluent's keys that choose what is always so here: other values
// than these are refused, since records would not be what they ask for.
func javaKeys() []connector.Key {
	const ids = "io.confluent.kafka.serializers.schema.id."
	only := func(name string, def any, doc string, valid ...string) connector.Key {
		return connector.Key{Name: name, Type: connector.StringKey, Default: def, Importance: connector.Low, Group: Group, Doc: doc, Check: noneBut(valid...)}
	}
	whole := func(name string, def int, doc string) connector.Key {
		return connector.Key{Name: name, Type: connector.IntKey, Default: def, Importance: connector.Low, Group: Group, Check: connector.AtLeast(0), Doc: doc}
	}
	var keys []connector.Key
	for _, of := range []string{"key", "value"} {
		keys = append(keys,
			only(of+".schema.id.serializer", ids+"PrefixSchemaIdSerializer", "Ids of schemas stand before the value.", ids+"PrefixSchemaIdSerializer"),
			only(of+".schema.id.deserializer", ids+"DualSchemaIdDeserializer", "Ids of schemas are read where they stand before the value.",
				ids+"DualSchemaIdDeserializer", ids+"PrefixSchemaIdDeserializer"))
	}
	const rules = "Not supported: rules of data contracts. A rule that is not run could let pass what it is to encrypt or to refuse."
	const nullContext = "io.confluent.kafka.serializers.context.NullContextNameStrategy"
	return append(keys,
		only("context.name.strategy", nullContext, "Schemas are in the registry's default context, or in that of its address.", nullContext),
		only("use.latest.with.metadata", nil, "Not supported: use use.latest.version or use.schema.id."),
		only("schema.format", nil, "Not supported: schemas are asked for with their references."),
		only("rule.executors", "", rules), only("rule.actions", "", rules),
		Boolean("rule.service.loader.enable", true, connector.Low, "Without effect: there are no rules."),
		Boolean("propagate.schema.tags", false, connector.Low, "Without effect: tags are the registry's to pass on."),
		Boolean("schema.reflection", false, connector.Low, "Without effect: there are no Java classes."),
		whole("max.schemas.per.subject", 1000, "Without effect: schemas.cache.size bounds what is remembered."),
		whole("latest.cache.size", 1000, "Without effect: schemas.cache.size bounds what is remembered."))
}

// noneBut checks that a text is empty or one of these.
func noneBut(valid ...string) connector.Check {
	return func(_ string, v any) error {
		switch text, _ := v.(string); {
		case text == "" || slices.Contains(valid, text):
			return nil
		case len(valid) == 0:
			return fmt.Errorf("this is not supported")
		default:
			return fmt.Errorf("only %s is supported", strings.Join(valid, " and "))
		}
	}
}

// Settings are what a configuration says about schemas.
type Settings struct {
	Subjects     Subjects
	AutoRegister bool          // the schemas of records, where they are new
	UseLatest    bool          // write into the newest schema of the subject
	UseID        int           // write into the schema with this id; negative is none
	IDStrict     bool          // compare a record's schema with that one first
	Normalize    bool          // the order of what a schema says does not count
	Strict       bool          // compare a record's schema with that one first
	LatestTTL    time.Duration // how long that is taken for the newest; negative is for ever
	CacheSize    int
}

// SettingsOf reads a configuration, of a converter of keys or of values.
func SettingsOf(conf connector.Config, key bool) Settings {
	s := Settings{
		Subjects:     Subjects{fixed: conf.String(keySubject), strategy: simple(conf.String(keyValueStrategy)), suffix: "-value"},
		AutoRegister: conf.Bool(keyAutoRegister), UseLatest: conf.Bool(keyUseLatest), Strict: conf.Bool(KeyStrict),
		UseID: conf.Int(keyUseID), IDStrict: conf.Bool(KeyIDStrict), Normalize: conf.Bool(keyNormalize),
		LatestTTL: time.Duration(conf.Int64(keyLatestTTL)) * time.Second, CacheSize: conf.Int(keyCacheSize),
	}
	if key {
		s.Subjects.strategy, s.Subjects.suffix = simple(conf.String(keyKeyStrategy)), "-key"
	}
	if n := conf.Int(keyConfluentCache); n > 0 {
		s.CacheSize = n
	}
	return s
}

// Stale tells whether a newest schema that was fetched at a time is to be asked for again.
func (s Settings) Stale(fetched time.Time) bool {
	return s.UseLatest && s.LatestTTL >= 0 && time.Since(fetched) > s.LatestTTL
}
