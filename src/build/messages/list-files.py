"""Print the name of every file in a FileDescriptorSet.

usage: list-files.py SET
"""

import sys

from google.protobuf.descriptor_pb2 import FileDescriptorSet

files = FileDescriptorSet()
with open(sys.argv[1], "rb") as stream:
    files.ParseFromString(stream.read())
print("\n".join(file.name for file in files.file))
