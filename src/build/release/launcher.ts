/**
 * How the release is started: its own Node.js with flags that suit a sidecar.
 */

/** Flags of Node.js and V8. The code cache is bound to them. */
export const nodeFlags: readonly string[] = ["--max-semi-space-size=1"];

/** Text of `bin/outrider`: a shell is a millisecond, a second Node.js would be fifty. */
export function launcher(): string {
  return `#!/bin/sh
# Starts this release with its own Node.js.
self=$0
if [ -L "$self" ]; then self=$(readlink -f "$self"); fi
case $self in */*) release=\${self%/*}/.. ;; *) release=.. ;; esac
exec ${['"$release/lib/node"', ...nodeFlags, '"$release/lib/outrider.cjs"', '"$@"'].join(" ")}
`;
}
