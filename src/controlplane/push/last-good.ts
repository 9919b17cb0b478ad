/**
 * What was well before proxies refused what came after it, for those that come later and refuse the same: each has it
 * from a proxy that was told the same, and only for what it has refused itself.
 */
import type { VersionedResource } from "../../xds/delta-subscription.ts";

/** Resources that are remembered; the oldest is given up first. */
const remembered = 1_000;

/** Shared by all streams of a control plane. */
export class LastGoodResources {
  readonly #resources = new Map<string, VersionedResource>();

  /** @param scope who is told the same */
  keep(scope: string, typeUrl: string, resource: VersionedResource): void {
    const key = JSON.stringify([scope, typeUrl, resource.name]);
    this.#resources.delete(key);
    this.#resources.set(key, resource);
    const [oldest] = this.#resources.keys();
    if (this.#resources.size > remembered && oldest !== undefined) this.#resources.delete(oldest);
  }

  find(scope: string, typeUrl: string, name: string): VersionedResource | undefined {
    return this.#resources.get(JSON.stringify([scope, typeUrl, name]));
  }
}
