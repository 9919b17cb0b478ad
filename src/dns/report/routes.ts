/** `/debug/ndsz` and `/debug/dns`: what the DNS proxy knows, and how it answers a name. */
import type { RecordType } from "dns-packet";
import { type JsonRoute, text } from "../../status/contract/route.ts";
import type { NameInfo } from "../table/name-info.ts";
import type { Explanation } from "./explanation.ts";

/** What they work with. */
export interface DnsParts {
  /** Undefined where there is no DNS proxy. */
  readonly dns:
    | {
        /** Every host of the table; undefined while there is none. */
        infos(): Iterable<NameInfo> | undefined;
        /** Undefined for a name that cannot be asked for. */
        explain(name: string, type: RecordType): Promise<Explanation | undefined>;
      }
    | undefined;
}

/** A table as protobuf writes it in JSON, as Istio's agent shows it. */
export interface ShownTable {
  readonly table: Readonly<Record<string, object>>;
}

const noDns = text(
  404,
  "there is no DNS proxy: ISTIO_META_DNS_CAPTURE or ISTIO_META_ENABLE_DNS_SERVER is not set\n",
);

/** The table as the control plane sent it. */
export const nameTableRoute: JsonRoute<DnsParts, ShownTable> = {
  path: "/debug/ndsz",
  method: "GET",
  scope: "loopback",
  describe: "The name table that the DNS proxy answers from, as JSON.",
  isBody: (answer): answer is ShownTable =>
    typeof answer === "object" && answer !== null && "table" in answer,
  handle: ({ dns }) => {
    if (dns === undefined) return noDns;
    const shown = [...(dns.infos() ?? [])].map(({ host, ips, registry, shortname, namespace, altHosts }) => [
      host,
      {
        ...{ ips, registry },
        ...(shortname === "" ? {} : { shortname }),
        ...(namespace === "" ? {} : { namespace }),
        ...(altHosts.length === 0 ? {} : { altHosts }),
      },
    ]);
    return { kind: "json", value: { table: Object.fromEntries(shown) as ShownTable["table"] } };
  },
};

/** How a name is answered. */
export const explainRoute: JsonRoute<DnsParts, Explanation> = {
  path: "/debug/dns",
  method: "GET",
  scope: "loopback",
  describe: "How the DNS proxy answers `?name=NAME&type=TYPE`, as JSON; `outrider dns` prints it.",
  isBody: (answer): answer is Explanation =>
    typeof answer === "object" && answer !== null && "tried" in answer,
  handle: async ({ dns }, { query }) => {
    if (dns === undefined) return noDns;
    const { explainedTypes } = await import("./explanation.ts");
    const asked = (query.get("type") ?? "A").toUpperCase();
    const type = explainedTypes.find((one) => one === asked);
    if (type === undefined) return text(400, `the type must be one of ${explainedTypes.join(", ")}\n`);
    const explanation = await dns.explain(query.get("name") ?? "", type);
    return explanation === undefined
      ? text(400, "the name is none that can be asked for\n")
      : { kind: "json", value: explanation };
  },
};
