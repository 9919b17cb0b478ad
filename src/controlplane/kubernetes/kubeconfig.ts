/**
 * The API as a kubeconfig names it: contexts, client certificates, tokens, and the programs that give credentials.
 *
 * The client library of Kubernetes reads it, and costs 82 MiB and 0.6 s: it is loaded where a kubeconfig is used, which
 * is beside a cluster rather than in it.
 */
import type { OutgoingHttpHeaders } from "node:http";
import type { RequestOptions } from "node:https";
import { errorMessage } from "../../lifecycle/error-message.ts";
import type { Credentials, KubernetesAccess } from "./access.ts";

/** Which cluster of which file. */
export interface KubeconfigTarget {
  readonly file: string;
  /** Undefined for the file's current one. */
  readonly context?: string | undefined;
  /** More files, whose contexts, clusters and users are joined with the first one's (`KUBECONFIG`). */
  readonly others?: readonly string[];
  /** The flag that names a context, for messages. */
  readonly contextFlag?: string;
}

/** A kubeconfig that cannot be used; the message says what to do. */
export class KubeconfigError extends Error {
  override readonly name = "KubeconfigError";
}

/** @throws KubeconfigError */
export async function kubeconfigAccess({
  file,
  context,
  others = [],
  contextFlag = "--kubeContext",
}: KubeconfigTarget): Promise<KubernetesAccess> {
  const { KubeConfig } = await import("@kubernetes/client-node/dist/config.js");
  const config = new KubeConfig();
  try {
    config.loadFromFile(file);
    for (const path of others) {
      const more = new KubeConfig();
      more.loadFromFile(path);
      config.mergeConfig(more, true);
    }
  } catch (error) {
    throw new KubeconfigError(
      `--kubeconfig ${file} cannot be used: ${errorMessage(error)}. Name a kubeconfig`,
      {
        cause: error,
      },
    );
  }
  if (context !== undefined) config.setCurrentContext(context);
  const cluster = config.getCurrentCluster();
  if (cluster === null) {
    const names = config.contexts.map(({ name }) => name).join(", ");
    throw new KubeconfigError(
      `--kubeconfig ${file} has no context ${JSON.stringify(config.currentContext)}: name one of ${names || "none"} by ${contextFlag}`,
    );
  }
  return {
    server: cluster.server.replace(/\/$/, ""),
    namespace: config.getContextObject(config.getCurrentContext())?.namespace,
    credentials: async (): Promise<Credentials> => {
      const options: Omit<RequestOptions, "headers"> & { headers: OutgoingHttpHeaders } = { headers: {} };
      await config.applyToHTTPSOptions(options);
      const { agent, headers, auth, ...rest } = options;
      const basic =
        typeof auth === "string" ? { authorization: `Basic ${Buffer.from(auth).toString("base64")}` } : {};
      // Its own agent opens a connection for each request, and is for proxies.
      return {
        ...rest,
        headers: { ...headers, ...basic },
        ...(cluster.proxyUrl === undefined ? {} : { agent }),
      };
    },
  };
}
