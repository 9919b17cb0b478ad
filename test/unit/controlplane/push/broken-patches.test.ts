/** An EnvoyFilter that breaks one of Envoy's rules, or takes a name that is taken, costs itself and none beside it. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseDocuments } from "../../../../src/controlplane/config/parse-documents.ts";
import { buildModel } from "../../../../src/controlplane/model/build-model.ts";
import { decodedOf } from "../../../../src/controlplane/networking/pushed-types.ts";
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
