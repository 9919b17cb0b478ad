/**
 * Applications whose metrics are merged, in words: `PORT:PATH,PORT:PATH`, as in Istio's annotation
 * prometheus.istio.io/scrape-targets.
 */
import { isWithin, ports } from "../../schema/range.ts";
import type { Setting } from "../../schema/setting.ts";
import type { ScrapeTarget } from "../../scrape/options.ts";

/** None unless told. */
export function scrapeTargets(describe: string): Setting<readonly ScrapeTarget[]> {
  return {
    type: "string",
    default: [],
    defaultText: "",
    describe,
    parse: parseScrapeTargets,
    kind: "a list of ports and paths such as 8080:/metrics,9090",
  };
}

/** Undefined for what is no such list. */
export function parseScrapeTargets(text: string): readonly ScrapeTarget[] | undefined {
  const targets = text
    .split(",")
    .filter((entry) => entry.trim() !== "")
    .map((entry) => {
      const [, port = "", path = ""] = /^\s*(\d{1,5})(?::(\S*))?\s*$/.exec(entry) ?? [];
      return scrapeTarget(port, path);
    });
  return targets.every((target) => target !== undefined) ? targets : undefined;
}

/** Undefined where there is no such port, or where the path cannot be asked for. An empty path is `/metrics`. */
export function scrapeTarget(port: string, path: string): ScrapeTarget | undefined {
  const number = /^\d{1,5}$/.test(port) ? Number(port) : 0;
  const written = path === "" ? "/metrics" : path.startsWith("/") ? path : `/${path}`;
  // What may stand in a request line, but for a quote and a backslash: the path is a label of metrics as well.
  return isWithin(number, ports) && /^[\x21\x24-\x5b\x5d-\x7e]+$/.test(written)
    ? { port: number, path: written }
    : undefined;
}
