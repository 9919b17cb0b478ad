"""Write a FileDescriptorSet of Envoy's whole API, read from the descriptors inside the xds-protos package.

usage: all-descriptors.py OUTPUT
"""

import pathlib
import sys

import envoy
import udpa
import xds
from descriptor_files import descriptor_files


def camel_case(name):
    first, *rest = name.split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in rest)


def name_fields(message):
    # Descriptors in Python say nothing of the names that JSON has.
    for field in message.field:
        field.json_name = camel_case(field.name)
    for nested in message.nested_type:
        name_fields(nested)


def modules():
    # TypedStruct, which may stand for any message, is of none of Envoy's own files.
    for folder in [*envoy.__path__, *udpa.__path__, *xds.__path__]:
        root = pathlib.Path(folder)
        for path in sorted(root.rglob("*_pb2.py")):
            yield ".".join(path.relative_to(root.parent).with_suffix("").parts)


def main() -> None:
    (output,) = sys.argv[1:]
    files = descriptor_files(modules())
    for file in files.file:
        for message in file.message_type:
            name_fields(message)
    with open(output, "wb") as stream:
        stream.write(files.SerializeToString())


main()
