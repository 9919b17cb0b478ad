/** An EnvoyFilter that breaks one of Envoy's rules, or takes a name that is taken, costs itself and none beside it. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseDocuments } from "../../../../src/controlplane/config/parse-documents.ts";
import { buildModel } from "../../../../src/controlplane/model/build-model.ts";
import type { PublishedModel } from "../../../../src/controlplane/model/configured-models.ts";
import { makersOf } from "../../../../src/controlplane/networking/makers.ts";
import { decodedOf } from "../../../../src/controlplane/networking/pushed-types.ts";
import { Translations } from "../../../../src/controlplane/push/translations.ts";
import { Watch } from "../../../../src/lifecycle/watch.ts";
import { typeUrl } from "../../../../src/xds/type-urls.ts";
import { demoProxy, settings, yaml } from "../../../support/bad-values.ts";
import { takeSnapshot } from "../../../support/snapshot-of.ts";

const api = yaml(
  "ServiceEntry",
  "hosts: [api.demo], resolution: STATIC, ports: [{number: 80, name: http, protocol: HTTP}], endpoints: [{address: 10.0.0.1}]",
  "api",
);

const manager =
  "listener: {filterChain: {filter: {name: envoy.filters.network.http_connection_manager, subFilter: {name: envoy.filters.http.router}}}}";

const httpFilter = (name: string, config: string): string =>
  yaml(
    "EnvoyFilter",
    `configPatches: [{applyTo: HTTP_FILTER, match: {context: SIDECAR_INBOUND, ${manager}}, patch: {operation: INSERT_BEFORE, value: {name: ${name}, typed_config: {"@type": ${config}}}}}]`,
    name,
  );

const lua = (name: string): string =>
  httpFilter(name, "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua");
/** Its `stat_prefix` must be there. */
const broken = httpFilter(
  "broken",
  "type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit",
);

const cluster = (name: string, operation: string, value: string): string =>
  yaml(
    "EnvoyFilter",
    `configPatches: [{applyTo: CLUSTER, match: {context: SIDECAR_OUTBOUND}, patch: {operation: ${operation}, value: {${value}}}}]`,
    name,
  );

function snapshotOf(...objects: readonly string[]) {
  const parsed = parseDocuments("a.yaml", [api, ...objects].join("---\n"));
  assert.deepEqual(parsed.problems, []);
  const { resources, faults } = takeSnapshot(buildModel(parsed.objects, settings), demoProxy("REDIRECT"));
  const json = (type: string, name: string): string => {
    const resource = resources.get(type)?.get(name);
    return resource === undefined ? "" : JSON.stringify(decodedOf(type, resource.bytes));
  };
  return { json, faults: faults.map(({ part }) => part) };
}

test("a TypedStruct, which may stand for any message, is sent", () => {
  for (const type of ["udpa.type.v1.TypedStruct", "xds.type.v3.TypedStruct"]) {
    const lua = "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua";
    const { json, faults } = snapshotOf(
      httpFilter("struct", `"type.googleapis.com/${type}", type_url: "${lua}", value: {inline_code: "--"}`),
    );
    assert.deepEqual(faults, []);
    const sent = json(typeUrl.listener, "virtualInbound");
    assert.ok(sent.includes(`/${type}`) && sent.includes('"inline_code":"--"'));
  }
});

describe("an EnvoyFilter that breaks a resource", () => {
  test("is left out of it, those before and behind it change it", () => {
    const { json, faults } = snapshotOf(lua("guard"), broken, lua("other"));
    const listener = json(typeUrl.listener, "virtualInbound");
    assert.deepEqual(
      ["guard", "broken", "other"].map((name) => listener.includes(`"name":"${name}"`)),
      [true, false, true],
    );
    assert.ok(faults.length > 0);
    for (const part of faults)
      assert.match(part, /^listener virtualInbound, .*, as EnvoyFilter demo\/broken changes it$/);
  });

  test("is told where it adds one", () => {
    const { json, faults } = snapshotOf(cluster("added", "ADD", "name: mine, connect_timeout: 0s"));
    assert.equal(json(typeUrl.cluster, "mine"), "");
    assert.deepEqual(faults, ["cluster mine, as EnvoyFilter demo/added adds it"]);
  });

  test("is left out of a cluster, which others change", () => {
    const { json, faults } = snapshotOf(
      cluster("broken", "MERGE", "connect_timeout: 0s"),
      cluster("sound", "MERGE", "alt_stat_name: sound"),
    );
    const text = json(typeUrl.cluster, "outbound|80||api.demo");
    assert.ok(text.includes('"alt_stat_name":"sound"') && !text.includes('"connect_timeout":"0s"'));
    assert.ok(faults.includes("cluster outbound|80||api.demo, as EnvoyFilter demo/broken changes it"));
  });
});

