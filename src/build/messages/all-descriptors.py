"""Write a FileDescriptorSet of Envoy's whole API, read from the descriptors inside the xds-protos package.

usage: all-descriptors.py OUTPUT
"""

import importlib
import pathlib
import sys

import envoy
import udpa
import xds
from google.protobuf.descriptor_pb2 import FileDescriptorSet


def camel_case(name):
    first, *rest = name.split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in rest)


def name_fields(message):
    # Descriptors in Python say nothing of the names that JSON has.
    for field in message.field:
        field.json_name = camel_case(field.name)
    for nested in message.nested_type:
        name_fields(nested)


def main() -> None:
    (output,) = sys.argv[1:]
    files = FileDescriptorSet()
    seen = set()

    def add(descriptor):
        if descriptor.name in seen:
            return
        seen.add(descriptor.name)
        for dependency in descriptor.dependencies:
            add(dependency)
        file = files.file.add()
        descriptor.CopyToProto(file)
        for message in file.message_type:
            name_fields(message)

    # TypedStruct, which may stand for any message, is of none of Envoy's own files.
    for folder in [*envoy.__path__, *udpa.__path__, *xds.__path__]:
        root = pathlib.Path(folder)
        for path in sorted(root.rglob("*_pb2.py")):
            module = path.relative_to(root.parent).with_suffix("")
            add(importlib.import_module(".".join(module.parts)).DESCRIPTOR)
    with open(output, "wb") as stream:
        stream.write(files.SerializeToString())


main()
