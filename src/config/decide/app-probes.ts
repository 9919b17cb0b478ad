/**
 * Probes of the application, from what Istio's injector writes of them (ISTIO_KUBE_APP_PROBERS).
 */
import type { AppProber, AppProbesOptions } from "../../app-probes/options.ts";
import { readJson } from "../../document/json.ts";
import { configurationLimits } from "../../document/limits.ts";
import { isMapping } from "../../document/mapping.ts";
import { isLoopback } from "../../net/loopback.ts";
import { type ConfigProblem, shown } from "../../schema/config-problem.ts";
import { message, port, smallCount, text, type Value } from "../proxy-config/field.ts";
import { type FieldFault, readField } from "../proxy-config/read-field.ts";
import type { Environment } from "../sources/environment.ts";
import { requestPath } from "./request-path.ts";
import { sourceFor, type WorkloadPlace } from "./workload-health.ts";

const variable = "ISTIO_KUBE_APP_PROBERS";

const paths = /^\/(app-health|app-lifecycle)\/[^/]+\/(livez|readyz|startupz|prestopz|poststartz)$/;

const kinds = ["httpGet", "tcpSocket", "grpc"] as const;

/** As Kubernetes has it. The kubelet's request brings the headers, and the agent knows the host. */
const proberRow = message({
  httpGet: message({ path: text, port, scheme: text }),
  tcpSocket: message({ port }),
  grpc: message({ port, service: text }),
  timeoutSeconds: smallCount,
});

/** Where the application is, and by which port the agent is asked. */
export interface AppPlace extends WorkloadPlace {
  /** Loopback of the family that this pod has. */
  readonly localhost: string;
  readonly statusPort: number;
}

/** Undefined when there are none. Everything wrong with them is added to `problems`. */
export function appProbesOptions(
  env: Environment,
  place: AppPlace,
  problems: ConfigProblem[],
): AppProbesOptions | undefined {
  const probers = readProbers(env.ISTIO_KUBE_APP_PROBERS, problems);
  if (probers.size === 0) return undefined;
  const host = env.REWRITE_PROBE_LEGACY_LOCALHOST_DESTINATION ? place.localhost : ownAddress(place);
  return {
    probers,
    host,
    sourceAddress: place.isCaptured ? sourceFor(host) : undefined,
    statusPort: place.statusPort,
    offersHttp2: env.ISTIO_ENABLE_HTTP2_PROBING,
    keepsConnections: env.ENABLE_PROBE_KEEPALIVE_CONNECTIONS,
  };
}

/** The pod's address, where this machine has it: others know a machine behind a NAT by an address that it has not. */
function ownAddress({ addresses, local, localhost }: AppPlace): string {
  return addresses.find((address) => isLoopback(address) || local.includes(address)) ?? localhost;
}

/** By the paths that the agent is asked for. */
export function readProbers(value: string, problems: ConfigProblem[]): ReadonlyMap<string, AppProber> {
  const probers = new Map<string, AppProber>();
  if (value === "") return probers;
  const refuse = (path: string, what: string): undefined => {
    problems.push({ source: variable, path, message: what });
    return undefined;
  };
  const document = readJson(value, configurationLimits);
  if (document.kind === "refused") {
    for (const fault of document.faults) refuse("", fault.message);
    return probers;
  }
  if (!isMapping(document.value)) {
    refuse("", "is not a mapping of paths to probes");
    return probers;
  }
  for (const [path, given] of Object.entries(document.value)) {
    if (!paths.test(path)) refuse(path, "is not like /app-health/<container>/{livez,readyz,startupz}");
    const prober = readProber(given, (inside, what) =>
      refuse(inside === "" ? path : `${path}.${inside}`, what),
    );
    if (prober !== undefined) probers.set(path, prober);
  }
  return probers;
}

type Refuse = (path: string, message: string) => undefined;

function readProber(given: unknown, refuse: Refuse): AppProber | undefined {
  const faults: FieldFault[] = [];
  const read = readField(proberRow, given ?? {}, "", faults) as Value<typeof proberRow> | undefined;
  // A probe of Kubernetes has more fields, which are the kubelet's.
  const wrong = faults.filter(({ kind }) => kind !== "unknown");
  for (const { path, message: what } of wrong) refuse(path, what);
  if (wrong.length > 0 || read === undefined) return undefined;
  const [kind, ...others] = kinds.filter((name) => read[name] !== undefined);
  if (kind === undefined || others.length > 0) {
    const found = kind === undefined ? "none is given" : `${[kind, ...others].join(" and ")} are given`;
    return refuse("", `needs exactly one of ${kinds.join(", ")}; ${found}`);
  }
  const at = read[kind]?.port;
  if (at === undefined) return refuse(`${kind}.port`, "is required: the number of the port to ask");
  const common = { port: at, timeoutMs: (read.timeoutSeconds ?? 0) * 1_000 };
  switch (kind) {
    case "httpGet": {
      const { path = "", scheme = "" } = read.httpGet ?? {};
      const lower = scheme.toLowerCase() || "http";
      if (lower !== "http" && lower !== "https")
        return refuse("httpGet.scheme", `${shown(scheme)} is not HTTP or HTTPS`);
      return { kind: "http", scheme: lower, path: requestPath(path), ...common };
    }
    case "tcpSocket":
      return { kind: "tcp", ...common };
    case "grpc":
      return { kind: "grpc", service: read.grpc?.service ?? "", ...common };
  }
}
