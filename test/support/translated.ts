/** What the translation makes of a file of `golden/translate`. */
import assert from "node:assert/strict";
import {
  type GeneratedResource,
  type PushedType,
  pushedTypes,
  resourcesOf,
} from "../../src/controlplane/networking/pushed-types.ts";
import { viewOf } from "../../src/controlplane/networking/view.ts";
import { translationScene } from "./translation-scene.ts";

export interface Translated {
  readonly resources: readonly (readonly [type: PushedType, list: readonly GeneratedResource[]])[];
  /** The same with nothing but their names where the behaviour is not about them. */
  readonly shown: Readonly<Record<string, readonly unknown[]>>;
}

/** @throws AssertionError when the file has anything that cannot be used */
export function translated(behaviour: string): Translated {
  const { model, proxy, shows } = translationScene(behaviour);
  const view = viewOf(model, proxy);
  const resources = Object.values<PushedType>(pushedTypes).map(
    (type) => [type, inboundLast(resourcesOf(type, view))] as const,
  );
  const unknown = Object.keys(shows ?? {}).filter((type) =>
    resources.every(([{ kind }]) => `${kind}s` !== type),
  );
  assert.deepEqual(unknown, []);
  // Most proxies have none of these.
  const had = resources.filter(
    ([{ kind }, list]) =>
      !["nameTable", "proxyConfig", "secret", "extension"].includes(kind) || list.length > 0,
  );
  const shown = had.map(([{ kind }, list]): readonly [string, readonly unknown[]] => {
    const prefixes = shows === undefined ? [""] : [shows[`${kind}s`] ?? []].flat();
    return [
      `${kind}s`,
      list.map(({ name, json }) => (prefixes.some((prefix) => name.startsWith(prefix)) ? json : name)),
    ];
  });
  return { resources, shown: Object.fromEntries(shown) };
}

/** The golden files have what comes in behind what goes out. */
function inboundLast(resources: readonly GeneratedResource[]): readonly GeneratedResource[] {
  const isInbound = ({ name }: GeneratedResource): boolean => name === "virtualInbound";
  return [...resources.filter((each) => !isInbound(each)), ...resources.filter(isInbound)];
}
