/** What is kept from one model to the next gives what a translation from nothing gives, and clients end with it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type ConfigObject, objectId } from "../../../../src/controlplane/config/objects.ts";
import { parseDocuments } from "../../../../src/controlplane/config/parse-documents.ts";
import { buildModel, ModelBuilder } from "../../../../src/controlplane/model/build-model.ts";
import type { PublishedModel } from "../../../../src/controlplane/model/configured-models.ts";
import { type ReducedServices, withUnhealthy } from "../../../../src/controlplane/model/health.ts";
import { callerOf } from "../../../../src/controlplane/model/caller.ts";
import type { Model } from "../../../../src/controlplane/model/model.ts";
import { parseProxy, type Proxy } from "../../../../src/controlplane/model/proxy.ts";
import { generateRoutes } from "../../../../src/controlplane/networking/rds.ts";
import { TranslationMemo } from "../../../../src/controlplane/networking/translation-memo.ts";
import { callerViewOf } from "../../../../src/controlplane/networking/view.ts";
import {
  deltaProtocol,
  sotwProtocol,
  type Subscription,
} from "../../../../src/controlplane/push/protocol.ts";
import { ServedModels } from "../../../../src/controlplane/push/served-models.ts";
import { Translations } from "../../../../src/controlplane/push/translations.ts";
import { Watch } from "../../../../src/lifecycle/watch.ts";
import { typeUrl, wildcardTypes } from "../../../../src/xds/type-urls.ts";
import { eventually } from "../../../support/eventually.ts";
import { randomMesh } from "../../../support/random-mesh.ts";
import { takeSnapshot } from "../../../support/snapshot-of.ts";
import { testLog } from "../../../support/test-log.ts";
import { delta, sotw } from "../../../support/xds-messages.ts";

const meshes = 8;
const manyChanges = 4;
const smallChanges = 12;
const settings = { trustDomains: ["cluster.local"], rootNamespace: "istio-system" };

/** Objects of another mesh in place of those of their names, one less, and all others written anew as they are. */
function changed(objects: readonly ConfigObject[], seed: number): readonly ConfigObject[] {
  const others = randomMesh(seed).objects;
  const coming = others.filter((_, index) => index % 5 === seed % 5);
  const names = new Set(coming.map(objectId));
  const staying = objects.filter((object, index) => !names.has(objectId(object)) && index !== seed % 7);
  return [...staying.map((object) => structuredClone(object)), ...coming];
}

/** One object of another mesh in the place of one of the same kind, so that most proxies see nothing of it. */
function changedOnce(objects: readonly ConfigObject[], seed: number): readonly ConfigObject[] {
  const at = seed % objects.length;
  const before = objects[at];
  const after = randomMesh(seed).objects.find(({ kind }) => kind === before?.kind);
  if (before === undefined || after === undefined) return objects.filter((_, index) => index !== at);
  const { name, namespace } = before;
  return objects.map((object, index) => (index === at ? { ...after, name, namespace } : object));
}

function contentOf(resources: {
  values(): Iterable<{ readonly name: string; readonly version: string; readonly bytes: Uint8Array }>;
}): Readonly<Record<string, string>> {
  return Object.fromEntries(
    [...resources.values()]
      .map(
        ({ name, version, bytes }) => [name, `${version} ${Buffer.from(bytes).toString("base64")}`] as const,
      )
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );
}

/** A client that asks for everything that there is of a type and keeps what it is told. */
class Client {
  readonly has = new Map<string, string>();
  readonly #subscription: Subscription;

