#!/usr/bin/env bash
# Runs the tests against a real istiod: the one that ISTIOD_PATH names, else one built from its Go module and kept in the
# cache. Building takes some ten minutes the first time.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
version=v0.0.0-20260827124520-eed52ebb66ad
cached=${XDG_CACHE_HOME:-$HOME/.cache}/outrider/istiod-$version/istiod

build() {
  command -v go >/dev/null || { echo "building istiod needs Go: install it, or set ISTIOD_PATH to an istiod" >&2; exit 1; }
  # Not local: the trap runs once the function has returned.
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  cd "$work"
  go mod init istiod-for-tests
  go get "istio.io/istio/pilot/cmd/pilot-discovery@$version"
  CGO_ENABLED=0 go build -ldflags='-s -w' -o istiod istio.io/istio/pilot/cmd/pilot-discovery
  mkdir -p "$(dirname "$cached")"
  mv istiod "$cached"
}

[[ -n ${ISTIOD_PATH:-} || -x $cached ]] || (build)
cd "$root"
ISTIOD_PATH=${ISTIOD_PATH:-$cached} node src/build/run-tests.ts "test/istiod/*.test.ts"
