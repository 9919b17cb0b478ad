"""Write a FileDescriptorSet of Istio's API, of the .proto files in the Go module that has them.

usage: istio-descriptors.py URL OUTPUT
"""

import io
import os
import sys
import tempfile
import urllib.request
import zipfile

import google
from grpc_tools import protoc

FOLDERS = (
    "extensions/v1alpha1",
    "mcp/v1alpha1",
    "networking/v1alpha3",
    "networking/v1beta1",
    "security/v1beta1",
    "telemetry/v1alpha1",
    "type/v1beta1",
)


def main() -> None:
    url, output = sys.argv[1:]
    with urllib.request.urlopen(url, timeout=60) as answer:
        module = zipfile.ZipFile(io.BytesIO(answer.read()))
    with tempfile.TemporaryDirectory() as work:
        files = []
        for name in module.namelist():
            path = name.split("/api@", 1)[1].split("/", 1)[1]
            if not path.endswith(".proto"):
                continue
            target = os.path.join(work, path)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with open(target, "wb") as stream:
                stream.write(module.read(name))
            if os.path.dirname(path) in FOLDERS:
                files.append(path)
        known = [os.path.dirname(folder) for folder in google.__path__]
        paths = [f"--proto_path={folder}" for folder in (work, *known)]
        paths.append(f"--proto_path={os.path.join(os.path.dirname(protoc.__file__), '_proto')}")
        words = ["--include_imports", f"--descriptor_set_out={output}"]
        done = protoc.main(["protoc", *paths, *words, *sorted(files)])
        if done != 0:
            sys.exit(done)


main()
