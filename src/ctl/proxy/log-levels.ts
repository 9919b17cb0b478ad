/**
 * Levels of Envoy's loggers, as `--level` takes them.
 */

/** Envoy's own names (https://www.envoyproxy.io/docs/envoy/latest/operations/cli, `--log-level`). */
const levels = ["trace", "debug", "info", "warning", "error", "critical", "off"] as const;

/** What is wrong with `debug` or `http:debug,rbac:info`, each part by itself; which loggers there are only an Envoy knows. */
export function levelProblems(given: string | undefined): readonly string[] {
  if (given === undefined) return [];
  const parts = given.split(",");
  const isOne = parts.length === 1 && !given.includes(":");
  return parts.flatMap((part) => {
    const [, level = ""] = (isOne ? /^(.*)$/s : /^[^:]+:(.*)$/s).exec(part) ?? [];
    if (levels.some((known) => known === level)) return [];
    return [
      `--level: ${JSON.stringify(part)} is not ${isOne ? "LEVEL" : "LOGGER:LEVEL"} with a level of ${levels.join(", ")}`,
    ];
  });
}
