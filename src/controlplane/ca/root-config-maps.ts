/**
 * The mesh's root in every namespace: the ConfigMap `istio-ca-root-cert` that agents and injected pods mount (as istiod writes
 * it). What somebody else made of it is made right again.
 */
import { type Backoff, backoffDelayMs } from "../../lifecycle/backoff.ts";
import { errorMessage } from "../../lifecycle/error-message.ts";
import { sleep } from "../../lifecycle/sleep.ts";
import { TaskGroup } from "../../lifecycle/task-group.ts";
import { Timer } from "../../lifecycle/timer.ts";
import { Watch } from "../../lifecycle/watch.ts";
import type { Logger } from "../../telemetry/log.ts";
import type { KubernetesApi } from "../kubernetes/api.ts";
import { KubernetesError } from "../kubernetes/api-error.ts";
import { Reflector } from "../kubernetes/reflector.ts";
import { mappingOf, type Resource, textOf, textsOf } from "../kubernetes/resource.ts";

/** Its name and its key. */
const mapName = "istio-ca-root-cert";
const key = "root-cert.pem";

/** Whose ConfigMaps it is, for whoever looks. */
const labels = { "istio.io/config": "true" };

/** Namespaces of Kubernetes' own, where nothing of the mesh runs (as in Istio). */
const passedOver = ["kube-system", "kube-public", "kube-node-lease", "local-path-storage"];

/** After a write that failed, in milliseconds. */
const againMs = 2_000;

/** Somebody else may write the same map again and again: of one namespace it is made right ever less often then. */
const backoff: Backoff = { initialMs: 1_000, multiplier: 2, maxMs: 60_000, jitter: 0.2 };

/** What has stayed right for so long is disputed by nobody, in milliseconds. */
const undisputedMs = 120_000;

/** Writes to a namespace's map that somebody else undid. */
interface Dispute {
  readonly pem: string;
  readonly writes: number;
  /** Not before, by the same clock. */
  readonly nextAtMs: number;
}

interface Namespace {
  readonly name: string;
  readonly isTerminating: boolean;
}

interface RootMap {
  readonly namespace: string;
  readonly pem: string;
}

const namespaces: Resource<Namespace> = {
  plural: "namespaces",
  group: "",
  versions: ["v1"],
  keep: ({ status }, { name }) => ({ name, isTerminating: mappingOf(status)["phase"] === "Terminating" }),
};

const maps: Resource<RootMap> = {
  plural: "configmaps",
  group: "",
  versions: ["v1"],
  fieldSelector: `metadata.name=${mapName}`,
  keep: ({ data }, { namespace }) => ({ namespace, pem: textOf(textsOf(data)[key]) }),
};

/** Write it where it is missing or another one, until `signal` aborts. @param root PEM, as it is now */
export async function keepRootConfigMaps(
  { api, root, log }: { readonly api: KubernetesApi; readonly root: Watch<string>; readonly log: Logger },
  signal: AbortSignal,
): Promise<void> {
  const changes = new Watch(0);
  const onChange = (): void => {
    changes.set(changes.current + 1);
  };
  await using tasks = new TaskGroup();
  const [known, written] = [new Reflector(namespaces, api, onChange), new Reflector(maps, api, onChange)];
  const stop = AbortSignal.any([signal, tasks.signal]);
  tasks.spawn("follow-namespaces", () => known.run(stop));
  tasks.spawn("follow-root-maps", () => written.run(stop));
  tasks.spawn("follow-root", async () => {
    for await (const _ of root.changes(stop)) onChange();
  });
  const told = new Map<string, string>();
  const disputes = new Map<string, Dispute>();
  const timers = new Map<string, Timer>();
  using cleanUp = new DisposableStack();
  cleanUp.defer(() => {
    for (const timer of timers.values()) timer.cancel();
  });
  for await (const _ of changes.changes(stop)) {
    if (!known.isListed || !written.isListed) continue;
    for (const { name, isTerminating } of known.values()) {
      if (stop.aborted) return;
      if (isTerminating || passedOver.includes(name)) continue;
      const map = written.get(`${name}/${mapName}`);
      if (map?.pem === root.current) continue;
      const now = performance.now();
      const last = disputes.get(name);
      if (last?.pem === root.current && now < last.nextAtMs) {
        timers.get(name)?.cancel();
        timers.set(name, new Timer(last.nextAtMs - now, onChange));
        continue;
      }
      try {
        await write(api, name, map !== undefined, root.current, stop);
        told.delete(name);
        const isDisputed = last?.pem === root.current && now - last.nextAtMs < undisputedMs;
        const writes = isDisputed ? last.writes + 1 : 1;
        const waitMs = backoffDelayMs(backoff, writes - 1, Math.random());
        disputes.set(name, { pem: root.current, writes, nextAtMs: performance.now() + waitMs });
      } catch (error) {
        if (stop.aborted) return;
        // Gone, or made by another since: the watch tells.
        if (error instanceof KubernetesError && ["NOT_FOUND", "CONFLICT"].includes(error.code)) continue;
        const reason = errorMessage(error);
        if (told.get(name) !== reason)
          log.warn("the root is not written", { namespace: name, map: mapName, reason });
        told.set(name, reason);
        await sleep(againMs, stop);
        onChange();
      }
    }
  }
}

async function write(
  api: KubernetesApi,
  namespace: string,
  isThere: boolean,
  pem: string,
  signal: AbortSignal,
): Promise<void> {
  const path = `/api/v1/namespaces/${namespace}/configmaps`;
  const data = { [key]: pem };
  if (isThere) {
    const contentType = "application/merge-patch+json";
    await api.send({ method: "PATCH", path: `${path}/${mapName}`, contentType, body: { data } }, signal);
    return;
  }
  const body = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: mapName, namespace, labels }, data };
  await api.send({ method: "POST", path, body }, signal);
}
