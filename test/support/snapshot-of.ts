/** What one proxy is to have of a model, from nothing. */
import type { Model } from "../../src/controlplane/model/model.ts";
import type { Proxy } from "../../src/controlplane/model/proxy.ts";
import type { Fault } from "../../src/controlplane/networking/encode-parts.ts";
import { EncodingMemo } from "../../src/controlplane/networking/encoding-memo.ts";
import { resourcesOf } from "../../src/controlplane/networking/pushed-types.ts";
import { viewOf } from "../../src/controlplane/networking/view.ts";
import { type Layers, noLayers, translate } from "../../src/controlplane/push/snapshot.ts";
import type { VersionedResource } from "../../src/xds/delta-subscription.ts";

export interface TestSnapshot {
  /** By type URL and name. */
  readonly resources: ReadonlyMap<string, ReadonlyMap<string, VersionedResource>>;
  readonly layers: Layers;
  readonly faults: readonly Fault[];
}

/** @param previous what stays where something cannot be encoded */
export function takeSnapshot(model: Model, proxy: Proxy, previous = noLayers()): TestSnapshot {
  const view = viewOf(model, proxy);
  const work = translate((type) => resourcesOf(type, view), previous, new EncodingMemo());
  for (;;) {
    const { done, value } = work.next();
    if (done !== true) continue;
    const resources = new Map([...value.layers].map(([type, layer]) => [type, layer.resources]));
    return { resources, ...value };
  }
}
