"""Writes and reads values with Confluent's client for Python: pip install 'confluent-kafka[json,schemaregistry]'

    interop.py write URL FOREIGN.json  the bytes of values of the schema, as hexadecimal
    interop.py read URL SUBJECT        each line of hexadecimal as JSON
"""

import json
import sys

from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.json_schema import JSONDeserializer, JSONSerializer
from confluent_kafka.serialization import MessageField, SerializationContext


def write(url, path):
    with open(path) as f:
        serialize = JSONSerializer(f.read(), SchemaRegistryClient({"url": url}))
    for value in [
        {"name": "é", "count": 3, "prob": 0.25, "tags": ["a", ""], "part": {"size": 0.5}, "kind": "diatom", "note": None},
        {"name": "", "count": -1, "prob": 1, "tags": [], "part": {"size": 2}, "kind": "unknown", "note": "n"},
    ]:
        print(serialize(value, SerializationContext("foreign", MessageField.VALUE)).hex())


def read(url, subject):
    client = SchemaRegistryClient({"url": url})
    deserialize = JSONDeserializer(client.get_latest_version(subject).schema.schema_str, schema_registry_client=client)
    for line in sys.stdin:
        print(json.dumps(deserialize(bytes.fromhex(line), SerializationContext("ours", MessageField.VALUE)), sort_keys=True))


{"write": write, "read": read}[sys.argv[1]](*sys.argv[2:])
