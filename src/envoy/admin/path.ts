/**
 * What Envoy's admin will make of a request target.
 *
 * Envoy decodes, merges slashes and resolves dots, backslashes and parameters of segments before it looks for a
 * handler, so that many texts mean /quitquitquit. Only the one that needs none of this is taken: what it means is what
 * it says, in this version of Envoy and in the next.
 */

/** The target, or why it is refused. */
export type AdminTarget =
  | { readonly kind: "known"; readonly path: string; readonly query: string }
  | { readonly kind: "refused"; readonly reason: string };

/** Segments of letters, digits and what else Envoy's handlers have in their names, then anything printable but a fragment. */
const canonical = /^(\/(?:[\w.-]+(?:\/[\w.-]+)*)?)(?:\?([\x21\x22\x24-\x7e]*))?$/;

/** Read the target of a request line. */
export function readAdminTarget(target: string): AdminTarget {
  const [, path, query = ""] = canonical.exec(target) ?? [];
  if (path === undefined || path.split("/").some((segment) => segment === "." || segment === ".."))
    return {
      kind: "refused",
      reason:
        "the path must be plain: /segments of letters, digits, - . and _, with one slash between them, nothing encoded, " +
        "no . or .. and no fragment",
    };
  return { kind: "known", path, query };
}
