/** Flags of a control plane that follows a cluster, with a port of its own for the webhook. */
import { freePorts } from "../free-ports.ts";
import type { RealCluster } from "./real-cluster.ts";

/** @param token of its service account */
export async function followedCluster(cluster: RealCluster, token: string): Promise<readonly string[]> {
  const [webhook = 0] = await freePorts(1);
  return [
    ...["--registries=Kubernetes", "--kubeconfig", cluster.kubeconfig(token)],
    ...["--httpsPort", String(webhook)],
  ];
}
