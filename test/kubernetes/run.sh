#!/usr/bin/env bash
# Runs the tests against a real API of Kubernetes: the kube-apiserver that KUBE_APISERVER_PATH names, else one built from its Go
# module and kept in the cache. Building takes some eight minutes of one processor the first time. etcd comes from the system
# (Debian's etcd-server), or from ETCD_PATH. The definitions of Istio's and the Gateway API's kinds are those of their own Go modules.
# With ISTIOCTL_PATH injection is compared with Istio's own.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
version=v1.36.3
. "$root/test/support/go-program.sh"

# k8s.io/kubernetes leaves its own parts at v0.0.0: each is of the same release.
with_own_parts() {
  go mod edit -require "k8s.io/kubernetes@$version"
  go mod download -json "k8s.io/kubernetes@$version" | sed -n 's/.*"GoMod": "\(.*\)",/\1/p' |
    xargs sed -n 's|^\t\(k8s.io/[a-z0-9-]*\) => ./staging.*|\1|p' |
    while read -r part; do go mod edit -replace "$part=$part@v0.${version#v1.}"; done
}

command -v "${ETCD_PATH:-etcd}" >/dev/null || { echo "these tests need etcd: install etcd-server, or set ETCD_PATH" >&2; exit 1; }
KUBE_APISERVER_PATH=${KUBE_APISERVER_PATH:-$(go_program kube-apiserver k8s.io/kubernetes/cmd/kube-apiserver "$version" with_own_parts)}
export KUBE_APISERVER_PATH
# Others need the program only.
[[ ${1:-} != path ]] || { echo "$KUBE_APISERVER_PATH"; exit; }

# Where a module of Go is, from its proxy or from what was fetched before.
module() {
  command -v go >/dev/null || { echo "the definitions of custom kinds are in modules of Go: install it" >&2; exit 1; }
  go mod download -json "$1" | sed -n 's/.*"Dir": "\(.*\)".*/\1/p'
}

cd "$root"
ISTIO_API_PATH=${ISTIO_API_PATH:-$(module istio.io/api@v1.31.0-rc.0.0.20260824154656-b943409680a7)}
GATEWAY_API_PATH=${GATEWAY_API_PATH:-$(module sigs.k8s.io/gateway-api@v1.6.0)}
export ISTIO_API_PATH GATEWAY_API_PATH
node src/build/run-tests.ts "test/kubernetes/*.test.ts"
