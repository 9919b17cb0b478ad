/** What holds for every pod, whatever is in it. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { applyPatch } from "rfc6902";
import { injectPod } from "../../../../src/controlplane/inject/inject-pod.ts";
import { jsonPatch } from "../../../../src/controlplane/inject/json-patch.ts";
import { type Pod, readPod } from "../../../../src/controlplane/inject/pod.ts";
import { settingsOf } from "../../../support/injection.ts";

const name = fc.constantFrom("web", "api", "istio-proxy", "istio-init", "helper");
const port = fc.constantFrom(80, 8080, 15020, "http", "nothing");
const action = fc.oneof(
  fc.record({ httpGet: fc.record({ path: fc.constantFrom("/", "/app-health/web/readyz"), port }) }),
  fc.record({ tcpSocket: fc.record({ port }) }),
  fc.record({ grpc: fc.record({ port: fc.constantFrom(80, 9000) }) }),
  fc.record({ exec: fc.constant({ command: ["x"] }) }),
);
const container = fc.record(
  {
    name,
    image: fc.constantFrom("auto", "web"),
    env: fc.uniqueArray(
      fc.record({ name: fc.constantFrom("A", "PROXY_CONFIG", "__proto__"), value: fc.string() }),
      {
        selector: (each) => each.name,
      },
    ),
    ports: fc.constant([{ name: "http", containerPort: 8080 }]),
    readinessProbe: action,
    livenessProbe: action,
    lifecycle: fc.record({ preStop: action }, { requiredKeys: [] }),
    securityContext: fc.record({ runAsUser: fc.constantFrom(0, 1000, 1337) }),
  },
  { requiredKeys: ["name"] },
);
const containers = fc.uniqueArray(container, { selector: (each) => each.name, maxLength: 4 });
const status = fc.constantFrom(
  "{}",
  "no JSON",
  '{"containers":["web","istio-proxy"],"initContainers":["helper"],"volumes":["data"]}',
);
const written = fc.record({
  metadata: fc.record(
    {
      labels: fc.dictionary(
        fc.constantFrom("app", "version", "security.istio.io/tlsMode"),
        fc.constantFrom("a", ""),
      ),
      annotations: fc.record(
        {
          "sidecar.istio.io/status": status,
          "sidecar.istio.io/nativeSidecar": fc.constantFrom("true", "false"),
          "sidecar.istio.io/interceptionMode": fc.constantFrom("REDIRECT", "TPROXY", "NONE"),
          "prometheus.io/port": fc.constantFrom("9090", "15020"),
          "prometheus.io/path": fc.constantFrom("/stats/prometheus", "/own"),
          "inject.istio.io/templates": fc.constantFrom("sidecar", "gateway"),
          "proxy.istio.io/overrides": fc.constantFrom("{}", '{"containers":[{"name":"istio-proxy"}]}'),
        },
        { requiredKeys: [] },
      ),
    },
    { requiredKeys: [] },
  ),
  spec: fc.record(
    {
      containers,
      initContainers: containers,
      volumes: fc.constant([{ name: "data", emptyDir: {} }]),
    },
    { requiredKeys: ["containers"] },
  ),
});

/** As JSON has it; names are of one container only, as the API wants it. */
const pod = written
  .map((value) => JSON.parse(JSON.stringify(value)) as typeof value)
  .filter(({ spec: { containers: beside, initContainers: before = [] } }) =>
    before.every((each) => beside.every((other) => other.name !== each.name)),
  );

const settings = settingsOf();
const place = {
  namespace: "demo",
  owner: { name: "web", kind: "Deployment", apiVersion: "apps/v1" },
  hasNativeSidecars: false,
};

function read(value: unknown): Pod {
  const found = readPod(value);
  assert.ok("spec" in found);
  return found;
}

/** Injected; undefined for one that is refused. */
function once(given: unknown): Pod | undefined {
  const outcome = injectPod(read(given), place, settings);
  return outcome.kind === "injected" ? outcome.pod : undefined;
}

describe("any pod", () => {
  test("is the same when it is injected again", () => {
    fc.assert(
      fc.property(pod, (given) => {
        const first = once(given);
        if (first !== undefined) assert.deepEqual(once(first), first);
      }),
      { numRuns: 2_000 },
    );
  });

  test("keeps every container, volume and label of its own, whatever status it says it has", () => {
    fc.assert(
      fc.property(pod, (given) => {
        const made = once(given);
        if (made === undefined) return;
        const names = (spec: Pod["spec"]): readonly string[] =>
          [...(spec.initContainers ?? []), ...spec.containers].map((each) => each.name);
        for (const own of names(read(given).spec))
          assert.ok(names(made.spec).includes(own) || own.startsWith("istio-"), own);
        for (const volume of given.spec.volumes ?? [])
          assert.ok(made.spec.volumes?.some((each) => each.name === volume.name));
        for (const [label, value] of Object.entries(given.metadata.labels ?? {}))
          if (value !== "") assert.equal(made.metadata.labels?.[label], value);
      }),
      { numRuns: 2_000 },
    );
  });

  test("is what the patch makes of it", () => {
    fc.assert(
      fc.property(pod, (given) => {
        const made = once(given);
        if (made === undefined) return;
        const patched = structuredClone(given) as object;
        applyPatch(patched, [...jsonPatch(given, made)]);
        assert.deepEqual(patched, made);
      }),
      { numRuns: 500 },
    );
  });
});
