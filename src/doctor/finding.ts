/**
 * What a check found: a verdict, what was seen, and what to do about it.
 */

/** From "go on" to "this will not work". */
export type Verdict = "ok" | "warning" | "failure";

/** One finding. Names are stable, the words are for people. */
export type Finding =
  | { readonly name: string; readonly verdict: "ok"; readonly seen: string }
  | {
      readonly name: string;
      readonly verdict: "warning" | "failure";
      readonly seen: string;
      /** What to do, naming the setting. */
      readonly remedy: string;
    };

/** Nothing to do. */
export function ok(name: string, seen: string): Finding {
  return { name, verdict: "ok", seen };
}

/** The sidecar runs, but something that is promised may not hold. */
export function warning(name: string, seen: string, remedy: string): Finding {
  return { name, verdict: "warning", seen, remedy };
}

/** The sidecar does not start, does not become ready, or does not stay alive. */
export function failure(name: string, seen: string, remedy: string): Finding {
  return { name, verdict: "failure", seen, remedy };
}
