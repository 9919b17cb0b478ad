/**
 * The API as every pod may reach it: by the variables and the service account's files that Kubernetes puts into it.
 */
import { join } from "node:path";
import { readRegularFile, readRegularText } from "../../files/read-regular-file.ts";
import type { KubernetesAccess } from "./access.ts";

/** Where Kubernetes mounts the token and the roots. */
export const serviceAccountFolder = "/var/run/secrets/kubernetes.io/serviceaccount";

/** What says where the API is. */
export interface ClusterVariables {
  readonly KUBERNETES_SERVICE_HOST?: string | undefined;
  readonly KUBERNETES_SERVICE_PORT?: string | undefined;
}

/** Undefined where these variables are not set: this is no pod. */
export function inClusterAccess(
  { KUBERNETES_SERVICE_HOST: host = "", KUBERNETES_SERVICE_PORT: port = "" }: ClusterVariables,
  folder = serviceAccountFolder,
): KubernetesAccess | undefined {
  if (host === "" || port === "") return undefined;
  return {
    server: `https://${host.includes(":") ? `[${host}]` : host}:${port}`,
    credentials: () =>
      Promise.resolve().then(() => ({
        ca: readRegularFile(join(folder, "ca.crt")),
        // The kubelet puts a new one there before it expires.
        headers: {
          authorization: `Bearer ${readRegularText(join(folder, "token"), { maxBytes: 65_536 }).trim()}`,
        },
      })),
  };
}
