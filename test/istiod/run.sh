#!/usr/bin/env bash
# Runs the tests against a real istiod: the one that ISTIOD_PATH names, else one built from its Go module and kept in the
# cache. Building takes some ten minutes the first time.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/test/support/go-program.sh"
ISTIOD_PATH=${ISTIOD_PATH:-$(go_program istiod istio.io/istio/pilot/cmd/pilot-discovery v0.0.0-20260827124520-eed52ebb66ad)}
export ISTIOD_PATH
cd "$root"
node src/build/run-tests.ts "test/istiod/*.test.ts"
