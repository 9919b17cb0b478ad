/**
 * A file of `golden/translate`, translated: its first document is the proxy and how the mesh is set, the others are
 * the objects of the mesh.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { parseDocuments } from "../../src/controlplane/config/parse-documents.ts";
import { buildModel } from "../../src/controlplane/model/build-model.ts";
import { withUnhealthy } from "../../src/controlplane/model/health.ts";
import { type NodeFacts, parseProxy, type Proxy } from "../../src/controlplane/model/proxy.ts";
import {
  type GeneratedResource,
  type PushedType,
  pushedTypes,
} from "../../src/controlplane/networking/pushed-types.ts";
import { viewOf } from "../../src/controlplane/networking/view.ts";
import { goldenFolder } from "./golden.ts";

interface Scene {
  /** Whose resources they are, as its Envoy describes it. */
  readonly proxy: NodeFacts;
  /** Proxies that say that their workload cannot take traffic. */
  readonly unhealthy?: readonly NodeFacts[];
  /** `cluster.local` alone unless told. */
  readonly trustDomains?: readonly string[];
  /** How the names of those resources begin that the behaviour is about; everything unless told. */
  readonly shows?: Readonly<Record<string, string | readonly string[]>>;
}

const parts: ReadonlySet<string> = new Set<keyof Scene>(["proxy", "unhealthy", "trustDomains", "shows"]);

/** What the file is translated to. */
export interface Translated {
  readonly resources: readonly (readonly [type: PushedType, list: readonly GeneratedResource[]])[];
  /** The same with nothing but their names where the behaviour is not about them. */
  readonly shown: Readonly<Record<string, readonly unknown[]>>;
}

/** @throws AssertionError when the file has anything that cannot be used */
export function translated(behaviour: string): Translated {
  const text = readFileSync(join(goldenFolder, "translate", `${behaviour}.yaml`), "utf8");
  const [first = "", ...others] = text.split(/^---$/m);
  const scene = parse(first) as Scene;
  assert.deepEqual(
    Object.keys(scene).filter((part) => !parts.has(part)),
    [],
  );
  const { objects, problems } = parseDocuments(behaviour, others.join("---"));
  assert.deepEqual(problems, []);
  const model = buildModel(objects, {
    trustDomains: scene.trustDomains ?? ["cluster.local"],
    rootNamespace: "istio-system",
  });
  const view = viewOf(withUnhealthy(model, (scene.unhealthy ?? []).map(proxyOf)), proxyOf(scene.proxy));
  const resources = Object.values<PushedType>(pushedTypes).map(
    (type) => [type, type.generate(view)] as const,
  );
  const unknown = Object.keys(scene.shows ?? {}).filter((type) =>
    resources.every(([{ kind }]) => `${kind}s` !== type),
  );
  assert.deepEqual(unknown, []);
  const shown = resources.map(([{ kind }, list]): readonly [string, readonly unknown[]] => {
    const prefixes = scene.shows === undefined ? [""] : [scene.shows[`${kind}s`] ?? []].flat();
    return [
      `${kind}s`,
      list.map(({ name, json }) => (prefixes.some((prefix) => name.startsWith(prefix)) ? json : name)),
    ];
  });
  return { resources, shown: Object.fromEntries(shown) };
}

function proxyOf(node: NodeFacts): Proxy {
  const proxy = parseProxy({ ...node, metadata: node.metadata ?? {} });
  assert.ok(proxy !== undefined, node.id);
  return proxy;
}
