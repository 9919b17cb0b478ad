# Real programs that tests run against: each is built from its Go module once, and kept in the cache. Sourced by their run.sh.

# Prints the path of a program. Arguments: its name, its package, the version of its module, and what prepares the module that it is
# built in, where something has to.
go_program() {
  local name=$1 package=$2 version=$3 prepare=${4:-true}
  local cached=${XDG_CACHE_HOME:-$HOME/.cache}/outrider/$name-$version/$name
  if [[ ! -x $cached ]]; then
    command -v go >/dev/null || {
      echo "building $name needs Go: install it, or name a program by the variable that run.sh reads" >&2
      return 1
    }
    # Not with `||` behind it, under which -e would count for nothing.
    (
      set -euo pipefail
      work=$(mktemp -d)
      trap 'rm -rf "$work"' EXIT
      cd "$work"
      go mod init built-for-tests
      "$prepare"
      go get "$package@$version"
      CGO_ENABLED=0 go build -mod=mod -ldflags='-s -w' -o "$name" "$package"
      mkdir -p "$(dirname "$cached")"
      mv "$name" "$cached"
    ) >&2
    [[ -x $cached ]] || return 1
  fi
  echo "$cached"
}
