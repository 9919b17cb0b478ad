#!/usr/bin/env bash
# Runs the tests against a real Consul: the one that CONSUL_PATH names, else one built from its Go module and kept in the
# cache. Building takes some five minutes of one processor the first time.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
# The last releases of the Mozilla licence.
version=v1.14.11
cached=${XDG_CACHE_HOME:-$HOME/.cache}/outrider/consul-$version/consul

build() {
  command -v go >/dev/null || { echo "building Consul needs Go: install it, or set CONSUL_PATH to a consul" >&2; exit 1; }
  # Not local: the trap runs once the function has returned.
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  cd "$work"
  go mod init consul-for-tests
  go get "github.com/hashicorp/consul@$version"
  CGO_ENABLED=0 go build -ldflags='-s -w' -o consul github.com/hashicorp/consul
  mkdir -p "$(dirname "$cached")"
  mv consul "$cached"
}

[[ -n ${CONSUL_PATH:-} || -x $cached ]] || (build >&2)
# Others need the program only.
[[ ${1:-} != path ]] || { echo "${CONSUL_PATH:-$cached}"; exit; }
cd "$root"
CONSUL_PATH=${CONSUL_PATH:-$cached} node src/build/run-tests.ts "test/consul/*.test.ts"
