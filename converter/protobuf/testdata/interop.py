"""Writes and reads messages with Confluent's client for Python: pip install 'confluent-kafka[protobuf,schemaregistry]' grpcio-tools

    interop.py write URL FOREIGN.proto   the bytes of messages of interop.Sample and interop.Sample.Part, as hexadecimal
    interop.py read URL SUBJECT MESSAGE  each line of hexadecimal as JSON
"""

import datetime
import importlib
import os
import sys
import tempfile

import grpc_tools
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer, ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from google.protobuf import json_format
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from grpc_tools import protoc

META = """syntax = "proto3";
package confluent;
import "google/protobuf/descriptor.proto";
message Meta { string doc = 1; map<string, string> params = 2; repeated string tags = 3; }
extend google.protobuf.FieldOptions { Meta field_meta = 1088; }
"""
DECIMAL = """syntax = "proto3";
package confluent.type;
message Decimal { bytes value = 1; uint32 precision = 2; int32 scale = 3; }
"""


def compiled(text, names):
    """Compiles a .proto file with protoc and imports it."""
    folder = tempfile.mkdtemp()
    for path, content in {"read.proto": text, "confluent/meta.proto": META, "confluent/type/decimal.proto": DECIMAL}.items():
        os.makedirs(os.path.dirname(os.path.join(folder, path)), exist_ok=True)
        with open(os.path.join(folder, path), "w") as f:
            f.write(content)
    packages = os.path.dirname(os.path.dirname(grpc_tools.__file__))
    include = os.path.join(os.path.dirname(grpc_tools.__file__), "_proto")
    out = os.path.join(folder, "set")
    if protoc.main(["", "-I" + folder, "-I" + packages, "-I" + include, "--include_imports", "--descriptor_set_out=" + out, "read.proto"]):
        sys.exit("protoc refuses the schema")
    from google.protobuf import descriptor_pool, message_factory

    pool = descriptor_pool.DescriptorPool()
    with open(out, "rb") as f:
        for file in FileDescriptorSet.FromString(f.read()).file:
            pool.Add(file)
    return [message_factory.GetMessageClass(pool.FindMessageTypeByName(n)) for n in names]


def write(url, path):
    importlib.import_module("google.protobuf.timestamp_pb2")
    with open(path) as f:
        Sample, Part = compiled(f.read(), ["interop.Sample", "interop.Sample.Part"])
    client = SchemaRegistryClient({"url": url})
    full = Sample(name="é", zigzag=-5, unsigned=4294967295, fixed=7, prob=0.25, raw=b"\x00\x01", numbers=[1, -1, 0], maybe=0, kind=3, number=9)
    full.parts["x"].size = 0.5
    full.parts["x"].tags.extend(["", "t"])
    full.at.FromDatetime(datetime.datetime(2019, 7, 28, 21, 26, 39, 123000))
    full.day.year, full.day.month, full.day.day = 2019, 7, 28
    full.time.hours, full.time.seconds = 21, 39
    full.wrapped.value = ""
    for message in [full, Sample(), Sample(part=Part(size=2)), Part(tags=["a"])]:
        serialize = ProtobufSerializer(type(message), client, {"use.deprecated.format": False})
        print(serialize(message, SerializationContext("foreign", MessageField.VALUE)).hex())


def read(url, subject, name):
    client = SchemaRegistryClient({"url": url})
    (Message,) = compiled(client.get_latest_version(subject).schema.schema_str, [name])
    deserialize = ProtobufDeserializer(Message, {"use.deprecated.format": False})
    for line in sys.stdin:
        m = deserialize(bytes.fromhex(line), SerializationContext("ours", MessageField.VALUE))
        print(json_format.MessageToJson(m, preserving_proto_field_name=True, indent=None, sort_keys=True))


{"write": write, "read": read}[sys.argv[1]](*sys.argv[2:])
