/** What is bad where validation cannot see it, and beside what is well: it costs itself only. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { mergeFiles } from "../../../src/controlplane/registry/file/merge-files.ts";
import type { ConfigObject } from "../../../src/controlplane/config/objects.ts";
import { parseDocuments } from "../../../src/controlplane/config/parse-documents.ts";
import { buildModel } from "../../../src/controlplane/model/build-model.ts";
import { boundedWeights } from "../../../src/controlplane/networking/load-assignment.ts";
import { generateEndpoints } from "../../../src/controlplane/networking/eds.ts";
import { generateRoutes } from "../../../src/controlplane/networking/rds.ts";
import { viewOf } from "../../../src/controlplane/networking/view.ts";
import { atOnce } from "../../../src/lifecycle/in-turns.ts";
import { takeSnapshot } from "../../support/snapshot-of.ts";
import { demoProxy, settings, yaml } from "../../support/bad-values.ts";
import { typeUrl } from "../../../src/xds/type-urls.ts";

const uint32 = 4_294_967_295;

test("what is wrong with a document leaves those beside it, and the object as it was last", () => {
  const good = (name: string, port: number): string =>
    yaml("ServiceEntry", `hosts: [${name}.demo], ports: [{number: ${port}, name: http}]`, name);
  const bad = yaml("ServiceEntry", "hosts: [a.demo], ports: [{number: 0, name: http}]", "a");
  const parse = (content: string) => [parseDocuments("a.yaml", content)];
  const served = atOnce(
    mergeFiles(parse([good("a", 1), good("b", 2), good("c", 3)].join("---\n")), [], []),
  ).objects;
  const { objects, problems } = atOnce(mergeFiles(parse([bad, good("b", 20)].join("---\n")), [], served));
  assert.deepEqual(
    objects.map((object) => [
      object.name,
      object.kind === "ServiceEntry" ? object.spec.ports[0]?.number : undefined,
    ]),
    [
      ["a", 1],
      ["b", 20],
    ],
  );
  assert.deepEqual(
    problems.map(({ line, path }) => [line, path]),
    [[4, "spec.ports[0].number"]],
  );
});

describe("weights", () => {
  test("that Envoy can add up stay as they are, those of 0 become 1", () => {
    assert.deepEqual(boundedWeights([0, 1, 1_000_000]), [1, 1, 1_000_000]);
    assert.deepEqual(boundedWeights([uint32]), [uint32]);
    assert.deepEqual(boundedWeights([]), []);
  });
  test("that add up to too much keep their proportions", () => {
    const weights = [...Array.from({ length: 10_000 }, () => 1_000_000), 0];
    const bounded = boundedWeights(weights);
    const sum = bounded.reduce((total, weight) => total + weight, 0);
    assert.ok(sum <= uint32 && sum > 0.99 * uint32, String(sum));
    assert.equal(bounded[0], bounded[9_999]);
    assert.equal(bounded.at(-1), 1);
  });
});

describe("what validation cannot see", () => {
  const service = (name: string, namespace = "demo"): ConfigObject => {
    const [parsed] = parseDocuments(
      "a.yaml",
      yaml(
        "ServiceEntry",
        `hosts: [${name}], resolution: STATIC, ports: [{number: 80, name: http, protocol: HTTP}], endpoints: [{address: 10.0.0.1}]`,
      ),
    ).objects;
    assert.ok(parsed !== undefined);
    return { ...parsed, name, namespace };
  };
  const virtualHosts = (objects: readonly ConfigObject[]) =>
    generateRoutes(viewOf(buildModel(objects, settings), demoProxy("REDIRECT"))).flatMap(
      (route) => route.virtualHosts ?? [],
    );

  test("two services with one name: the first has it, and no domain is there twice", () => {
    const hosts = virtualHosts([
      service("api.demo.svc.cluster.local"),
      service("api.demo"),
      service("API.demo"),
      service("api.demo.svc.cluster.local", "other"),
      service("web.demo.svc.cluster.local"),
    ]);
    const domains = hosts.flatMap((host) => host.domains ?? []).map((domain) => domain.toLowerCase());
    assert.equal(new Set(domains).size, domains.length);
    assert.equal(new Set(hosts.map(({ name }) => name)).size, hosts.length);
    assert.ok(domains.includes("web.demo"));
  });

  test("a name among the addresses of a STATIC service is left out", () => {
    const [entry, workload] = parseDocuments(
      "a.yaml",
      [
        yaml(
          "ServiceEntry",
          "hosts: [a.demo], resolution: STATIC, ports: [{number: 80, name: http, protocol: HTTP}], workloadSelector: {labels: {app: a}}",
        ),
        yaml("WorkloadEntry", "address: a.demo, labels: {app: a}"),
      ].join("---\n"),
    ).objects;
    assert.ok(entry !== undefined && workload !== undefined);
    const view = viewOf(buildModel([entry, workload], settings), demoProxy("REDIRECT"));
    assert.deepEqual(generateEndpoints(view)[0]?.endpoints, []);
  });

  test("a part that cannot be encoded costs itself only, and is told", () => {
    const broken: ConfigObject = {
      kind: "VirtualService",
      name: "broken",
      namespace: "demo",
      source: "a.yaml",
      line: 1,
      spec: {
        hosts: ["b.demo"],
        http: [
          {
            name: undefined,
            match: undefined,
            timeout: undefined,
            route: [
              { destination: { host: "a.demo", subset: undefined, port: undefined }, weight: 2 ** 40 },
              { destination: { host: "b.demo", subset: undefined, port: undefined }, weight: 1 },
            ],
          },
        ],
      },
    };
    const objects = [service("a.demo"), service("b.demo"), service("c.demo")];
    const whole = takeSnapshot(buildModel(objects, settings), demoProxy("REDIRECT"));
    const { resources, faults } = takeSnapshot(
      buildModel([...objects, broken], settings),
      demoProxy("REDIRECT"),
    );
    assert.deepEqual(
      faults.map(({ part }) => part),
      ["route 80, b.demo:80"],
    );
    assert.match(faults[0]?.reason ?? "", /1099511627776 out of range/);
    const route = Buffer.from(resources.get(typeUrl.route)?.get("80")?.bytes ?? []).toString("latin1");
    for (const [host, isThere] of [
      ["a.demo", true],
      ["b.demo", false],
      ["c.demo", true],
    ] as const)
      assert.equal(route.includes(`${host}:80`), isThere, host);
    for (const type of [typeUrl.cluster, typeUrl.endpoint, typeUrl.listener])
      assert.deepEqual(
        [...(resources.get(type)?.keys() ?? [])],
        [...(whole.resources.get(type)?.keys() ?? [])],
      );
  });

  test("a resource that cannot be encoded at all is as it was before", () => {
    const before = takeSnapshot(buildModel([service("a.demo")], settings), demoProxy("REDIRECT"));
    const entry = service("a.demo");
    assert.ok(entry.kind === "ServiceEntry");
    const endpoints = [
      {
        address: "10.0.0.2",
        ports: { http: 2 ** 40 },
        labels: undefined,
        serviceAccount: undefined,
        weight: undefined,
      },
    ];
    const model = buildModel([{ ...entry, spec: { ...entry.spec, endpoints } }], settings);
    const name = "outbound|80||a.demo";
    const { resources, faults } = takeSnapshot(model, demoProxy("NONE"), before.layers);
    assert.deepEqual(
      faults.map(({ part }) => part),
      [`endpoint ${name}`],
    );
    assert.deepEqual(
      resources.get(typeUrl.endpoint)?.get(name),
      before.resources.get(typeUrl.endpoint)?.get(name),
    );
  });
});
