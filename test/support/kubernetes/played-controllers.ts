/**
 * What Kubernetes' controllers do for an installation, where none run: Deployments have their pods at once, and a namespace that is
 * to go goes.
 */
import type { ApiObject } from "../../../src/controlplane/kubernetes/api.ts";
import { mappingsOf } from "../../../src/controlplane/kubernetes/resource.ts";
import { at, textAt } from "../../../src/lifecycle/json-path.ts";
import { sleep } from "../../../src/lifecycle/sleep.ts";
import type { RealCluster } from "./real-cluster.ts";

export class PlayedControllers implements AsyncDisposable {
  /** Deployments of these names never have a pod that is ready. */
  readonly stuck = new Set<string>();
  /** Deployments of these names have new pods that are never ready: those of before stay, as a rolling update has it. */
  readonly stuckUpdates = new Set<string>();
  readonly #cluster: RealCluster;
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;

  constructor(cluster: RealCluster) {
    this.#cluster = cluster;
    this.#done = this.#run();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      // Objects come and go meanwhile.
      await this.#look().catch(() => undefined);
      await sleep(200, this.#stop.signal);
    }
  }

  async #look(): Promise<void> {
    for (const deployment of mappingsOf((await this.#cluster.get("/apis/apps/v1/deployments"))["items"])) {
      const { name = "", namespace = "" } = namesOf(deployment);
      const replicas = this.stuck.has(name) ? 0 : at(deployment, "spec", "replicas");
      const observedGeneration = at(deployment, "metadata", "generation");
      const isDone = at(deployment, "status", "observedGeneration") === observedGeneration;
      if (isDone && (at(deployment, "status", "availableReplicas") ?? 0) === replicas) continue;
      const all = {
        replicas,
        updatedReplicas: replicas,
        availableReplicas: replicas,
        readyReplicas: replicas,
      };
      const surged = { ...all, replicas: Number(replicas) + 1, updatedReplicas: 1 };
      const status = { observedGeneration, ...(this.stuckUpdates.has(name) ? surged : all) };
      await this.#cluster.putStatus(`/apis/apps/v1/namespaces/${namespace}/deployments/${name}`, status);
    }
    for (const namespace of mappingsOf((await this.#cluster.get("/api/v1/namespaces"))["items"])) {
      const { name = "" } = namesOf(namespace);
      if (at(namespace, "metadata", "deletionTimestamp") === undefined) continue;
      const body = { ...namespace, apiVersion: "v1", kind: "Namespace", spec: { finalizers: [] } };
      const path = `/api/v1/namespaces/${name}/finalize`;
      await this.#cluster.api.send({ method: "PUT", path, body }, this.#stop.signal);
    }
  }
}

function namesOf(object: ApiObject): { readonly name?: string; readonly namespace?: string } {
  const [name, namespace] = ["name", "namespace"].map((field) => textAt(object, "metadata", field));
  return { ...(name === undefined ? {} : { name }), ...(namespace === undefined ? {} : { namespace }) };
}
