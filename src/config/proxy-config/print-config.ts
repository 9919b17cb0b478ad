/**
 * The effective ProxyConfig for whoever wonders where a value came from: YAML, with the source behind each value, and
 * the flags likewise, as comments below it.
 */
import { redacted } from "../../telemetry/redact.ts";
import { isSecretName } from "../../telemetry/secret-names.ts";
import type { ConfigSources } from "../sources/config-sources.ts";
import type { ConfigProblem } from "../../schema/config-problem.ts";
import { proxyFlagOrigins } from "../sources/proxy-flags.ts";
import { readEffectiveConfig } from "./effective-config.ts";
import { isMapping } from "../../document/mapping.ts";

/** The lines, and everything that keeps this configuration from being used. */
export function configLines(sources: Pick<ConfigSources, "env" | "flags" | "readFile">): {
  readonly lines: readonly string[];
  readonly problems: readonly ConfigProblem[];
} {
  const problems: ConfigProblem[] = [];
  const { merged, warnings } = readEffectiveConfig(sources, problems);
  const { fields, origins } = merged;
  const lines = Object.entries(fields)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, value]) => {
      const source = origins.get(name);
      if (source === undefined && isMapping(value)) {
        const entries = Object.entries(value).map(
          ([key, entry]) =>
            `  ${yaml(key)}: ${yaml(entry, key)} # ${origins.get(`${name}.${key}`) ?? "default"}`,
        );
        return [`${name}:`, ...entries];
      }
      return [`${name}: ${yaml(value, name)} # ${source ?? "default"}`];
    });
  const flags = proxyFlagOrigins(sources).map(
    ({ name, texts, source }) => `# --${name}=${texts.map(shell).join(",")} # ${source ?? "default"}`,
  );
  return { lines: [...warnings.map((warning) => `# ${warning}`), ...lines, ...flags], problems };
}

/** As a command line would give it; in one line, whatever it holds. */
function shell(text: string): string {
  return /^[\w./:,-]*$/.test(text) ? text : JSON.stringify(text);
}

/** JSON is YAML; a token is nobody's to read. */
function yaml(value: unknown, name = ""): string {
  return JSON.stringify(value, (key, entry: unknown) =>
    typeof entry === "string" && isSecretName(key === "" ? name : key) ? redacted : entry,
  );
}
