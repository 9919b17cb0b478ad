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
import { type Resources, translate } from "../../src/controlplane/networking/translate.ts";
import { goldenFolder } from "./golden.ts";

interface Scene {
  /** Whose resources they are, as its Envoy describes it. */
  readonly proxy: NodeFacts;
  /** Proxies that say that their workload cannot take traffic. */
  readonly unhealthy?: readonly NodeFacts[];
  /** `cluster.local` alone unless told. */
  readonly trustDomains?: readonly string[];
  /** How the names of those resources begin that the behaviour is about; everything unless told. */
  readonly shows?: Readonly<Partial<Record<keyof Resources, string | readonly string[]>>>;
}

const parts: ReadonlySet<string> = new Set<keyof Scene>(["proxy", "unhealthy", "trustDomains", "shows"]);

/** What the file is translated to. */
export interface Translated {
  readonly resources: Resources;
  /** The same with nothing but their names where the behaviour is not about them. */
  readonly shown: Readonly<Record<keyof Resources, readonly unknown[]>>;
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
  const resources = translate(
    withUnhealthy(model, (scene.unhealthy ?? []).map(proxyOf)),
    proxyOf(scene.proxy),
  );
  const { clusters, endpoints, listeners, routes } = resources;
  const show = <Json>(
    type: keyof Resources,
    list: readonly Json[],
    nameOf: (json: Json) => string | undefined,
  ): readonly unknown[] => {
    const prefixes = scene.shows === undefined ? "" : scene.shows[type];
    if (prefixes === undefined) return list.map(nameOf);
    return list.map((json) => {
      const name = nameOf(json) ?? "";
      return [prefixes].flat().some((prefix) => name.startsWith(prefix)) ? json : name;
    });
  };
  const shown = {
    clusters: show("clusters", clusters, ({ name }) => name),
    endpoints: show("endpoints", endpoints, ({ clusterName }) => clusterName),
    listeners: show("listeners", listeners, ({ name }) => name),
    routes: show("routes", routes, ({ name }) => name),
  };
  return { resources, shown };
}

function proxyOf(node: NodeFacts): Proxy {
  const proxy = parseProxy({ ...node, metadata: node.metadata ?? {} });
  assert.ok(proxy !== undefined, node.id);
  return proxy;
}
