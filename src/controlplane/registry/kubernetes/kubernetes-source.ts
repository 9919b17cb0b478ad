/**
 * A cluster as a source: its services, its pods, and Istio's objects in it.
 *
 * Nothing is said before everything is known: half of a cluster would be taken for all of it. From then on a kind whose
 * watch is gone keeps what it had last, and everything else is followed.
 */
import { isDeepStrictEqual } from "node:util";
import { sleep } from "../../../lifecycle/sleep.ts";
import { TaskGroup } from "../../../lifecycle/task-group.ts";
import { type ReadonlyWatch, Watch } from "../../../lifecycle/watch.ts";
import type { ConfigObject } from "../../config/objects.ts";
import type { ConfigProblem } from "../../config/problem.ts";
import { kinds } from "../../config/schema.ts";
import type { KubernetesApi } from "../../kubernetes/api.ts";
import { KubernetesError } from "../../kubernetes/api-error.ts";
import { Reflector } from "../../kubernetes/reflector.ts";
import type { Resource } from "../../kubernetes/resource.ts";
import type { ConfigSource, SourceState } from "../source.ts";
import type { SourceHealth } from "../source-health.ts";
import { ClusterReader } from "./cluster-config.ts";
import type { ClusterNode, ClusterPod, ClusterService, ClusterSlice } from "./cluster-objects.ts";
import { nodes, pods, services, slices, type Written, writtenResources } from "./resources.ts";

/** What to follow. */
export interface KubernetesSourceOptions {
  readonly api: KubernetesApi;
  /** The cluster's, such as `cluster.local`. */
  readonly domain: string;
  /** Quiet time after a change before it is told, in milliseconds. */
  readonly debounceMs: number;
  /** Longest that changes may hold each other up, in milliseconds. */
  readonly debounceMaxMs: number;
  /** What it had when a control plane followed it last: of an object that is refused that stays. */
  readonly lastGood?: readonly ConfigObject[];
}

/**
 * Longest that changes of endpoints hold each other up, in milliseconds: in a large cluster there is always one, each is whole by
 * itself, and calls fail until it is told.
 */
const endpointsMaxMs = 500;

/** The failure in a row from which on it is told: a server that is started anew is gone for a moment. */
const toldFrom = 3;

/** Follows a cluster until disposed. */
export class KubernetesSource implements ConfigSource, AsyncDisposable {
  readonly name = "kubernetes";
  readonly #options: KubernetesSourceOptions;
  readonly #states = new Watch<SourceState>({ kind: "broken", problems: [] });
  /** How often something has changed. */
  readonly #changes = new Watch(0);
  /** When the first change of endpoints came that is not told yet. */
  #endpointsSince: number | undefined;
  readonly #tasks = new TaskGroup();
  readonly #reader: ClusterReader;
  readonly #services: Reflector<ClusterService>;
  readonly #slices: Reflector<ClusterSlice>;
  readonly #pods: Reflector<ClusterPod>;
  readonly #nodes: Reflector<ClusterNode>;
  readonly #written: readonly Reflector<Written>[];

  /** Starts to follow. */
  constructor(options: KubernetesSourceOptions) {
    this.#options = options;
    this.#reader = new ClusterReader(options.domain, options.lastGood);
    const follow = <T>(resource: Resource<T>): Reflector<T> => {
      const isOfEndpoints = [slices.plural, pods.plural].includes(resource.plural);
      const reflector = new Reflector(resource, options.api, () => {
        if (isOfEndpoints) this.#endpointsSince ??= performance.now();
        this.#changes.set(this.#changes.current + 1);
      });
      this.#tasks.spawn(`follow-${resource.plural}.${resource.group}`, (signal) => reflector.run(signal));
      return reflector;
    };
    this.#services = follow(services);
    this.#slices = follow(slices);
    this.#pods = follow(pods);
    this.#nodes = follow(nodes);
    this.#written = writtenResources.map(follow);
    this.#tasks.spawn("tell-cluster", (signal) => this.#follow(signal));
  }

  get states(): ReadonlyWatch<SourceState> {
    return this.#states;
  }

