/**
 * Which registries the control plane follows beside its folder.
 */
import { isHost } from "../controlplane/config/forms.ts";
import type { ClusterVariables } from "../controlplane/kubernetes/in-cluster.ts";
import type { KubernetesOptions } from "../controlplane/kubernetes/open.ts";
import type { ConsulTarget } from "../controlplane/registry/consul/blocking-query.ts";
import { readRegularFile } from "../files/read-regular-file.ts";
import { errorMessage } from "../lifecycle/error-message.ts";
import type { SettingValues } from "../schema/setting.ts";
import type { discoveryFlags } from "./discovery-flags.ts";

type Flags = SettingValues<typeof discoveryFlags>;

/** Flags that say something of Consul. */
const consulFlags = ["consulserverURL", "consulTokenFile", "consulCaFile", "consulDatacenter"] as const;

/** Flags that say something of Kubernetes. */
const kubernetesFlags = ["kubeconfig", "kubeContext"] as const;

/** As istiod has them. */
const known = ["Kubernetes", "Consul"] as const;

/** What can be followed, by its flags. */
export interface RegistryTargets {
  readonly kubernetes: KubernetesOptions | undefined;
  readonly consul: ConsulTarget | undefined;
}

type RegistryFlags = Pick<
  Flags,
  | "registries"
  | "domain"
  | "jwksFile"
  | "jwtIssuer"
  | (typeof consulFlags)[number]
  | (typeof kubernetesFlags)[number]
>;

type Refuse = (flag: keyof Flags, message: string) => void;

/** @param refuse is told what cannot be used, by its flag */
export function registryTargets(
  flags: RegistryFlags,
  variables: ClusterVariables,
  refuse: Refuse,
): RegistryTargets {
  const names = flags.registries.split(",").flatMap((name) => name.trim() || []);
  for (const name of names)
    if (!known.some((each) => each === name))
      refuse("registries", `${JSON.stringify(name)} is not one of ${known.join(", ")}`);
  const has = (name: (typeof known)[number], of: readonly (keyof RegistryFlags)[]): boolean => {
    if (names.includes(name)) return true;
    for (const flag of of)
      if (flags[flag] !== undefined) refuse(flag, `is for ${name}: add --registries=${name}, or remove it`);
    return false;
  };
  return {
    kubernetes: has("Kubernetes", kubernetesFlags) ? kubernetesTarget(flags, variables, refuse) : undefined,
    consul: has("Consul", consulFlags) ? consulTarget(flags, refuse) : undefined,
  };
}

function kubernetesTarget(
  { kubeconfig: file, kubeContext: context, domain, jwksFile, jwtIssuer }: RegistryFlags,
  variables: ClusterVariables,
  refuse: Refuse,
): KubernetesOptions {
  const reviewsTokens = jwksFile === undefined && jwtIssuer === undefined;
  if (!isHost(domain) || domain.startsWith("*"))
    refuse("domain", `${JSON.stringify(domain)} is no domain such as cluster.local`);
  if (file === undefined) {
    if (context !== undefined) refuse("kubeContext", "is of a file: name it by --kubeconfig");
    if (!variables.KUBERNETES_SERVICE_HOST)
      refuse("registries", "Kubernetes is outside of a cluster here: name a file by --kubeconfig");
    return { variables, domain, reviewsTokens };
  }
  try {
    readRegularFile(file);
  } catch (error) {
    refuse("kubeconfig", `${file} cannot be read: ${errorMessage(error)}. Name a kubeconfig`);
  }
  return { kubeconfig: { file, context }, variables, domain, reviewsTokens };
}

/** Where Consul's agent listens unless it is told otherwise. */
const defaultUrl = "http://127.0.0.1:8500";

function consulTarget(flags: RegistryFlags, refuse: Refuse): ConsulTarget {
  const { consulTokenFile: tokenFile, consulCaFile: caFile, consulDatacenter: datacenter } = flags;
  const url = flags.consulserverURL ?? defaultUrl;
  const problem = urlProblem(url);
  if (problem !== undefined) refuse("consulserverURL", problem);
  // A token that comes later is waited for, and so is Consul; what stays as it is has to be there.
  if (caFile !== undefined) {
    try {
      readRegularFile(caFile);
    } catch (error) {
      refuse("consulCaFile", `${caFile} cannot be read: ${errorMessage(error)}. Name a file of certificates`);
    }
  }
  if (datacenter !== undefined && !/^[a-z0-9_-]{1,64}$/i.test(datacenter))
    refuse("consulDatacenter", "is no name of a datacentre: letters, digits, - and _, at most 64");
  return { url, tokenFile, caFile, datacenter };
}

/** The URL itself is not repeated: it may hold a password. */
function urlProblem(text: string): string | undefined {
  const url = URL.parse(text);
  if (url === null || !["http:", "https:"].includes(url.protocol))
    return "is not a URL such as http://127.0.0.1:8500";
  if (url.username !== "" || url.password !== "")
    return "holds a user or password, which Consul does not read: put its token into --consulTokenFile";
  return url.search !== "" || url.hash !== ""
    ? "holds more than a scheme, a host, a port and a path"
    : undefined;
}
