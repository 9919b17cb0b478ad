/**
 * VirtualServices with the routes of those that they delegate to; what is only delegated to has no host, and is no rule
 * by itself.
 */
import { delegatedRoutes } from "../config/delegates.ts";
import type { VirtualServiceSpec } from "../config/objects.ts";
import { isExportedTo, type Scoped } from "./model.ts";

type VirtualService = Scoped<VirtualServiceSpec>;

/** The delegates that a rule was put together from, and what came of it. */
interface Merged {
  readonly delegates: readonly (VirtualService | undefined)[];
  readonly whole: VirtualService;
}

/** Keeps what it put together as long as all of it stays as it is. */
export class DelegateMerger {
  readonly #merged = new WeakMap<VirtualService, Merged>();

  /** @param written every rule, with full names */
  merge(written: readonly VirtualService[]): readonly VirtualService[] {
    const byName = new Map(written.map((rule) => [`${rule.namespace}/${rule.name}`, rule]));
    return written
      .filter(({ spec }) => spec.hosts.length > 0)
      .map((root) => {
        const { http = [] } = root.spec;
        if (http.every(({ delegate }) => delegate === undefined)) return root;
        const delegates = http.map(({ delegate }) => {
          if (delegate === undefined) return undefined;
          const found = byName.get(`${delegate.namespace ?? root.namespace}/${delegate.name}`);
          return found !== undefined && isDelegate(found, root) ? found : undefined;
        });
        const before = this.#merged.get(root);
        if (before?.delegates.every((each, index) => each === delegates[index]) === true) return before.whole;
        const whole = {
          ...root,
          spec: {
            ...root.spec,
            http: http.flatMap((route, index) =>
              route.delegate === undefined
                ? [route]
                : delegatedRoutes(route, delegates[index]?.spec.http ?? []).routes,
            ),
          },
        };
        this.#merged.set(root, { delegates, whole });
        return whole;
      });
  }
}

function isDelegate({ spec, namespace }: VirtualService, root: VirtualService): boolean {
  return spec.hosts.length === 0 && isExportedTo(spec.exportTo, namespace, root.namespace);
}
