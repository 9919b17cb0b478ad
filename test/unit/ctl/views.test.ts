import assert from "node:assert/strict";
import { test } from "node:test";
import type { ConfigDump } from "../../../src/ctl/proxy/config-dump.ts";
import { clusterView } from "../../../src/ctl/proxy/views/cluster.ts";
import { ecdsView } from "../../../src/ctl/proxy/views/ecds.ts";
import { clustersAnswer, endpointView } from "../../../src/ctl/proxy/views/endpoint.ts";
import { listenerView } from "../../../src/ctl/proxy/views/listener.ts";
import { routeView } from "../../../src/ctl/proxy/views/route.ts";
import { domainWords } from "../../../src/ctl/proxy/views/route-words.ts";
import { secretViewAt } from "../../../src/ctl/proxy/views/secret.ts";
import type { Filters, View } from "../../../src/ctl/proxy/views/view.ts";
import { table } from "../../../src/ctl/table.ts";
import { goldenText } from "../../support/golden.ts";
import { translatedDump } from "../../support/translated-dump.ts";

function shown(view: View, dump: ConfigDump, filters: Filters = {}): readonly string[] {
  const rows = view.select(dump, filters).flatMap((resource) => view.rows(resource, filters));
  return table([view.columns, ...rows], view.padding);
}

for (const behaviour of ["bookshop-front", "bookshop-reviews"]) {
  for (const [name, view] of Object.entries({
    cluster: clusterView,
    listener: listenerView,
    route: routeView,
    endpoint: endpointView,
  })) {
    test(`proxy-config ${name} of ${behaviour} is istioctl's table`, (t) => {
      goldenText(t, `ctl/${behaviour}-${name}.txt`, `${shown(view, translatedDump(behaviour)).join("\n")}\n`);
    });
  }
}

test("filters leave what they name", () => {
  const dump = translatedDump("bookshop-front");
  const count = (view: View, filters: Filters): number => shown(view, dump, filters).length - 1;
  assert.equal(count(clusterView, { fqdn: "reviews.shop" }), 4);
  assert.equal(count(clusterView, { fqdn: "reviews.shop", subset: "v2" }), 1);
  assert.equal(count(clusterView, { direction: "inbound" }), 1);
  assert.equal(count(endpointView, { cluster: "outbound|9080|v2|reviews.shop.svc.cluster.local" }), 1);
  assert.equal(count(endpointView, { address: "10.1.173.1" }), 2);
  assert.equal(count(endpointView, { status: "unhealthy" }), 0);
  assert.equal(count(routeView, { name: "nothing" }), 0);
  assert.ok(count(listenerView, { port: 15_006 }) > 2);
  assert.equal(count(listenerView, { port: 15_006, type: "tcp" }), 0);
});

test("of the domains of a service the fewest spellings are shown", () => {
  const host = "api.demo.svc.cluster.local";
  assert.equal(
    domainWords([host, `${host}.`, "api", "api.demo.svc", "api.demo", "10.96.0.1", "api:80", `${host}:80`]),
    `${host}., api + 2 more...`,
  );
  assert.equal(domainWords(["*"]), "*");
});

test("a live Envoy's endpoints have what its outlier detection says", () => {
  const endpoint = clustersAnswer({
    cluster_statuses: [
      {
        name: "outbound|80||api",
        host_statuses: [
          {
            address: { socket_address: { address: "10.0.0.1", port_value: 80 } },
            health_status: { eds_health_status: "HEALTHY", failed_outlier_check: true },
          },
          {
            address: { pipe: { path: "./socket" } },
            health_status: { eds_health_status: "DRAINING" },
          },
        ],
      },
    ],
  });
  assert.deepEqual(shown(endpointView, { ...translatedDump("bookshop-front"), endpoint }), [
    "ENDPOINT            STATUS       OUTLIER CHECK     CLUSTER",
    "10.0.0.1:80         HEALTHY      FAILED            outbound|80||api",
    "unix://./socket     DRAINING     OK                outbound|80||api",
  ]);
});

test("a secret that never came has no certificate", () => {
  const secret = [{ name: "default", json: {}, isDynamic: true, versionInfo: "uninitialized" }];
  const dump = { ...translatedDump("bookshop-front"), secret };
  assert.match(shown(secretViewAt(new Date(0)), dump)[1] ?? "", /^default +UNINITIALIZED +false$/);
});

test("extensions are listed with their types", () => {
  const typed = { "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm" };
  const ecds = [{ name: "demo.auth", json: { typed_config: typed }, isDynamic: true }];
  assert.deepEqual(shown(ecdsView, { ...translatedDump("bookshop-front"), ecds }).slice(1), [
    "demo.auth     envoy.extensions.filters.http.wasm.v3.Wasm",
  ]);
});
