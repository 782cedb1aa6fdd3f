"""Writes and reads records with others' implementations of Avro: pip install 'confluent-kafka[avro,schemaregistry]'

    interop.py write URL FOREIGN.avsc  the bytes of records of the schema, as hexadecimal: Confluent's client, by fastavro
    interop.py read URL SUBJECT        each line of hexadecimal as JSON: the same, and Apache's avro must read alike
"""

import datetime
import decimal
import io
import json
import sys
import uuid

import avro.io
import avro.schema
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

UTC = datetime.timezone.utc


def write(url, path):
    with open(path) as f:
        serialize = AvroSerializer(SchemaRegistryClient({"url": url}), f.read())
    full = {
        "name": "é", "count": -3, "total": 1 << 60, "prob": 0.25, "mean": 0.1, "flag": True, "raw": b"\x00\xff", "note": "n",
        "kind": "DIATOM", "hash": b"\x01\x02\x03\x04", "tags": ["a", ""], "parts": {"x": {"size": 0.5}}, "choice": ("interop.Part", {"size": 2.0}),
        "carbon": decimal.Decimal("-123.45"), "day": datetime.date(2019, 7, 28), "time": datetime.time(21, 26, 39, 123000),
        "at": datetime.datetime(2019, 7, 28, 21, 26, 39, 123000, UTC), "exactly": datetime.datetime(2019, 7, 28, 21, 26, 39, 123456, UTC),
        "here": datetime.datetime(2019, 7, 28, 21, 26, 39, 123000), "id": uuid.UUID("6fa459ea-ee8a-3ca4-894e-db77e160355e"),
    }
    least = {
        "name": "", "count": 0, "total": -1, "prob": 0.0, "mean": -0.0, "flag": False, "raw": b"", "note": None, "kind": "UNKNOWN", "hash": b"\0\0\0\0",
        "tags": [], "parts": {}, "choice": 7, "carbon": decimal.Decimal("0.00"), "day": datetime.date(1970, 1, 1), "time": datetime.time(0),
        "at": datetime.datetime(1969, 12, 31, 23, 59, 59, 999000, UTC), "exactly": datetime.datetime(1970, 1, 1, tzinfo=UTC),
        "here": datetime.datetime(1970, 1, 1), "id": uuid.UUID(int=0),
    }
    for value in [full, least]:
        print(serialize(value, SerializationContext("foreign", MessageField.VALUE)).hex())


def plain(v):
    """A value as JSON has it."""
    if isinstance(v, dict):
        return {str(k): plain(x) for k, x in v.items()}
    if isinstance(v, (list, tuple)):
        return [plain(x) for x in v]
    if isinstance(v, bytes):
        return v.hex()
    if isinstance(v, datetime.datetime):
        return v.astimezone(UTC).isoformat()
    if isinstance(v, (datetime.date, datetime.time, decimal.Decimal, uuid.UUID)):
        return str(v)
    return v


def read(url, subject):
    client = SchemaRegistryClient({"url": url})
    schema = client.get_latest_version(subject).schema.schema_str
    deserialize = AvroDeserializer(client)
    apache = avro.io.DatumReader(avro.schema.parse(schema))
    for line in sys.stdin:
        data = bytes.fromhex(line)
        got = plain(deserialize(data, SerializationContext("ours", MessageField.VALUE)))
        rest = io.BytesIO(data[5:])
        other = plain(apache.read(avro.io.BinaryDecoder(rest)))
        if other != got or rest.read():
            sys.exit(f"fastavro reads {got}, Apache's avro {other}")
        print(json.dumps(got, sort_keys=True))


{"write": write, "read": read}[sys.argv[1]](*sys.argv[2:])
