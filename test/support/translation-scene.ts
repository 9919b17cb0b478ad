/**
 * What goes into a file of `golden/translate`: its first document is the proxy and how the mesh is set, the others are
 * the objects of the mesh.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import type { ConfigObject } from "../../src/controlplane/config/objects.ts";
import { parseDocuments } from "../../src/controlplane/config/parse-documents.ts";
import { buildModel } from "../../src/controlplane/model/build-model.ts";
import { withUnhealthy } from "../../src/controlplane/model/health.ts";
import type { Model } from "../../src/controlplane/model/model.ts";
import { type NodeFacts, parseProxy, type Proxy } from "../../src/controlplane/model/proxy.ts";
import { goldenFolder } from "./golden.ts";

interface FirstDocument {
  /** Whose resources they are, as its Envoy describes it. */
  readonly proxy: NodeFacts;
  /** Proxies that say that their workload cannot take traffic. */
  readonly unhealthy?: readonly NodeFacts[];
  /** `cluster.local` alone unless told. */
  readonly trustDomains?: readonly string[];
  /** Secrets with a certificate and its key, as `namespace/name`. */
  readonly certificates?: readonly string[];
  /** By type, how the names of those resources begin that the behaviour is about; everything unless told. */
  readonly shows?: Readonly<Record<string, string | readonly string[]>>;
}

/** A mesh, and a proxy in it. */
export interface TranslationScene extends Pick<FirstDocument, "shows"> {
  readonly objects: readonly ConfigObject[];
  readonly model: Model;
  readonly proxy: Proxy;
}

/** Mutants of the translation have the same ones, thousands of times. */
const read = new Map<string, TranslationScene>();

/** @throws AssertionError when the file has anything that cannot be used */
export function translationScene(behaviour: string): TranslationScene {
  const before = read.get(behaviour);
  if (before !== undefined) return before;
  const text = readFileSync(join(goldenFolder, "translate", `${behaviour}.yaml`), "utf8");
  const [first = "", ...others] = text.split(/^---$/m);
  const {
    proxy,
    unhealthy = [],
    trustDomains = ["cluster.local"],
    certificates = [],
    shows,
    ...rest
  } = parse(first) as FirstDocument;
  assert.deepEqual(rest, {});
  const { objects, problems } = parseDocuments(behaviour, others.join("---"));
  assert.deepEqual(
    problems.filter(({ severity }) => severity === undefined),
    [],
  );
  const all = [...objects, ...certificates.map(secretOf)];
  const model = buildModel(all, { trustDomains, rootNamespace: "istio-system" });
  const scene = {
    objects: all,
    model: withUnhealthy(model, unhealthy.map(proxyOf)),
    proxy: proxyOf(proxy),
    ...(shows === undefined ? {} : { shows }),
  };
  read.set(behaviour, scene);
  return scene;
}

/** What is in it is never looked at: Envoy asks for it by its name. */
function secretOf(id: string): ConfigObject {
  const [namespace = "", name = ""] = id.split("/");
  const stringData = { "tls.crt": "certificate", "tls.key": "key" };
  return { kind: "Secret", namespace, name, source: "certificates", line: 0, spec: { stringData } };
}

function proxyOf(node: NodeFacts): Proxy {
  const proxy = parseProxy({ ...node, metadata: node.metadata ?? {} });
  assert.ok(proxy !== undefined, node.id);
  return proxy;
}
