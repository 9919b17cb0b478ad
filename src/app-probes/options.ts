/**
 * Probes and lifecycle hooks of the application that the kubelet makes through the agent (Istio's
 * ISTIO_KUBE_APP_PROBERS): the injector has put the agent's port and these paths in place of the application's.
 */

/** One of them, as Kubernetes has it, without the headers, which the kubelet still sends. */
export type AppProber = (
  | {
      readonly kind: "http";
      readonly scheme: "http" | "https";
      /** Path and query, as they go into a request. */
      readonly path: string;
    }
  | { readonly kind: "tcp" }
  | { readonly kind: "grpc"; readonly service: string }
) & {
  readonly port: number;
  /** In milliseconds; 0 leaves it to whoever asks. */
  readonly timeoutMs: number;
};

/** All of them. */
export interface AppProbesOptions {
  /** By the path that the kubelet asks the agent for. */
  readonly probers: ReadonlyMap<string, AppProber>;
  /** Address of the application: one that this machine has. */
  readonly host: string;
  /** Address to connect from, which is not captured; undefined leaves it to the kernel. */
  readonly sourceAddress: string | undefined;
  /** Port of the agent itself: where a Host names it, the application's is meant. */
  readonly statusPort: number;
  /** Offer HTTP/2 in TLS. */
  readonly offersHttp2: boolean;
  /** Keep connections without TLS from one probe to the next. */
  readonly keepsConnections: boolean;
}
