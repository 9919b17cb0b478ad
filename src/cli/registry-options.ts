/**
 * Which registries the control plane follows beside its folder.
 */
import { isHost } from "../controlplane/config/forms.ts";
import type { ClusterVariables } from "../controlplane/kubernetes/in-cluster.ts";
import type { KubernetesOptions } from "../controlplane/kubernetes/open.ts";
import type { ConsulTarget } from "../controlplane/registry/consul/blocking-query.ts";
import type { NomadTarget } from "../controlplane/registry/nomad/nomad-api.ts";
import { readRegularFile } from "../files/read-regular-file.ts";
import { errorMessage } from "../lifecycle/error-message.ts";
import type { SettingValues } from "../schema/setting.ts";
import type { discoveryFlags } from "./discovery-flags.ts";

type Flags = SettingValues<typeof discoveryFlags>;

/** Flags that say something of Consul. */
const consulFlags = ["consulserverURL", "consulTokenFile", "consulCaFile", "consulDatacenter"] as const;

/** Flags that say something of Nomad. */
const nomadFlags = [
  "nomadAddress",
  "nomadTokenFile",
  "nomadCaFile",
  "nomadNamespace",
  "nomadRegion",
] as const;

/** Flags that say something of Kubernetes. */
const kubernetesFlags = ["kubeconfig", "kubeContext"] as const;

/** As istiod has them, or had them, and Nomad. */
const known = ["Kubernetes", "Consul", "Nomad"] as const;

/** What can be followed, by its flags. */
export interface RegistryTargets {
  readonly kubernetes: KubernetesOptions | undefined;
  readonly consul: ConsulTarget | undefined;
  readonly nomad: NomadTarget | undefined;
}

type RegistryFlags = Pick<
  Flags,
  | "registries"
  | "domain"
  | "jwksFile"
  | "jwtIssuer"
  | (typeof consulFlags)[number]
  | (typeof nomadFlags)[number]
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
    nomad: has("Nomad", nomadFlags) ? nomadTarget(flags, refuse) : undefined,
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
  const problem = urlProblem(url, { name: "Consul", usual: defaultUrl, tokenFlag: "consulTokenFile" });
  if (problem !== undefined) refuse("consulserverURL", problem);
  // A token that comes later is waited for, and so is Consul; what stays as it is has to be there.
  refuseUnreadable("consulCaFile", caFile, refuse);
  if (datacenter !== undefined && !/^[a-z0-9_-]{1,64}$/i.test(datacenter))
    refuse("consulDatacenter", "is no name of a datacentre: letters, digits, - and _, at most 64");
  return { url, tokenFile, caFile, datacenter };
}

/** Where Nomad's agent listens unless it is told otherwise. */
const defaultNomadAddress = "http://127.0.0.1:4646";

function nomadTarget(flags: RegistryFlags, refuse: Refuse): NomadTarget {
  const { nomadTokenFile: tokenFile, nomadCaFile: caFile, nomadNamespace, nomadRegion: region } = flags;
  const url = flags.nomadAddress ?? defaultNomadAddress;
  const problem = urlProblem(url, { name: "Nomad", usual: defaultNomadAddress, tokenFlag: "nomadTokenFile" });
  if (problem !== undefined) refuse("nomadAddress", problem);
  refuseUnreadable("nomadCaFile", caFile, refuse);
  if (nomadNamespace !== undefined && !/^(?:\*|[a-z0-9-]{1,128})$/i.test(nomadNamespace))
    refuse("nomadNamespace", "is no name of a namespace: letters, digits and dashes, at most 128; or *");
  if (region !== undefined && !/^[\w.-]{1,128}$/.test(region))
    refuse("nomadRegion", "is no name of a region: letters, digits, -, _ and ., at most 128");
  return { url, tokenFile, caFile, namespace: nomadNamespace ?? "*", region };
}

function refuseUnreadable(
  flag: "consulCaFile" | "nomadCaFile",
  file: string | undefined,
  refuse: Refuse,
): void {
  if (file === undefined) return;
  try {
    readRegularFile(file);
  } catch (error) {
    refuse(flag, `${file} cannot be read: ${errorMessage(error)}. Name a file of certificates`);
  }
}

/** The URL itself is not repeated: it may hold a password. */
function urlProblem(
  text: string,
  { name, usual, tokenFlag }: { readonly name: string; readonly usual: string; readonly tokenFlag: string },
): string | undefined {
  const url = URL.parse(text);
  if (url === null || !["http:", "https:"].includes(url.protocol)) return `is not a URL such as ${usual}`;
  if (url.username !== "" || url.password !== "")
    return `holds a user or password, which ${name} does not read: put its token into --${tokenFlag}`;
  return url.search !== "" || url.hash !== ""
    ? "holds more than a scheme, a host, a port and a path"
    : undefined;
}