  constructor(protocol: typeof deltaProtocol, type: string) {
    const messages = protocol === deltaProtocol ? delta : sotw;
    this.#subscription = protocol.subscribe(type);
    const names = wildcardTypes.has(type) ? [] : ["*"];
    protocol.decode(messages.request({ typeUrl: type, names })).apply(this.#subscription);
  }

  offer(resources: Parameters<Subscription["respond"]>[0]): void {
    const response = this.#subscription.respond(resources, { force: false, keepsGone: false });
    response?.sent("nonce");
    for (const { name } of response?.changed ?? []) {
      const version = resources.get(name)?.version;
      assert.ok(version !== undefined && version !== this.has.get(name), `${name} is sent for nothing`);
      this.has.set(name, version);
    }
    for (const name of this.has.keys()) if (resources.get(name) === undefined) this.has.delete(name);
  }
}

for (const [what, next, changes] of [
  [`${meshes} made meshes that change ${manyChanges} times`, changed, manyChanges],
  [`${meshes} made meshes of which one object changes ${smallChanges} times`, changedOnce, smallChanges],
] as const)
  test(`${what} are translated as from nothing`, async () => {
    for (let seed = 1; seed <= meshes; seed += 1) await translateAsFromNothing(seed, next, changes);
  });

async function translateAsFromNothing(seed: number, next: typeof changed, changes: number): Promise<void> {
  const { proxies, objects: first } = randomMesh(seed);
  let objects = first;
  const builder = new ModelBuilder(settings);
  const reduced: ReducedServices = new WeakMap();
  const models = new Watch<PublishedModel>({ number: 1, model: builder.build(objects) });
  const translations = new Translations(models, { tell: () => undefined });
  const parts = proxies.map((proxy) => ({
    proxy,
    translation: translations.open(),
    clients: new Map<string, readonly Client[]>(),
  }));
  for (let change = 0; change <= changes; change += 1) {
    const at = `seed ${seed}, change ${change}`;
    const unhealthy = change % 3 === 2 ? proxies.slice(0, 1) : [];
    const whole: Model = withUnhealthy(buildModel(objects, settings), unhealthy);
    const snapshots = await Promise.all(parts.map(({ translation, proxy }) => translation.take(proxy)));
    for (const [index, { proxy, clients }] of parts.entries()) {
      const snapshot = snapshots[index];
      assert.equal(snapshot?.number, models.current.number, at);
      for (const [type, expected] of takeSnapshot(whole, proxy).resources) {
        const resources = snapshot?.resources.get(type);
        assert.ok(resources !== undefined);
        assert.deepEqual(contentOf(resources), contentOf(expected), `${at}, ${type} of ${proxy.id}`);
        const known = clients.get(type) ?? [new Client(deltaProtocol, type), new Client(sotwProtocol, type)];
        clients.set(type, known);
        for (const client of known) {
          client.offer(resources);
          assert.deepEqual(
            [...client.has.keys()].toSorted(),
            [...expected.keys()].toSorted(),
            `${at}, ${type} of a client`,
          );
        }
      }
    }
    objects = next(objects, seed * 100 + change);
    const nextUnhealthy = (change + 1) % 3 === 2 ? proxies.slice(0, 1) : [];
    models.set({ number: change + 2, model: withUnhealthy(builder.build(objects), nextUnhealthy, reduced) });
  }
  assert.ok(translations.kinds > 0);
  for (const { translation } of parts) translation[Symbol.dispose]();
  assert.equal(translations.kinds, 0, "what nobody has any more is given back");
}

test("a model in which nothing is other is the one before, however its files were written", () => {
  for (let seed = 1; seed <= meshes; seed += 1) {
    const { objects } = randomMesh(seed);
    const builder = new ModelBuilder(settings);
    const model = builder.build(objects);
    const moved = objects.map((object) => ({ ...structuredClone(object), source: "other.yaml", line: 7 }));
    assert.equal(builder.build(moved.toReversed()), model);
    assert.notEqual(builder.build(objects.slice(1)), model);
  }
});

test("rules of a model that comes while another is translated see the labels that they ask for", async () => {
  const { proxies, objects } = randomMesh(1);
  const [proxy] = proxies;
  assert.ok(proxy !== undefined);
  const without = objects.filter(
    ({ kind }) => !["Sidecar", "DestinationRule", "VirtualService"].includes(kind),
  );
  const models = new Watch<PublishedModel>({ number: 1, model: buildModel(without, settings) });
  const translations = new Translations(models, { tell: () => undefined });
  using translation = translations.open();
  const taking = translation.take(proxy);
  const asking: ConfigObject = {
    kind: "Sidecar",
    name: "asks",
    namespace: proxy.namespace,
    source: "a.yaml",
    line: 1,
    spec: {
      workloadSelector: { labels: { app: "web" } },
      outboundTrafficPolicy: { mode: "REGISTRY_ONLY" },
    },
  };
  const model = buildModel([...without, asking], settings);
  models.set({ number: 2, model });
  const { number, resources } = await taking;
  assert.equal(number, 2);
  for (const [type, expected] of takeSnapshot(model, proxy).resources)
    assert.deepEqual(contentOf(resources.get(type) ?? new Map()), contentOf(expected), type);
});

test("a rule leads to where another host is now", async () => {
  const entry = (host: string, port: number): ConfigObject[] => [
    ...parseDocuments(
      `${host}.yaml`,
      `{apiVersion: networking.istio.io/v1, kind: ServiceEntry, metadata: {name: ${host}, namespace: demo},
        spec: {hosts: [${host}.demo], resolution: DNS, ports: [{number: ${port}, name: http, protocol: HTTP}]}}`,
    ).objects,
  ];
  const rule = parseDocuments(
    "rule.yaml",
    `{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: a, namespace: demo},
      spec: {hosts: [a.demo], http: [{route: [{destination: {host: b.demo}}]}]}}`,
  ).objects;
  const [proxy] = randomMesh(1).proxies;
  assert.ok(proxy !== undefined);
  const [a, b, elsewhere] = [entry("a", 80), entry("b", 81), entry("b", 82)];
  const builder = new ModelBuilder(settings);
  const models = new Watch<PublishedModel>({ number: 1, model: builder.build([...a, ...b, ...rule]) });
  using translation = new Translations(models, { tell: () => undefined }).open();
  const routeOf = async (): Promise<string> => {
    const { resources } = await translation.take(proxy);
    return Buffer.from(resources.get(typeUrl.route)?.get("80")?.bytes ?? []).toString("latin1");
  };
  assert.match(await routeOf(), /outbound\|81\|\|b\.demo/);
  models.set({ number: 2, model: builder.build([...a, ...elsewhere, ...rule]) });
  assert.match(await routeOf(), /outbound\|82\|\|b\.demo/);
});

test("what cannot be translated stays as it was, of a proxy that calls like others from now on as well", async () => {
  const [proxy] = randomMesh(1).proxies;
  assert.ok(proxy !== undefined);
  const entry = parseDocuments(
    "a.yaml",
    `{apiVersion: networking.istio.io/v1, kind: ServiceEntry, metadata: {name: a, namespace: demo},
      spec: {hosts: [a.demo], resolution: STATIC, ports: [{number: 80, name: http, protocol: HTTP}], endpoints: [{address: 10.0.0.9}]}}`,
  ).objects;
  const asking = parseDocuments(
    "rule.yaml",
    `{apiVersion: networking.istio.io/v1, kind: DestinationRule, metadata: {name: o, namespace: demo},
      spec: {host: other.demo, workloadSelector: {matchLabels: {app: a}}}}`,
  ).objects;
  const labelled = { ...proxy, labels: { app: "a" } };
  const faults: number[] = [];
  const models = new Watch<PublishedModel>({ number: 1, model: buildModel(entry, settings) });
  const translations = new Translations(models, { tell: (_, told) => faults.push(told.length) });
  using translation = translations.open();
  const first = await translation.take(labelled);
  // Nothing that validation lets through gives this.
  const broken = buildModel([...entry, ...asking], settings);
  const services = broken.services.map((service) => ({
    ...service,
    endpoints: service.endpoints.map((endpoint) => ({ ...endpoint, weight: Number.NaN })),
  }));
  models.set({ number: 2, model: { ...broken, services } });
  const second = await translation.take(labelled);
  assert.ok(faults.some((count) => count > 0));
  const endpointsOf = ({ resources }: typeof first): object =>
    contentOf(resources.get(typeUrl.endpoint) ?? new Map());
  assert.notDeepEqual(endpointsOf(first), {});
  assert.deepEqual(endpointsOf(second), endpointsOf(first));
});

const scopedMesh = (port: number): readonly ConfigObject[] =>
  parseDocuments(
    "scoped.yaml",
    ["demo", "shop"]
      .flatMap((namespace) => [
        `{apiVersion: networking.istio.io/v1, kind: ServiceEntry, metadata: {name: a, namespace: ${namespace}}, spec: {hosts: [a.${namespace}.svc.cluster.local],
          resolution: STATIC, ports: [{number: ${namespace === "shop" ? port : 80}, name: http, protocol: HTTP}], endpoints: [{address: 10.0.0.9}]}}`,
        `{apiVersion: networking.istio.io/v1, kind: Sidecar, metadata: {name: default, namespace: ${namespace}}, spec: {egress: [{hosts: ["./*"]}]}}`,
      ])
      .join("\n---\n"),
  ).objects;

test("proxies that see nothing of a change have what they had, and nothing of it is made anew", async () => {
  const [proxy] = randomMesh(1).proxies;
  assert.ok(proxy !== undefined);
  const builder = new ModelBuilder(settings);
  const models = new Watch<PublishedModel>({ number: 1, model: builder.build(scopedMesh(80)) });
  const translations = new Translations(models, { tell: () => undefined });
  const [demo, shop] = ["demo", "shop"].map((namespace) => {
    const translation = translations.open();
    return () => translation.take({ ...proxy, id: namespace, namespace });
  });
  assert.ok(demo !== undefined && shop !== undefined);
  const before = [await demo(), await shop()] as const;
  models.set({ number: 2, model: builder.build(scopedMesh(81)) });
  const after = [await demo(), await shop()] as const;
  const layersOf = ({ resources }: (typeof before)[number]): unknown[] =>
    [...resources.values()].flatMap((set) => set.layers);
  assert.equal(after[0].number, 2);
  assert.ok(layersOf(after[0]).every((layer, index) => layer === layersOf(before[0])[index]));
  assert.ok(layersOf(after[1]).some((layer, index) => layer !== layersOf(before[1])[index]));
});

test("a workload that is ill has nothing made anew by what others change", async () => {
  const [proxy] = randomMesh(1).proxies;
  assert.ok(proxy !== undefined);
  const objects = (port: number): readonly ConfigObject[] =>
    parseDocuments(
      "ill.yaml",
      [
        `{apiVersion: networking.istio.io/v1, kind: ServiceEntry, metadata: {name: a, namespace: demo}, spec: {hosts: [a.demo], location: MESH_INTERNAL,
          resolution: STATIC, ports: [{number: 80, name: http, protocol: HTTP}],
          endpoints: [{address: 10.0.0.8, serviceAccount: a}, {address: 10.0.0.9, serviceAccount: a}]}}`,
        `{apiVersion: networking.istio.io/v1, kind: ServiceEntry, metadata: {name: b, namespace: shop}, spec: {hosts: [b.shop], exportTo: ["."],
          resolution: DNS, ports: [{number: ${port}, name: http, protocol: HTTP}]}}`,
      ].join("\n---\n"),
    ).objects;
  const ill = { ...proxy, namespace: "demo", serviceAccount: "a", addresses: ["10.0.0.9"] };
  const builder = new ModelBuilder(settings);
  const configured = new Watch<PublishedModel>({ number: 1, model: builder.build(objects(80)) });
  await using served = new ServedModels(configured, testLog().log);
  served.reportHealth(ill, "is ill");
  const { number, model } = served.models.current;
  const serviceIn = ({ services }: Model): unknown => services.find(({ host }) => host === "a.demo");
  assert.deepEqual(
    model.services.find(({ host }) => host === "a.demo")?.endpoints.map(({ isHealthy }) => isHealthy),
    [true, false],
  );
  configured.set({ number: 2, model: builder.build(objects(81)) });
  await eventually("the next model", () => assert.ok(served.models.current.number > number), {
    withinMs: 10_000,
  });
  assert.ok(serviceIn(model) === serviceIn(served.models.current.model), "all that is kept is kept by it");
  served.reportHealth({ ...ill, addresses: ["10.0.0.8", "10.0.0.9"] }, "is ill, too");
  served.reportHealth({ ...ill, addresses: ["10.0.0.8", "10.0.0.9"] }, undefined);
  const healthy = builder.build(objects(81)).services.find(({ host }) => host === "a.demo");
  assert.ok(serviceIn(served.models.current.model) === healthy);
});

test("callers of whom a rule asks nothing share what is made of it, and others have their own", () => {
  const [first, second] = [demoCaller("first"), demoCaller("second")];
  const mesh = (match: string): readonly ConfigObject[] =>
    parseDocuments(
      "rule.yaml",
      `{apiVersion: networking.istio.io/v1, kind: ServiceEntry, metadata: {name: a, namespace: demo}, spec: {hosts: [a.demo],
        resolution: DNS, ports: [{number: 80, name: http, protocol: HTTP}]}}
---
{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: a, namespace: demo}, spec: {hosts: [a.demo],
  http: [{match: [${match}], name: first, route: [{destination: {host: a.demo}}]}, {route: [{destination: {host: a.demo}}]}]}}`,
    ).objects;
  const hostsOf = (match: string): readonly [unknown, unknown] => {
    const model = buildModel(mesh(match), settings);
    const memo = new TranslationMemo();
    const hostOf = (proxy: Proxy): unknown =>
      generateRoutes(callerViewOf(model, callerOf(proxy, model), memo))[0]?.virtualHosts?.[0];
    return [hostOf(first), hostOf(second)];
  };
  const [shared, same] = hostsOf("{uri: {exact: /a}}");
  assert.ok(shared !== undefined);
  assert.equal(shared, same);
  const [its, others] = hostsOf("{sourceLabels: {app: first}}");
  assert.match(JSON.stringify(its), /"name":"first"/);
  assert.doesNotMatch(JSON.stringify(others), /"name":"first"/);
  const [here, there] = hostsOf("{sourceNamespace: first}");
  assert.match(JSON.stringify(here), /"name":"first"/);
  assert.doesNotMatch(JSON.stringify(there), /"name":"first"/);
});

/** Of another kind than those of other names. */
function demoCaller(name: string): Proxy {
  const proxy = parseProxy({
    id: `sidecar~10.0.0.1~${name}.${name}~x`,
    metadata: { NAMESPACE: name, LABELS: { app: name } },
  });
  assert.ok(proxy !== undefined);
  return proxy;
}
