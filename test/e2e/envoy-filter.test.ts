/** What EnvoyFilters of the folder do to requests between two real sidecars. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { HttpServer } from "../../src/net/http-server.ts";
import { eventually } from "../support/eventually.ts";
import { freePorts } from "../support/free-ports.ts";
import { get, TestMesh } from "../support/mesh.ts";
import { apiHost, egress, ingress, mutualTls, service } from "../support/mesh-objects.ts";

const stack = new AsyncDisposableStack();
const patience = { withinMs: 30_000 };
let mesh: TestMesh;
let outbound = 0;

const call = (path = "/") => get(outbound, path, { host: apiHost });

const envoyFilter = (...configPatches: readonly object[]): object => ({
  apiVersion: "networking.istio.io/v1alpha3",
  kind: "EnvoyFilter",
  metadata: { name: "patches", namespace: "demo" },
  spec: { configPatches },
});

const router = {
  filterChain: {
    filter: {
      name: "envoy.filters.network.http_connection_manager",
      subFilter: { name: "envoy.filters.http.router" },
    },
  },
};

const type = "type.googleapis.com/envoy.extensions.filters.http";

const lua = (source: string): object => ({
  name: "envoy.filters.http.lua",
  typed_config: { "@type": `${type}.lua.v3.Lua`, default_source_code: { inline_string: source } },
});

before(async () => {
  const [inbound = 0, port = 0] = await freePorts(2);
  outbound = port;
  const app = stack.use(
    await HttpServer.listen({ host: "127.0.0.1", port: 0 }, (request, response) => {
      response.writeHead(200, { "x-seen": request.headers["x-lua"] ?? "" }).end("api");
    }),
  );
  mesh = stack.use(
    await TestMesh.start({
      "api.yaml": [service("api", [{ port: inbound }]), ingress("api", inbound, app.port)],
      "web.yaml": [egress("web", outbound)],
      "mtls.yaml": [mutualTls("STRICT")],
    }),
  );
  const sidecars = await Promise.all(["web", "api"].map((name) => mesh.sidecar(name)));
  await Promise.all(sidecars.map((sidecar) => sidecar.ready()));
});

after(() => stack.disposeAsync());

describe("an EnvoyFilter of the folder", () => {
  test("puts a filter before the router of the called sidecar", async () => {
    mesh.write(
      "filter.yaml",
      envoyFilter({
        applyTo: "HTTP_FILTER",
        match: { context: "SIDECAR_INBOUND", listener: router },
        patch: {
          operation: "INSERT_BEFORE",
          value: lua('function envoy_on_request(handle) handle:headers():add("x-lua", "inbound") end'),
        },
      }),
    );
    await eventually(
      "the filter",
      async () => assert.equal((await call()).headers["x-seen"], "inbound"),
      patience,
    );
  });

  test("changes a route of the calling sidecar", async () => {
    mesh.write(
      "filter.yaml",
      envoyFilter({
        applyTo: "HTTP_ROUTE",
        match: {
          context: "SIDECAR_OUTBOUND",
          routeConfiguration: { vhost: { name: `${apiHost}:80`, route: { name: "default" } } },
        },
        patch: {
          operation: "INSERT_BEFORE",
          value: {
            match: { path: "/own" },
            direct_response: { status: 418, body: { inline_string: "own" } },
          },
        },
      }),
    );
    await eventually("the route", async () => assert.equal((await call("/own")).status, 418), patience);
    assert.equal((await call("/else")).status, 200);
  });

  test("limits requests, with a message of Envoy's that nothing else here makes", async () => {
    mesh.write(
      "filter.yaml",
      envoyFilter({
        applyTo: "HTTP_FILTER",
        match: { context: "SIDECAR_INBOUND", listener: router },
        patch: {
          operation: "INSERT_BEFORE",
          value: {
            name: "envoy.filters.http.local_ratelimit",
            typed_config: {
              "@type": `${type}.local_ratelimit.v3.LocalRateLimit`,
              stat_prefix: "limit",
              token_bucket: { max_tokens: 2, tokens_per_fill: 2, fill_interval: "600s" },
              filter_enabled: { default_value: { numerator: 100 } },
              filter_enforced: { default_value: { numerator: 100 } },
            },
          },
        },
      }),
    );
    await eventually("the limit", async () => assert.equal((await call()).status, 429), patience);
  });

  test("that Envoy would refuse changes nothing, and costs nothing else", async () => {
    mesh.write(
      "filter.yaml",
      envoyFilter(
        {
          applyTo: "CLUSTER",
          match: { context: "SIDECAR_OUTBOUND", cluster: { service: apiHost } },
          patch: { operation: "MERGE", value: { connect_timeout: "-1s" } },
        },
        {
          applyTo: "HTTP_FILTER",
          match: { context: "SIDECAR_INBOUND", listener: router },
          patch: {
            operation: "INSERT_BEFORE",
            value: lua('function envoy_on_request(handle) handle:headers():add("x-lua", "beside") end'),
          },
        },
      ),
    );
    await eventually(
      "the other change",
      async () => assert.equal((await call()).headers["x-seen"], "beside"),
      patience,
    );
  });
});
