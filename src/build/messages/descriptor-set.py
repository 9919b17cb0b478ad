"""Write a FileDescriptorSet of Envoy's protos, read from the descriptors inside the xds-protos package.

usage: descriptor-set.py OUTPUT PROTO...
"""

import sys

from descriptor_files import descriptor_files


def main() -> None:
    output, *roots = sys.argv[1:]
    modules = [root.removesuffix(".proto").replace("/", ".").replace("-", "_") + "_pb2" for root in roots]
    with open(output, "wb") as stream:
        stream.write(descriptor_files(modules).SerializeToString())


main()
