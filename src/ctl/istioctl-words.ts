/**
 * What istioctl calls a command in one of its releases, so that scripts and hands that know it are understood. Pure.
 */

/** Short names, and names that a later release gave to the same thing. */
export const otherNames: Readonly<Record<string, string>> = {
  ps: "proxy-status",
  pc: "proxy-config",
  d: "dashboard",
  "kube-inject": "inject",
  apply: "install",
};

/** Words that say nothing but that a command may change. */
export const prefixes: readonly string[] = ["x", "experimental", "exp"];

/** The same command line in outriderctl's own words. */
export function fromIstioctl(argv: readonly string[]): readonly string[] {
  const [first = "", ...rest] = argv;
  if (prefixes.includes(first)) return fromIstioctl(rest);
  if (first === "revision" && rest[0] === "tag") return rest;
  // 1.5 installs by `manifest apply`.
  const [second = ""] = rest;
  if (first === "manifest" && ["apply", "install"].includes(second)) return ["install", ...rest.slice(1)];
  return [otherNames[first] ?? first, ...rest].filter((word, index) => index > 0 || word !== "");
}
