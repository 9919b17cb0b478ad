"""Write a FileDescriptorSet of Envoy's protos, read from the descriptors inside the xds-protos package.

usage: descriptor-set.py OUTPUT PROTO...
"""

import importlib
import sys

from google.protobuf.descriptor_pb2 import FileDescriptorSet


def main() -> None:
    output, *roots = sys.argv[1:]
    files = FileDescriptorSet()
    seen = set()

    def add(descriptor):
        if descriptor.name in seen:
            return
        seen.add(descriptor.name)
        for dependency in descriptor.dependencies:
            add(dependency)
        descriptor.CopyToProto(files.file.add())

    for root in roots:
        module = importlib.import_module(root.removesuffix(".proto").replace("/", ".").replace("-", "_") + "_pb2")
        add(module.DESCRIPTOR)
    with open(output, "wb") as stream:
        stream.write(files.SerializeToString())


main()
