/**
 * A template laid over a pod: its containers, volumes and Secrets beside the pod's own, and what others have added to injected
 * containers since (a token that the API server mounts, variables of another webhook) with them. Pure.
 */
import { merged } from "./merge.ts";
import type { Container, Fields, InjectionProblem, Named, Pod } from "./pod.ts";
import type { Original } from "./previous.ts";
import { probersVariable } from "./probes.ts";
import { scrapeVariable } from "./prometheus.ts";
import type { Template } from "./template/template.ts";
import { volumeNames } from "./template/volumes.ts";

/** Beside the template. */
export interface Layers {
  readonly original: Original;
  /** That the proxy gets besides. */
  readonly variables: readonly Named[];
}

/** A container's image that stands for the one of injection, as the API wants one to be there. */
const autoImage = "auto";

/** A pod with the template's containers at the ends of its lists. */
export function layTemplate(
  pod: Pod,
  template: Template,
  { original, variables }: Layers,
): { readonly pod: Pod; readonly problems: readonly InjectionProblem[] } {
  const problems: InjectionProblem[] = [];
  const named = (list: readonly Container[], { name }: Container): Container | undefined =>
    list.find((each) => each.name === name);
  const overrides = [...original.overrides.containers, ...original.overrides.initContainers];
  const finished = (container: Container): Container => {
    const { env = [] } = container;
    const whole =
      container.name === "istio-proxy" ? { ...container, env: [...env, ...variables] } : container;
    const override = named(overrides, container);
    return overridden(withAdded(whole, named(original.previous, container), override), override);
  };
  const { spec } = template;
  const { initContainers = [], volumes = [], imagePullSecrets = [] } = pod.spec;
  const { containers: _c, initContainers: _i, volumes: _v, imagePullSecrets: _s, ...others } = spec;
  const secrets = merged({ imagePullSecrets }, { imagePullSecrets: spec.imagePullSecrets }).imagePullSecrets;
  const laid = mergedVolumes(volumes, spec.volumes, { original, problems });
  const all = [...initContainers, ...spec.initContainers.map(finished)];
  return {
    problems,
    pod: {
      ...pod,
      spec: {
        // What the pod itself says counts.
        ...merged(others, pod.spec),
        ...(all.length > 0 ? { initContainers: all } : {}),
        containers: [...pod.spec.containers, ...spec.containers.map(finished)],
        ...(laid.length > 0 ? { volumes: laid } : {}),
        ...(secrets.length > 0 ? { imagePullSecrets: secrets } : {}),
      },
    },
  };
}

/** Variables that injection alone makes, whatever another injection needed. */
const isOurs = (name: string): boolean =>
  /^ISTIO_META_(?:POD_PORTS|APP_CONTAINERS|CLUSTER_ID|NODE_NAME|INTERCEPTION_MODE|NETWORK|WORKLOAD_NAME|OWNER|MESH_ID)$/.test(
    name,
  ) ||
  [
    ...["REWRITE_PROBE_LEGACY_LOCALHOST_DESTINATION", "PILOT_CERT_PROVIDER", "CA_ADDR", "POD_NAME"],
    ...["POD_NAMESPACE", "INSTANCE_IP", "SERVICE_ACCOUNT", "HOST_IP", "ISTIO_CPU_LIMIT", "PROXY_CONFIG"],
    ...[
      "ISTIO_BOOTSTRAP_OVERRIDE",
      "TRUST_DOMAIN",
      "GOMEMLIMIT",
      "GOMAXPROCS",
      probersVariable,
      scrapeVariable,
    ],
  ].includes(name);

/** What somebody else has added to the container since it was injected. */
function withAdded(
  container: Container,
  previous: Container | undefined,
  override: Container | undefined,
): Container {
  if (previous === undefined) return container;
  const { env = [], volumeMounts = [] } = container;
  const names = new Set(env.map(({ name }) => name));
  const own = new Set((override?.env ?? []).map(({ name }) => name));
  const paths = new Set(volumeMounts.map(({ mountPath }) => mountPath));
  const variables = (previous.env ?? []).filter(
    ({ name }) => !names.has(name) && (!isOurs(name) || own.has(name)),
  );
  const mounts = (previous.volumeMounts ?? []).filter(({ mountPath }) => !paths.has(mountPath));
  const others = Object.entries(previous).filter(
    ([name]) => !(name in container) && !ownFields.includes(name),
  );
  return {
    ...container,
    ...Object.fromEntries(others),
    ...(env.length + variables.length > 0 ? { env: [...env, ...variables] } : {}),
    ...(volumeMounts.length + mounts.length > 0 ? { volumeMounts: [...volumeMounts, ...mounts] } : {}),
  };
}

/** Fields that injection leaves out where it means none. */
const ownFields: readonly string[] = [
  ...[
    "restartPolicy",
    "lifecycle",
    "startupProbe",
    "readinessProbe",
    "imagePullPolicy",
    "env",
    "volumeMounts",
  ],
];

/** With what the pod itself says of it. */
function overridden(container: Container, override: Container | undefined): Container {
  if (override === undefined) return container;
  const { image, ...rest } = override;
  return merged(
    container,
    image === undefined || image === autoImage || image === "" ? rest : { ...rest, image },
  );
}

/** Volumes that a platform brings, such as SPIRE's CSI driver: the pod's own counts. */
const platforms: readonly string[] = ["workload-socket", "credential-socket", "workload-certs"];

/** A volume that the pod has under one of our names may add to ours, and be no other kind of volume. */
function mergedVolumes(
  own: readonly Named[],
  ours: readonly Named[],
  { original, problems }: { readonly original: Original; readonly problems: InjectionProblem[] },
): readonly Named[] {
  const made = new Set(original.previousVolumes.map(({ name }) => name));
  const byName = new Map(ours.map((volume) => [volume.name, volume]));
  const known = new Set(own.map(({ name }) => name));
  const kept = own.flatMap((volume, index): readonly Named[] => {
    const template = byName.get(volume.name);
    if (template === undefined)
      return made.has(volume.name) && volumeNames.includes(volume.name) ? [] : [volume];
    if (kindOf(volume) === kindOf(template)) return [merged(volume, template)];
    if (platforms.includes(volume.name) && kindOf(template) === "emptyDir") return [volume];
    if (made.has(volume.name)) return [template];
    problems.push({
      path: `spec.volumes[${index}].name`,
      message: `${volume.name} is the name of a volume of the sidecar's: choose another`,
    });
    return [volume];
  });
  return [...kept, ...ours.filter(({ name }) => !known.has(name))];
}

/** Where a volume comes from, such as `emptyDir`. */
function kindOf(volume: Fields): string {
  return Object.keys(volume)
    .filter((name) => name !== "name")
    .join();
}
