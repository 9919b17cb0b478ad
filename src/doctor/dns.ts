/**
 * Names of the control plane, as the agent resolves them, and the resolver's configuration (resolv.conf(5)).
 */
import { failure, type Finding, ok, warning } from "./finding.ts";
import { fairMs, outOfTime } from "./out-of-time.ts";

/** What became of a name. */
export type Resolution =
  | { readonly kind: "resolved"; readonly addresses: readonly string[]; readonly tookMs: number }
  /** getaddrinfo's code: `ENOTFOUND`, `EAI_AGAIN`. */
  | { readonly kind: "failed"; readonly code: string; readonly tookMs: number }
  | { readonly kind: "silent"; readonly tookMs: number };

/** What `/etc/resolv.conf` says. */
export interface ResolverConfig {
  readonly nameservers: readonly string[];
  readonly search: readonly string[];
  readonly ndots: number;
}

const name = "dns";

/** A name that takes longer delays each connection to the control plane. */
const slowMs = 1_000;

/** @param setting what names the host */
export function judgeResolution(
  host: string,
  setting: string,
  resolution: Resolution,
  config: ResolverConfig,
): Finding {
  const servers = config.nameservers.length === 0 ? "none" : config.nameservers.join(", ");
  const resolver = `nameservers ${servers}; search ${config.search.join(" ") || "none"}; ndots ${config.ndots}`;
  const check = `check ${setting} and /etc/resolv.conf`;
  switch (resolution.kind) {
    case "resolved": {
      const seen = `${host} is ${resolution.addresses.join(", ")}, after ${resolution.tookMs} ms`;
      if (resolution.tookMs < slowMs) return ok(name, seen);
      return warning(
        name,
        `${seen} (${resolver})`,
        "look for a nameserver that does not answer, or end the name with a dot to leave the search list out",
      );
    }
    case "failed":
      return failure(
        name,
        `${host} is not resolved: ${resolution.code} after ${resolution.tookMs} ms (${resolver})`,
        resolution.code === "ENOTFOUND"
          ? `${check}: the nameserver knows no such name; short names need the search list of the pod`
          : `${check}: the nameserver does not answer or fails`,
      );
    case "silent":
      if (resolution.tookMs < fairMs) {
        return outOfTime(name, `${host}: only ${resolution.tookMs} ms were left to resolve it`);
      }
      return failure(
        name,
        `${host} is not resolved within ${resolution.tookMs} ms (${resolver})`,
        `${check}: the nameserver does not answer. Is its address reachable from here?`,
      );
  }
}

/** The lines that matter; the last `search` counts, as in the resolver. */
export function parseResolvConf(text: string): ResolverConfig {
  const lines = text.split("\n").map((line) =>
    line
      .replace(/[#;].*$/, "")
      .trim()
      .split(/\s+/),
  );
  const values = (keyword: string): readonly (readonly string[])[] =>
    lines.filter(([first]) => first === keyword).map(([, ...rest]) => rest);
  const options = values("options").flat();
  const ndots = options.findLast((option) => option.startsWith("ndots:"));
  return {
    nameservers: values("nameserver").flatMap(([address]) => address ?? []),
    search: values("search").at(-1) ?? [],
    ndots: ndots === undefined ? 1 : Number(ndots.slice("ndots:".length)),
  };
}