  readonly health = (): SourceHealth => {
    const failing = this.#all.flatMap((reflector) =>
      reflector.state.kind === "failing" && !isWithout(reflector) ? [reflector.state] : [],
    );
    const told = failing.filter(({ failures }) => failures >= toldFrom);
    const since = Math.min(...told.map((state) => state.since.atMs));
    return {
      isUp: told.length === 0,
      ageMs: told.length === 0 ? 0 : performance.now() - since,
      failures: this.#all.reduce((sum, { failures }) => sum + failures, 0),
    };
  };

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tasks[Symbol.asyncDispose]();
  }

  get #all(): readonly Reflector[] {
    return [this.#services, this.#slices, this.#pods, this.#nodes, ...this.#written];
  }

  async #follow(signal: AbortSignal): Promise<void> {
    for await (const _ of this.#changes.changes(signal)) {
      await this.#quiet(signal);
      if (!signal.aborted) this.#tell();
    }
  }

  /** Until nothing has changed for a while. */
  async #quiet(signal: AbortSignal): Promise<void> {
    const { debounceMs, debounceMaxMs } = this.#options;
    let latestAt = performance.now() + debounceMaxMs;
    let seen: number;
    do {
      seen = this.#changes.current;
      latestAt = Math.min(latestAt, (this.#endpointsSince ?? Infinity) + endpointsMaxMs);
      await sleep(Math.min(debounceMs, debounceMaxMs), signal);
    } while (this.#changes.current !== seen && performance.now() < latestAt && !signal.aborted);
  }

  #tell(): void {
    this.#endpointsSince = undefined;
    const problems = this.#problems();
    if (!this.#all.every(isKnown)) {
      if (!isDeepStrictEqual(this.#states.current.problems, problems))
        this.#states.set({ kind: "broken", problems });
      return;
    }
    const found = this.#reader.read({
      pods: this.#pods.values(),
      written: this.#written.flatMap((reflector) => [...reflector.values()]),
      cluster: {
        services: this.#services.values(),
        slices: this.#slices.values(),
        pod: (key) => this.#pods.get(key),
        node: (name) => this.#nodes.get(`/${name}`),
      },
    });
    const { objects, originals } = found;
    this.#states.set({ kind: "read", objects, originals, problems: [...problems, ...found.problems] });
  }

  /** Each reason once, with the kinds for which it is: a server that is gone is so for all of them. */
  #problems(): readonly ConfigProblem[] {
    const { server } = this.#options.api;
    return this.#all.flatMap((reflector): readonly ConfigProblem[] => {
      const { state, resource, isListed } = reflector;
      const source = `kubernetes ${server}`;
      const kind = resource.group === "" ? resource.plural : `${resource.plural}.${resource.group}`;
      if (state.kind === "absent" && state.dropped > 0) {
        const message = `the cluster has the kind ${kind} no more: its ${state.dropped} objects do not count. Create its CustomResourceDefinition where they are to`;
        return [{ source, line: 0, path: "", message, severity: "warning" }];
      }
      if (state.kind !== "failing" || state.failures < toldFrom) return [];
      const reason = state.error.message;
      if (isWithout(reflector) && resource.mayBeRefused === true)
        return [{ source, line: 0, path: "", message: `${reason}: none are served`, severity: "warning" }];
      if (isWithout(reflector)) {
        const message = `${reason}, with list and watch of ${kind}: none are served`;
        return [{ source, line: 0, path: "", message }];
      }
      const kept = isListed ? `. What it had at ${state.since.at.toISOString()} is served` : "";
      return [{ source, line: 0, path: "", message: `${reason}${kept}` }];
    });
  }
}

/**
 * A kind that is not for us to see costs that kind only: Secrets are for gateways, and a cluster without any needs to show none; a
 * role may be older than a kind. Not so where a mesh without it would let in whom its policies keep out.
 */
function isWithout({ isListed, state, resource }: Reflector): boolean {
  if (isListed || state.kind !== "failing") return false;
  if (!(state.error instanceof KubernetesError) || state.error.code !== "FORBIDDEN") return false;
  if (resource.mayBeRefused === true) return true;
  const isSpared = resource.isOptional === true && resource.group !== kinds.AuthorizationPolicy.group;
  // A server that starts refuses everybody for a moment.
  return isSpared && state.failures >= toldFrom;
}

function isKnown(reflector: Reflector): boolean {
  return reflector.isListed || isWithout(reflector);
}
