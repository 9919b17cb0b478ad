#!/usr/bin/env bash
# Runs the tests against a real Consul: the one that CONSUL_PATH names, else one built from its Go module and kept in the
# cache. Building takes some five minutes of one processor the first time.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/test/support/go-program.sh"
# The last releases of the Mozilla licence.
CONSUL_PATH=${CONSUL_PATH:-$(go_program consul github.com/hashicorp/consul v1.14.11)}
export CONSUL_PATH
# Others need the program only.
[[ ${1:-} != path ]] || { echo "$CONSUL_PATH"; exit; }
cd "$root"
node src/build/run-tests.ts "test/consul/*.test.ts"
