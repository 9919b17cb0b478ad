/**
 * The application's probes and hooks, which the agent answers in its stead: the kubelet has no certificate of the mesh, and would be
 * turned away (Istio's "Health Checking of Istio Services"). What they were is told to the agent, and can be read back from there.
 * Pure.
 */
import { configurationLimits } from "../../document/limits.ts";
import { jsonValue } from "../../document/json.ts";
import { isMapping } from "../../document/mapping.ts";
import type { Container, Fields, Pod } from "./pod.ts";

/** Variable of the proxy that has them, as JSON by path. */
export const probersVariable = "ISTIO_KUBE_APP_PROBERS";

/** By path on the status port. */
export type AppProbers = Readonly<Record<string, Fields>>;

/** Where a container has what is asked, and the last part of the path of it. */
const places = [
  { field: "readinessProbe", folder: "app-health", word: "readyz" },
  { field: "livenessProbe", folder: "app-health", word: "livez" },
  { field: "startupProbe", folder: "app-health", word: "startupz" },
  { field: "preStop", folder: "app-lifecycle", word: "prestopz" },
  { field: "postStart", folder: "app-lifecycle", word: "poststartz" },
] as const;

const actions = ["httpGet", "tcpSocket", "grpc"] as const;

/** The pod with its probes at the status port, and what they were. */
export interface RewrittenProbes {
  readonly pod: Pod;
  readonly probers: AppProbers;
  /** Of those that stay as they are, as nobody knows what they ask. */
  readonly warnings: readonly string[];
}

/** Until these are over the kubelet starts no container after an init container. */
const first: readonly string[] = ["startupProbe", "postStart"];

/**
 * @param proxy name of the container that is left alone
 * @param isNative the agent runs before every other init container
 */
export function rewriteProbes(
  pod: Pod,
  { statusPort, proxy, isNative }: { statusPort: number; proxy: string; isNative: boolean },
): RewrittenProbes {
  const probers: Record<string, Fields> = {};
  const warnings: string[] = [];
  const rewritten = (list: string, containers: readonly Container[]): readonly Container[] =>
    containers.map((container, index) => {
      if (container.name === proxy) return container;
      return withProbes(container, (given, { folder, word, field }) => {
        const action = actions.find((one) => isMapping(given[one]));
        if (action === undefined) return given;
        if (list === "initContainers" && !isNative && first.includes(field)) {
          warnings.push(
            `spec.${list}[${index}].${field} stays as it is: the sidecar begins after it. With nativeSidecar it begins before it`,
          );
          return given;
        }
        const asked = given[action] as Fields;
        const port = action === "grpc" ? asked["port"] : numberOf(asked["port"], container);
        if (typeof port !== "number") {
          warnings.push(
            `spec.${list}[${index}].${field}: ${action}.port is ${JSON.stringify(asked["port"])}, which none of the container's ports is called: write its number`,
          );
          return given;
        }
        // Somebody has sent it to the agent already.
        if (port === statusPort) return given;
        const path = `/${folder}/${container.name}/${word}`;
        const timeout = given["timeoutSeconds"];
        probers[path] = {
          [action]: { ...asked, port },
          ...(typeof timeout === "number" && folder === "app-health" ? { timeoutSeconds: timeout } : {}),
        };
        const { httpGet: _http, tcpSocket: _tcp, grpc: _grpc, ...rest } = given;
        const headers = action === "httpGet" ? asked["httpHeaders"] : undefined;
        const host = action === "httpGet" ? asked["host"] : undefined;
        return {
          httpGet: {
            path,
            port: statusPort,
            ...(action === "httpGet" && "scheme" in asked ? { scheme: "HTTP" } : {}),
            ...(host === undefined ? {} : { host }),
            ...(headers === undefined ? {} : { httpHeaders: headers }),
          },
          ...rest,
        };
      });
    });
  return { pod: withContainers(pod, rewritten), probers, warnings };
}

/** The pod with its probes as they were before they were rewritten. */
export function restoreProbes(pod: Pod, text: string): Pod {
  const probers = jsonValue(text, configurationLimits);
  if (!isMapping(probers)) return pod;
  return withContainers(pod, (_list, containers) =>
    containers.map((container) =>
      withProbes(container, (given, { folder, word }) => {
        const path = `/${folder}/${container.name}/${word}`;
        const { httpGet } = given;
        const prober = probers[path];
        if (!isMapping(httpGet) || httpGet["path"] !== path || !isMapping(prober)) return given;
        const action = actions.find((one) => isMapping(prober[one]));
        const { httpGet: _, ...rest } = given;
        return action === undefined ? given : { [action]: prober[action], ...rest };
      }),
    ),
  );
}

function withContainers(
  pod: Pod,
  change: (list: string, containers: readonly Container[]) => readonly Container[],
): Pod {
  const { containers, initContainers } = pod.spec;
  return {
    ...pod,
    spec: {
      ...pod.spec,
      ...(initContainers && { initContainers: change("initContainers", initContainers) }),
      containers: change("containers", containers),
    },
  };
}

/** The container with each of its probes and hooks changed. */
function withProbes(
  container: Container,
  change: (given: Fields, place: (typeof places)[number]) => Fields,
): Container {
  let changed = container;
  for (const place of places) {
    const isHook = place.folder === "app-lifecycle";
    const holder = isHook ? changed["lifecycle"] : changed;
    const given = isMapping(holder) ? holder[place.field] : undefined;
    if (!isMapping(holder) || !isMapping(given)) continue;
    const now = { [place.field]: change(given, place) };
    changed = isHook ? { ...changed, lifecycle: { ...holder, ...now } } : { ...changed, ...now };
  }
  return changed;
}

/** A port may be given by its name. */
function numberOf(port: unknown, { ports = [] }: Container): unknown {
  if (typeof port !== "string") return port;
  if (/^\d+$/.test(port)) return Number(port);
  return ports.find((each) => each["name"] === port)?.["containerPort"];
}
