/**
 * Everything that a cluster has, as objects of the mesh.
 *
 * What is wrong with an object costs that object only: it stays as it was last.
 */
import { type ConfigObject, objectId } from "../../config/objects.ts";
import { type ParsedFile, parseObjectOf } from "../../config/parse-documents.ts";
import type { ConfigProblem } from "../../config/problem.ts";
import { isLocality } from "../../config/forms.ts";
import { gatewayApiGroup } from "../../config/rules/selection.ts";
import { writtenKind } from "../../config/schema.ts";
import { mappingOf } from "../../kubernetes/resource.ts";
import type { Original } from "../source.ts";
import type { ClusterNode, ClusterPod } from "./cluster-objects.ts";
import type { Written } from "./resources.ts";
import { type Cluster, localityOf, ServiceEntries } from "./service-entries.ts";

/** What was found. */
export interface FoundObjects {
  readonly pods: Iterable<ClusterPod>;
  readonly written: Iterable<Written>;
  readonly cluster: Cluster;
}

/** What it comes to. */
export interface ClusterConfig {
  readonly objects: readonly ConfigObject[];
  readonly problems: readonly ConfigProblem[];
  /** What was written and may have a status, by `objectId`. */
  readonly originals: ReadonlyMap<string, Original>;
}

/** A Gateway of the Gateway API, which Istio has a kind of that name beside (as `kubectl` tells them apart). */
const gatewayPlace = `Gateway.${gatewayApiGroup}`;

/** Of what Services come to: one word on each is enough, and on all of ten thousand too much. */
const maxServiceProblems = 100;

/** Reads a cluster again and again: what did not change is read once. */
export class ClusterReader {
  readonly #entries: ServiceEntries;
  readonly #parsed = new WeakMap<Written, ParsedFile>();
  readonly #workloads = new WeakMap<
    ClusterPod,
    { readonly locality: string; readonly object: ConfigObject }
  >();
  #served: ReadonlyMap<string, ConfigObject>;

  /**
   * @param domain the cluster's, such as `cluster.local`
   * @param lastGood what was made of it by whoever read it before
   */
  constructor(domain: string, lastGood: readonly ConfigObject[] = []) {
    this.#entries = new ServiceEntries(domain);
    this.#served = new Map(lastGood.filter(isWritten).map((object) => [objectId(object), object]));
  }

  read({ pods, written, cluster }: FoundObjects): ClusterConfig {
    const entries = this.#entries.make(cluster);
    const workloads = [...pods].map((pod) => this.#workloadOf(pod, cluster.node(pod.node)));
    const all = [...written];
    const files = all.map((each) => this.#parse(each));
    const originals = new Map<string, Original>();
    for (const [index, { source, objects, refused }] of files.entries()) {
      const { object } = all[index] ?? {};
      const id = objects[0] === undefined ? refused[0] : objectId(objects[0]);
      if (
        id !== undefined &&
        object !== undefined &&
        mappingOf(object["metadata"])["generation"] !== undefined
      )
        originals.set(id, { source, object });
    }
    const fresh = files.flatMap(({ objects }) => objects);
    const served = this.#served;
    const kept = files.flatMap(({ refused }) => refused.flatMap((id) => served.get(id) ?? []));
    const own = [...fresh, ...kept];
    this.#served = new Map(own.map((object) => [objectId(object), object]));
    // Of what was written the status of each object says it: none may be left out.
    const problems = [
      ...files.flatMap((file) => file.problems),
      ...entries.flatMap((entry) => entry.problems).slice(0, maxServiceProblems),
    ];
    return {
      objects: [...entries.flatMap(({ object }) => object ?? []), ...workloads, ...own],
      problems,
      originals,
    };
  }

  #parse(written: Written): ParsedFile {
    const known = this.#parsed.get(written);
    if (known !== undefined) return known;
    const { namespace, name } = mappingOf(written.object["metadata"]);
    const place = [namespace, name].filter((part) => typeof part === "string").join("/");
    const { apiVersion } = written.object;
    const isOfGatewayApi = written.kind === "Gateway" && String(apiVersion).startsWith(`${gatewayApiGroup}/`);
    const found = parseObjectOf(`${isOfGatewayApi ? gatewayPlace : written.kind} ${place}`, written.object);
    const objects = found.objects.map((object): ConfigObject =>
      object.kind === "Secret" ? { ...object, isInCluster: true } : object,
    );
    const parsed = { ...found, objects };
    this.#parsed.set(written, parsed);
    return parsed;
  }

  /** A pod may be selected by a ServiceEntry, and be a gateway whose certificates are asked for. */
  #workloadOf(pod: ClusterPod, node: ClusterNode | undefined): ConfigObject {
    const [address = ""] = pod.addresses;
    const isIdentityOnly = address === "" || pod.proxy === "none";
    const locality = localityOf(pod, node);
    const before = this.#workloads.get(pod);
    if (before?.locality === locality) return before.object;
    const object: ConfigObject = {
      kind: "WorkloadEntry",
      // It hides no WorkloadEntry that somebody has written.
      name: isIdentityOnly ? `pod:${pod.name}` : pod.name,
      namespace: pod.namespace,
      ...(pod.createdAtMs === undefined ? {} : { createdAtMs: pod.createdAtMs }),
      source: `Pod ${pod.namespace}/${pod.name}`,
      line: 0,
      pod: { isReady: pod.isReady, isIdentityOnly },
      spec: {
        address,
        labels: pod.labels,
        serviceAccount: pod.serviceAccount,
        ...(isLocality(locality) ? { locality } : {}),
      },
    };
    this.#workloads.set(pod, { locality, object });
    return object;
  }
}

/** True for what somebody wrote, rather than what a Service or a Pod comes to. */
function isWritten({ kind, source }: ConfigObject): boolean {
  if (kind === "KubernetesGateway") return source.startsWith(`${gatewayPlace} `);
  return kind !== "MeshConfig" && source.startsWith(`${writtenKind(kind)} `);
}
