"""A FileDescriptorSet of what Python modules of messages describe, each file after those that it imports."""

import importlib

from google.protobuf.descriptor_pb2 import FileDescriptorSet


def descriptor_files(modules) -> FileDescriptorSet:
    files = FileDescriptorSet()
    seen = set()

    def add(descriptor):
        if descriptor.name in seen:
            return
        seen.add(descriptor.name)
        for dependency in descriptor.dependencies:
            add(dependency)
        descriptor.CopyToProto(files.file.add())

    for module in modules:
        add(importlib.import_module(module).DESCRIPTOR)
    return files
