#!/usr/bin/env bash
# Builds a real istiod as a Go module: some ten minutes of CPU the first time, seconds with a warm cache.
#
# usage: build.sh OUTPUT
set -euo pipefail
version=v0.0.0-20260827124520-eed52ebb66ad
output=$(realpath -m "${1:?where to write istiod}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
go mod init istiod-for-tests
go get "istio.io/istio/pilot/cmd/pilot-discovery@$version"
mkdir -p "$(dirname "$output")"
CGO_ENABLED=0 go build -ldflags='-s -w' -o "$output" istio.io/istio/pilot/cmd/pilot-discovery
