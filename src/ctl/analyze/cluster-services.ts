/**
 * The Services of a cluster, to be compared with those of others.
 */
import type { KubernetesApi } from "../../controlplane/kubernetes/api.ts";
import { textAt } from "../../lifecycle/json-path.ts";
import { kindRow } from "../install/cluster/kinds.ts";
import { listObjects } from "../install/cluster/objects.ts";
import type { ClusterServices } from "./checks/multi-cluster.ts";

/** Every cluster has its own of these. */
const ownName = "default/kubernetes";

/** @param cluster as messages call it @throws KubernetesError */
export async function servicesOf(
  api: KubernetesApi,
  cluster: string,
  signal: AbortSignal,
): Promise<ClusterServices> {
  const found = await listObjects(api, kindRow("Service"), {}, signal);
  const services = new Map(
    found.map((service) => {
      const [namespace = "", name = ""] = ["namespace", "name"].map((key) =>
        textAt(service, "metadata", key),
      );
      return [`${namespace}/${name}`, service] as const;
    }),
  );
  services.delete(ownName);
  return { cluster, services };
}
