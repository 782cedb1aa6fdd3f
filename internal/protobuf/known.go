package protobuf

import (
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// knownFiles are the files that Confluent's registry knows beside those of
// google/protobuf, which the compiler has.
var knownFiles = map[string]string{
	"confluent/meta.proto": `syntax = "proto3";
package confluent;
import "google/protobuf/descriptor.proto";
message Meta {
  string doc = 1;
  map<string, string> params = 2;
  repeated string tags = 3;
}
extend google.protobuf.FileOptions { Meta file_meta = 1088; }
extend google.protobuf.MessageOptions { Meta message_meta = 1088; }
extend google.protobuf.FieldOptions { Meta field_meta = 1088; }
extend google.protobuf.EnumOptions { Meta enum_meta = 1088; }
extend google.protobuf.EnumValueOptions { Meta enum_value_meta = 1088; }
`,
	"confluent/type/decimal.proto": `syntax = "proto3";
package confluent.type;
message Decimal {
  bytes value = 1;
  uint32 precision = 2;
  int32 scale = 3;
}
`,
	"google/type/date.proto": `syntax = "proto3";
package google.type;
message Date {
  int32 year = 1;
  int32 month = 2;
  int32 day = 3;
}
`,
	"google/type/timeofday.proto": `syntax = "proto3";
package google.type;
message TimeOfDay {
  int32 hours = 1;
  int32 minutes = 2;
  int32 seconds = 3;
  int32 nanos = 4;
}
`,
	"google/type/decimal.proto": `syntax = "proto3";
package google.type;
message Decimal {
  string value = 1;
}
`,
	"google/type/latlng.proto": `syntax = "proto3";
package google.type;
message LatLng {
  double latitude = 1;
  double longitude = 2;
}
`,
	"google/type/money.proto": `syntax = "proto3";
package google.type;
message Money {
  string currency_code = 1;
  int64 units = 2;
  int32 nanos = 3;
}
`,
}

// The numbers of option (confluent.field_meta) and of its parameters.
const (
	fieldMeta  = 1088
	metaParams = 2
)

// Parameters gives the parameters of a field's option (confluent.field_meta).
func Parameters(f protoreflect.FieldDescriptor) map[string]string {
	raw, err := proto.Marshal(f.Options())
	if err != nil {
		return nil
	}
	params := map[string]string{}
	for _, meta := range messages(raw, fieldMeta) {
		for _, entry := range messages(meta, metaParams) {
			var key, value string
			for _, k := range messages(entry, 1) {
				key = string(k)
			}
			for _, v := range messages(entry, 2) {
				value = string(v)
			}
			params[key] = value
		}
	}
	return params
}

// messages gives the values of a field that has a length.
func messages(data []byte, number protowire.Number) [][]byte {
	var found [][]byte
	for len(data) > 0 {
		num, typ, n := protowire.ConsumeTag(data)
		if n < 0 {
			return found
		}
		size := protowire.ConsumeFieldValue(num, typ, data[n:])
		if size < 0 {
			return found
		}
		if num == number && typ == protowire.BytesType {
			value, _ := protowire.ConsumeBytes(data[n:])
			found = append(found, value)
		}
		data = data[n+size:]
	}
	return found
}