test("what an EnvoyFilter adds does not take the place of what has its name", () => {
  const taken = "outbound|80||api.demo";
  const { json, faults } = snapshotOf(
    cluster("a", "ADD", `name: "${taken}", alt_stat_name: a`),
    cluster("b", "ADD", "name: mine, alt_stat_name: b"),
    cluster("c", "ADD", "name: mine, alt_stat_name: c"),
  );
  assert.ok(!json(typeUrl.cluster, taken).includes('"alt_stat_name":"a"'));
  assert.ok(json(typeUrl.cluster, "mine").includes('"alt_stat_name":"b"'));
  assert.deepEqual(faults, [
    `cluster ${taken}, as EnvoyFilter demo/a adds it`,
    "cluster mine, as EnvoyFilter demo/c adds it",
  ]);
});

/** As a proxy has it that is told its own and what it shares with others in layers. */
async function told(...objects: readonly string[]) {
  const { objects: taken } = parseDocuments("a.yaml", [api, ...objects].join("---\n"));
  const models = new Watch<PublishedModel>({ number: 1, model: buildModel(taken, settings) });
  const faults: string[] = [];
  const tell = (_proxy: string, list: readonly { readonly part: string }[]): void => {
    faults.push(...list.map(({ part }) => part));
  };
  using translation = new Translations(models, { tell }).open();
  const { resources } = await translation.take(demoProxy("REDIRECT"));
  const cluster = (name: string): string => {
    const resource = resources.get(typeUrl.cluster)?.get(name);
    return resource === undefined ? "" : JSON.stringify(decodedOf(typeUrl.cluster, resource.bytes));
  };
  return { cluster, faults };
}

describe("a name that an EnvoyFilter adds on the way in", () => {
  const added = (name: string, context: string, cluster: string): string =>
    yaml(
      "EnvoyFilter",
      `configPatches: [{applyTo: CLUSTER, match: {context: ${context}}, patch: {operation: ADD, value: {name: "${cluster}", alt_stat_name: ${name}}}}]`,
      name,
    );

  test("is not taken from what a service is called by", async () => {
    const taken = "outbound|80||api.demo";
    const { cluster, faults } = await told(added("a", "SIDECAR_INBOUND", taken));
    assert.ok(!cluster(taken).includes('"alt_stat_name":"a"') && cluster(taken) !== "");
    assert.deepEqual(faults, [`cluster ${taken}, as EnvoyFilter demo/a adds it`]);
  });

  test("is not given a second time on the way out", async () => {
    const { cluster, faults } = await told(
      added("a", "SIDECAR_OUTBOUND", "mine"),
      added("b", "SIDECAR_INBOUND", "mine"),
    );
    assert.match(cluster("mine"), /"alt_stat_name":"b"/);
    assert.deepEqual(faults, ["cluster mine, as EnvoyFilter demo/a adds it"]);
  });
});

test("who changes a resource that a proxy refuses is named first", () => {
  const { objects } = parseDocuments(
    "a.yaml",
    [
      api,
      lua("other"),
      httpFilter(
        "guard",
        'type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua, inline_code: "no lua"',
      ),
    ].join("---\n"),
  );
  const filter = { name: "guard", typed_config: { "@type": "", inline_code: "no lua" } };
  const type = "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua";
  const json = {
    filters: [{ ...filter, typed_config: { ...filter.typed_config, "@type": type } }],
    host: "api.demo",
  };
  const [first] = makersOf(objects, { name: "0.0.0.0_80", json, reason: "script load error" });
  assert.match(first ?? "", /EnvoyFilter demo\/guard$/);
});
