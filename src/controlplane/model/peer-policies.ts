/**
 * PeerAuthentications by the namespace that they are for: each endpoint of the mesh asks for its own.
 */
import type { PeerAuthenticationSpec } from "../config/objects.ts";
import { hasSelector, type Scoped, type Selectable, selects } from "./model.ts";

/** Those that count for a workload. */
export type CountingPeerPolicies = Readonly<
  Record<"own" | "ofNamespace" | "ofMesh", PeerAuthenticationSpec | undefined>
>;

/** The policies of one namespace, the oldest first. */
interface NamespacePolicies {
  readonly selecting: readonly PeerAuthenticationSpec[];
  readonly forAll: PeerAuthenticationSpec | undefined;
}

/** All of a mesh. */
export class PeerPolicies {
  readonly #byNamespace: ReadonlyMap<string, NamespacePolicies>;
  readonly #ofMesh: PeerAuthenticationSpec | undefined;
  readonly #rootNamespace: string;

  /** @param policies the oldest first */
  constructor(policies: readonly Scoped<PeerAuthenticationSpec>[], rootNamespace: string) {
    const byNamespace = Map.groupBy(policies, ({ namespace }) => namespace);
    this.#byNamespace = new Map(
      [...byNamespace].map(([namespace, own]) => [
        namespace,
        {
          selecting: own.map(({ spec }) => spec).filter(hasSelector),
          forAll: own.find(({ spec }) => !hasSelector(spec))?.spec,
        },
      ]),
    );
    this.#ofMesh = this.#byNamespace.get(rootNamespace)?.forAll;
    this.#rootNamespace = rootNamespace;
  }

  /** One that selects workloads counts in its own namespace, not in the root one. */
  of({ namespace, labels }: Selectable): CountingPeerPolicies {
    const there = namespace === this.#rootNamespace ? undefined : this.#byNamespace.get(namespace);
    return {
      own: there?.selecting.find(({ selector }) => selects(selector?.matchLabels ?? {}, labels)),
      ofNamespace: there?.forAll,
      ofMesh: this.#ofMesh,
    };
  }
}
