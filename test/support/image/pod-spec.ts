/** The part of Kubernetes' Pod that the tests' kubelet understands; it refuses what it does not. */

export interface EnvVar {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: {
    readonly fieldRef?: { readonly fieldPath: string };
    readonly resourceFieldRef?: { readonly resource: string };
  };
}

export interface Hook {
  readonly exec?: { readonly command: readonly string[] };
}

export interface Probe {
  readonly httpGet?: { readonly path: string; readonly port: number };
}

export interface ContainerSpec {
  readonly name: string;
  readonly image: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: readonly EnvVar[];
  readonly restartPolicy?: "Always";
  readonly resources?: { readonly limits?: Readonly<Record<string, string>> };
  readonly securityContext?: {
    readonly runAsUser?: number;
    readonly capabilities?: { readonly add?: readonly string[]; readonly drop?: readonly string[] };
    readonly readOnlyRootFilesystem?: boolean;
  };
  readonly startupProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly lifecycle?: { readonly postStart?: Hook; readonly preStop?: Hook };
  readonly volumeMounts?: readonly {
    readonly name: string;
    readonly mountPath: string;
    readonly readOnly?: boolean;
  }[];
}

export interface Volume {
  readonly name: string;
  readonly emptyDir?: { readonly medium?: string };
  readonly downwardAPI?: {
    readonly items: readonly { readonly path: string; readonly fieldRef: { readonly fieldPath: string } }[];
  };
  readonly projected?: {
    readonly sources: readonly { readonly serviceAccountToken?: { readonly path: string } }[];
  };
  readonly configMap?: { readonly name: string };
  readonly secret?: { readonly secretName: string };
}

export interface PodSpec {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: {
    readonly serviceAccountName: string;
    readonly terminationGracePeriodSeconds?: number;
    readonly shareProcessNamespace?: boolean;
    readonly initContainers?: readonly ContainerSpec[];
    readonly containers: readonly ContainerSpec[];
    readonly volumes?: readonly Volume[];
  };
}

/** What volumes are filled from. */
export interface Cluster {
  /** Of the pod's service account. */
  readonly token: string;
  /** ConfigMaps and secrets by name. */
  readonly objects: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** What the cluster knows of the pod. */
export interface PodStatus {
  readonly podIp: string;
  readonly hostIp: string;
}

/** Kubernetes' quantities: processors, or bytes. @throws Error for another form */
export function quantity(text: string): number {
  const [, digits = "", unit = ""] = /^(\d+(?:\.\d+)?)(m|k|M|G|Ki|Mi|Gi)?$/.exec(text) ?? [];
  const factors: Readonly<Record<string, number>> = {
    ...{ "": 1, m: 1e-3, k: 1e3, M: 1e6, G: 1e9 },
    ...{ Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30 },
  };
  if (digits === "") throw new Error(`${text} is no quantity`);
  return Number(digits) * (factors[unit] ?? 1);
}

function field(path: string, pod: PodSpec, status: PodStatus): string {
  const lines = (values: Readonly<Record<string, string>> = {}): string =>
    Object.entries(values)
      .map(([name, value]) => `${name}=${JSON.stringify(value)}\n`)
      .join("");
  const values: Readonly<Record<string, string>> = {
    "metadata.name": pod.metadata.name,
    "metadata.namespace": pod.metadata.namespace,
    "metadata.labels": lines(pod.metadata.labels),
    "metadata.annotations": lines(pod.metadata.annotations),
    "metadata.uid": "0d1ce1f4-0000-4000-8000-000000000000",
    "spec.serviceAccountName": pod.spec.serviceAccountName,
    "spec.nodeName": "node-1",
    "status.podIP": status.podIp,
    "status.hostIP": status.hostIp,
  };
  const value = values[path];
  if (value === undefined) throw new Error(`no field ${path} is known`);
  return value;
}

/** The container's variables, in the order in which later ones may name earlier ones. */
export function environmentOf(
  container: ContainerSpec,
  pod: PodSpec,
  status: PodStatus,
): Readonly<Record<string, string>> {
  const env: Record<string, string> = {};
  for (const { name, value, valueFrom } of container.env ?? []) {
    if (value !== undefined) env[name] = expand(value, env);
    else if (valueFrom?.fieldRef !== undefined) env[name] = field(valueFrom.fieldRef.fieldPath, pod, status);
    else if (valueFrom?.resourceFieldRef !== undefined) {
      const limit =
        container.resources?.limits?.[valueFrom.resourceFieldRef.resource.replace(/^limits\./, "")];
      if (limit !== undefined) env[name] = String(Math.ceil(quantity(limit)));
    } else env[name] = "";
  }
  return env;
}

/** `$(NAME)` as Kubernetes replaces it; one that is not known stays as it is. */
export function expand(text: string, env: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\$\(([A-Za-z_][A-Za-z0-9_]*)\)/g, (whole, name: string) => env[name] ?? whole);
}

/** Names and contents of a volume's files; undefined for one that is empty. */
export function filesOf(
  volume: Volume,
  pod: PodSpec,
  status: PodStatus,
  cluster: Cluster,
): Readonly<Record<string, string>> | undefined {
  if (volume.emptyDir !== undefined) return undefined;
  if (volume.downwardAPI !== undefined)
    return Object.fromEntries(
      volume.downwardAPI.items.map(({ path, fieldRef }) => [path, field(fieldRef.fieldPath, pod, status)]),
    );
  if (volume.projected !== undefined)
    return Object.fromEntries(
      volume.projected.sources.flatMap(({ serviceAccountToken }) =>
        serviceAccountToken === undefined ? [] : [[serviceAccountToken.path, cluster.token]],
      ),
    );
  const files = cluster.objects[volume.configMap?.name ?? volume.secret?.secretName ?? ""];
  if (files === undefined) throw new Error(`the volume ${volume.name} is of no known kind`);
  return files;
}
