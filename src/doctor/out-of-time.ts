/**
 * A check that had no time: that says something of this machine, and nothing of what it was to look at.
 */
import { type Finding, warning } from "./finding.ts";

/** Who was asked for less than this, in milliseconds, has not been silent: nobody has listened. */
export const fairMs = 1_000;

/** The finding in place of a verdict. */
export function outOfTime(name: string, seen: string): Finding {
  return warning(
    name,
    seen,
    "run outrider doctor again; when it stays so, the machine is too busy for an Envoy to start in time",
  );
}
