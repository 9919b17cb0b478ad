/**
 * What injection is set up with, from the values of the installation and the mesh's settings: read once, and then the same for every
 * pod.
 */
import { configurationLimits } from "../../document/limits.ts";
import { isMapping } from "../../document/mapping.ts";
import { readYaml } from "../../document/yaml.ts";
import { listAt, textAt } from "../../lifecycle/json-path.ts";
import type { Fields, InjectionProblem } from "./pod.ts";
import { injectedNames } from "./previous.ts";
import type { ProxyConfigRule } from "./proxy-configs.ts";
import { type InjectionValues, readInjectionValues } from "./values.ts";

/** Of Istio's MeshConfig what injection acts on. */
export interface InjectionMesh {
  /** ProxyConfig of every proxy, as it was written. */
  readonly defaultConfig: Fields;
  /** ProxyConfig objects, in the order in which they decide. */
  readonly proxyConfigs?: readonly ProxyConfigRule[];
  /** Undefined where it is not said. */
  readonly enablePrometheusMerge?: boolean;
  readonly trustDomain?: string;
  /** Applications are called on loopback (`inboundTrafficPolicy.mode: LOCALHOST`). */
  readonly isInboundLocal?: boolean;
}

/** ProxyConfig of one pod: the mesh's with the annotation laid over it, without defaults. */
export interface PodProxyConfig {
  readonly fields: Fields;
  readonly problems: readonly InjectionProblem[];
}

/** How the agent that is injected reads them. @param annotation `proxy.istio.io/config`, empty for none */
export type ReadProxyConfig = (mesh: Fields, annotation: string) => PodProxyConfig;

/** All that is the same for every pod. */
export interface InjectionSettings {
  readonly values: InjectionValues;
  readonly mesh: InjectionMesh;
  /** By name, what is laid over the sidecar. */
  readonly overlays: ReadonlyMap<string, Fields>;
  /** Of all containers that injection may make. */
  readonly containerNames: readonly string[];
  readonly readProxyConfig: ReadProxyConfig;
}

/** What is made into settings. */
export interface GivenSettings {
  readonly values: Fields;
  readonly mesh: InjectionMesh;
  /** Tag of the image where the values say none. */
  readonly release: string;
  readonly readProxyConfig: ReadProxyConfig;
}

/** The settings, and everything that is wrong with what is given: each counts as if it were left out. */
export function readInjectionSettings({ values: given, mesh, release, readProxyConfig }: GivenSettings): {
  readonly settings: InjectionSettings;
  readonly problems: readonly InjectionProblem[];
} {
  const { values, problems } = readInjectionValues(given, release);
  const told = [...problems, ...readProxyConfig(mesh.defaultConfig, "").problems];
  const overlays = new Map<string, Fields>();
  for (const [name, text] of Object.entries(values.templates)) {
    const path = `sidecarInjectorWebhook.templates.${name}`;
    const overlay = readOverlay(text);
    if (typeof overlay === "string") told.push({ path, message: overlay });
    else overlays.set(name, overlay);
  }
  const containerNames = [...injectedNames, ...[...overlays.values()].flatMap(namesIn)];
  return { settings: { values, mesh, overlays, containerNames, readProxyConfig }, problems: told };
}

/** A part of a pod, or why it is none. */
function readOverlay(text: string): Fields | string {
  if (text.includes("{{"))
    return "is a Go template, and only a part of a pod is taken: write in YAML what is to be laid over the sidecar";
  const read = readYaml(text, configurationLimits);
  if (read.kind === "refused") return read.faults.map(({ message }) => message).join("; ");
  return isMapping(read.value) ? read.value : "must be a mapping with metadata or spec of a pod";
}

function namesIn(overlay: Fields): readonly string[] {
  return ["containers", "initContainers"].flatMap((list) =>
    listAt(overlay, "spec", list).flatMap((container) => textAt(container, "name") ?? []),
  );
}
