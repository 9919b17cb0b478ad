#!/usr/bin/env bash
# Runs the tests of several registries at once, against a real API of Kubernetes and a real Consul: those that KUBE_APISERVER_PATH and
# CONSUL_PATH name, else those that the tests of each build and keep.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
KUBE_APISERVER_PATH=$("$root/test/kubernetes/run.sh" path)
CONSUL_PATH=$("$root/test/consul/run.sh" path)
export KUBE_APISERVER_PATH CONSUL_PATH
cd "$root"
node src/build/run-tests.ts "test/registries/*.test.ts"
