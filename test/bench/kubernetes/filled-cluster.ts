/** A real API of Kubernetes with many services and pods, which change. */
import { severalAtOnce } from "../../../src/lifecycle/several-at-once.ts";
import type { ApiObject } from "../../../src/controlplane/kubernetes/api.ts";
import type { RealCluster } from "../../support/kubernetes/real-cluster.ts";

export interface ClusterSize {
  readonly services: number;
  readonly podsPerService: number;
  readonly namespaces: number;
}

/** Requests to the API at once. */
const atOnce = 32;

/** One pod, by the number of its service and its own. */
interface PodPlace {
  readonly service: number;
  readonly pod: number;
}

export class FilledCluster {
  readonly #cluster: RealCluster;
  readonly #size: ClusterSize;
  readonly #signal = new AbortController().signal;
  #changes = 0;

  private constructor(cluster: RealCluster, size: ClusterSize) {
    this.#cluster = cluster;
    this.#size = size;
  }

  /** Fill it: each service with a slice of its pods, which have sidecars and are ready. */
  static async fill(cluster: RealCluster, size: ClusterSize): Promise<FilledCluster> {
    const filled = new FilledCluster(cluster, size);
    for (let at = 0; at < size.namespaces; at += 1) await cluster.namespace(`scale-${at}`);
    await severalAtOnce([...Array(size.services).keys()], atOnce, async (service) => {
      await filled.#post("/api/v1", "services", filled.#service(service));
      for (let pod = 0; pod < size.podsPerService; pod += 1) await filled.#makePod({ service, pod });
      await filled.#post("/apis/discovery.k8s.io/v1", "endpointslices", filled.#slice(service, []));
    });
    return filled;
  }

  /**
   * One pod is ready no more, or is again: its status says so, and its service's slice, which are two requests, as a kubelet and the
   * controller of slices make them.
   */
  async change(): Promise<void> {
    const turn = this.#changes;
    this.#changes += 1;
    const { services, podsPerService } = this.#size;
    const service = turn % services;
    const pod = Math.floor(turn / services) % podsPerService;
    const isReady = Math.floor(turn / (services * podsPerService)) % 2 === 1;
    const namespace = this.#namespaceOf(service);
    const contentType = "application/merge-patch+json";
    await this.#cluster.api.send(
      {
        method: "PATCH",
        path: `/api/v1/namespaces/${namespace}/pods/s${service}-${pod}/status`,
        contentType,
        body: { status: { conditions: [{ type: "Ready", status: isReady ? "True" : "False" }] } },
      },
      this.#signal,
    );
    const { endpoints } = this.#slice(service, isReady ? [] : [pod]);
    const path = `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices/s${service}`;
    await this.#cluster.api.send({ method: "PATCH", path, contentType, body: { endpoints } }, this.#signal);
  }

  #namespaceOf(service: number): string {
    return `scale-${service % this.#size.namespaces}`;
  }

  async #makePod(place: PodPlace): Promise<void> {
    const { service, pod } = place;
    const namespace = this.#namespaceOf(service);
    const name = `s${service}-${pod}`;
    const labels = { app: `s${service}`, "security.istio.io/tlsMode": "istio" };
    await this.#post("/api/v1", "pods", {
      ...{ apiVersion: "v1", kind: "Pod", metadata: { name, namespace, labels } },
      spec: { serviceAccountName: "default", nodeName: "n1", containers: [{ name: "app", image: "app" }] },
    });
    const ip = addressOf(place);
    await this.#cluster.putStatus(`/api/v1/namespaces/${namespace}/pods/${name}`, {
      phase: "Running",
      podIP: ip,
      podIPs: [{ ip }],
      conditions: [{ type: "Ready", status: "True" }],
    });
  }

  #service(service: number): ApiObject {
    return {
      ...{ apiVersion: "v1", kind: "Service" },
      metadata: { name: `s${service}`, namespace: this.#namespaceOf(service) },
      spec: { ports: [{ name: "http", port: 80 }], selector: { app: `s${service}` } },
    };
  }

  /** @param idle pods that are not ready */
  #slice(service: number, idle: readonly number[]): ApiObject {
    const namespace = this.#namespaceOf(service);
    const name = `s${service}`;
    return {
      ...{ apiVersion: "discovery.k8s.io/v1", kind: "EndpointSlice", addressType: "IPv4" },
      metadata: { name, namespace, labels: { "kubernetes.io/service-name": name } },
      ports: [{ name: "http", port: 8080, protocol: "TCP" }],
      endpoints: Array.from({ length: this.#size.podsPerService }, (_, pod) => ({
        addresses: [addressOf({ service, pod })],
        conditions: { ready: !idle.includes(pod) },
        nodeName: "n1",
        targetRef: { kind: "Pod", name: `s${service}-${pod}`, namespace },
      })),
    };
  }

  async #post(root: string, plural: string, body: ApiObject): Promise<void> {
    const { namespace } = body["metadata"] as { readonly namespace: string };
    const path = `${root}/namespaces/${namespace}/${plural}`;
    await this.#cluster.api.send({ method: "POST", path, body }, this.#signal);
  }
}

/** Of the range for tests of benchmarks (RFC 2544). */
function addressOf({ service, pod }: PodPlace): string {
  const number = service * 64 + pod;
  return `198.${18 + (number >> 16)}.${(number >> 8) & 255}.${number & 255}`;
}
