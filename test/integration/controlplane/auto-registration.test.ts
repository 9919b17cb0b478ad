/** Machines that register themselves, as streams with the node of one, seen from a proxy that calls them. */
import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fromBinary } from "@bufbuild/protobuf";
import { DiscoveryServer } from "../../../src/controlplane/discovery-server.ts";
import { ClusterLoadAssignmentSchema } from "../../../src/proto/envoy/envoy/config/endpoint/v3/endpoint_pb.js";
import { typeUrl } from "../../../src/xds/type-urls.ts";
import { discoveryOptions } from "../../support/discovery-options.ts";
import { DiscoveryPlane, type TestNode, type TestStream } from "../../support/discovery-plane.ts";
import { eventually } from "../../support/eventually.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { testLog } from "../../support/test-log.ts";

const group = `
apiVersion: networking.istio.io/v1
kind: WorkloadGroup
metadata: {name: web, namespace: demo}
spec:
  metadata: {labels: {app: web}}
  template: {ports: {http: 8080}, serviceAccount: web}
`;
const service = `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: web, namespace: demo}
spec:
  hosts: [web.demo]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{number: 80, name: http, protocol: HTTP}]
  workloadSelector: {labels: {app: web}}
`;
const files = { "group.yaml": group, "service.yaml": service };
const cluster = "outbound|80||web.demo";

function machine(address: string, metadata: TestNode["metadata"] = {}): TestNode {
  return {
    id: `sidecar~${address}~vm-1.demo~demo.svc.cluster.local`,
    metadata: {
      NAMESPACE: "demo",
      SERVICE_ACCOUNT: "web",
      LABELS: { host: "vm-1" },
      AUTO_REGISTER_GROUP: "web",
      ...metadata,
    },
  };
}

const caller: TestNode = {
  id: "sidecar~127.0.0.9~api-1.demo~demo.svc.cluster.local",
  metadata: { NAMESPACE: "demo", SERVICE_ACCOUNT: "api" },
};

/** Addresses and ports of the service, each time that they change. */
async function callerOf(plane: DiscoveryPlane): Promise<() => Promise<readonly string[]>> {
  const stream = await plane.secure("api", caller);
  stream.send({ typeUrl: typeUrl.endpoint, names: [cluster] });
  return async () => {
    const { nonce, resources } = await stream.next();
    stream.send({ typeUrl: typeUrl.endpoint, names: [cluster], nonce });
    return resources
      .flatMap(({ value }) => fromBinary(ClusterLoadAssignmentSchema, value).endpoints)
      .flatMap(({ lbEndpoints }) => lbEndpoints)
      .map(({ hostIdentifier }) => {
        const address =
          hostIdentifier.case === "endpoint" ? hostIdentifier.value.address?.address : undefined;
        assert.ok(address?.case === "socketAddress");
        return `${address.value.address}:${String(address.value.portSpecifier.value)}`;
      })
      .toSorted();
  };
}

function connect(stream: TestStream): TestStream {
  stream.send({ typeUrl: typeUrl.cluster });
  return stream;
}

const health = (error?: string): Parameters<TestStream["send"]>[0] => ({
  typeUrl: typeUrl.healthInformation,
  ...(error === undefined ? {} : { error }),
});

const withinMs = { withinMs: 30_000 };

/** As a control plane that nobody lets wait. */
const quick = { machines: { graceMs: 300 } };

describe("a machine that names a WorkloadGroup", () => {
  test("is an endpoint of the services that select it, for as long as it is connected and the grace", async () => {
    await using plane = await DiscoveryPlane.start(files, quick);
    const next = await callerOf(plane);
    assert.deepEqual(await next(), []);
    const first = connect(await plane.secure("web", machine("127.0.0.1")));
    assert.deepEqual(await next(), ["127.0.0.1:8080"]);
    const second = connect(await plane.secure("web", machine("127.0.0.2")));
    assert.deepEqual(await next(), ["127.0.0.1:8080", "127.0.0.2:8080"]);
    first.cancel();
    assert.deepEqual(await next(), ["127.0.0.2:8080"]);
    second.cancel();
    assert.deepEqual(await next(), []);
    const status = plane.server.configStatus;
    assert.deepEqual(status.problems, []);
  });

  test("stays while one of its two connections is there", async () => {
    await using plane = await DiscoveryPlane.start(files, quick);
    const next = await callerOf(plane);
    assert.deepEqual(await next(), []);
    const [first, second] = [
      connect(await plane.secure("web", machine("127.0.0.1"))),
      connect(await plane.secure("web", machine("127.0.0.1"))),
    ];
    assert.deepEqual(await next(), ["127.0.0.1:8080"]);
    await Promise.all([first.next(), second.next()]);
    first.cancel();
    await eventually(
      "the first is gone",
      () => {
        assert.equal(plane.log.lines.filter((line) => line.includes("proxy disconnected")).length, 1);
      },
      withinMs,
    );
    // The grace of one that came later and went later ends later than its would have.
    const other = connect(await plane.secure("web", machine("127.0.0.2")));
    assert.deepEqual(await next(), ["127.0.0.1:8080", "127.0.0.2:8080"]);
    other.cancel();
    assert.deepEqual(await next(), ["127.0.0.1:8080"]);
    second.cancel();
    assert.deepEqual(await next(), []);
  });

  test("has the labels of its group, so that policies select it", async () => {
    await using plane = await DiscoveryPlane.start({
      ...files,
      "sidecar.yaml": `
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: web, namespace: demo}
spec:
  workloadSelector: {labels: {app: web}}
  egress: [{hosts: ["other/*"]}]
`,
    });
    const stream = connect(await plane.secure("web", machine("127.0.0.1")));
    const { resources } = await stream.next();
    const names = resources.map(({ value }) => Buffer.from(value).toString("latin1"));
    assert.ok(names.some((text) => text.includes("inbound|8080||")));
    assert.ok(!names.some((text) => text.includes(cluster)));
  });

  test("takes no calls before its agent has found it well, and none while it is ill", async () => {
    await using plane = await DiscoveryPlane.start(files);
    const next = await callerOf(plane);
    assert.deepEqual(await next(), []);
    const probed = machine("127.0.0.1", { PROXY_CONFIG: { readinessProbe: { httpGet: { port: 8080 } } } });
    const stream = connect(await plane.secure("web", probed));
    await stream.next();
    stream.send(health());
    assert.deepEqual(await next(), ["127.0.0.1:8080"]);
    stream.send(health("it answers 500"));
    assert.deepEqual(await next(), []);
    stream.send(health());
    assert.deepEqual(await next(), ["127.0.0.1:8080"]);
  });

  test("is registered as soon as the group is there, and follows it", async () => {
    await using plane = await DiscoveryPlane.start({ "service.yaml": service });
    const next = await callerOf(plane);
    assert.deepEqual(await next(), []);
    const stream = connect(await plane.secure("web", machine("127.0.0.1")));
    await stream.next();
    const file = join(plane.configFolder, "group.yaml");
    writeFileSync(file, group);
    assert.deepEqual(await next(), ["127.0.0.1:8080"]);
    writeFileSync(file, group.replace("8080", "9090"));
    assert.deepEqual(await next(), ["127.0.0.1:9090"]);
    rmSync(file);
    assert.deepEqual(await next(), []);
    assert.ok(plane.log.lines.some((line) => line.includes("is registered once its WorkloadGroup is there")));
  });

  test("has the labels of its group alone where workloads have to be declared", async () => {
    const policy = { binding: "workload", trustsAddresses: false } as const;
    const other = service.replaceAll("web", "api");
    await using plane = await DiscoveryPlane.start({ ...files, "other.yaml": other }, { binding: policy });
    const node = machine("127.0.0.1", { LABELS: { app: "api" } });
    const stream = connect(await plane.secure("web", node));
    const { resources } = await stream.next();
    assert.ok(
      resources.some(({ value }) => Buffer.from(value).toString("latin1").includes("inbound|8080||")),
    );
    stream.send({ typeUrl: typeUrl.endpoint, names: [cluster, "outbound|80||api.demo"] });
    for (;;) {
      const answer = await stream.next();
      if (answer.typeUrl !== typeUrl.endpoint) continue;
      const counts = answer.resources
        .map(({ value }) => fromBinary(ClusterLoadAssignmentSchema, value))
        .map(({ clusterName, endpoints }) => [
          clusterName,
          endpoints.flatMap(({ lbEndpoints }) => lbEndpoints).length,
        ]);
      assert.deepEqual(Object.fromEntries(counts), { [cluster]: 1, "outbound|80||api.demo": 0 });
      break;
    }
  });

  const refused: readonly [
    what: string,
    open: (plane: DiscoveryPlane) => Promise<TestStream> | TestStream,
    reason: RegExp,
  ][] = [
    [
      "with the credential of another service account",
      (plane) => plane.secure("api", machine("127.0.0.1", { SERVICE_ACCOUNT: "api" })),
      /PERMISSION_DENIED: the WorkloadGroup demo\/web is for the service account web, the credential proves api/,
    ],
    [
      "with the credential of another namespace",
      (plane) => plane.secure("web", machine("127.0.0.1"), "other"),
      /PERMISSION_DENIED: .*the credential proves other/,
    ],
    [
      "without any credential",
      (plane) => plane.plain(machine("127.0.0.1")),
      /PERMISSION_DENIED: .*the port proves no identity/,
    ],
    [
      "by what makes no name of an object",
      (plane) => plane.secure("web", machine("127.0.0.1", { AUTO_REGISTER_GROUP: "../web" })),
      /INVALID_ARGUMENT: .*the name of an object/,
    ],
  ];
  for (const [what, open, reason] of refused)
    test(`is refused ${what}`, async () => {
      await using plane = await DiscoveryPlane.start(files);
      const stream = connect(await open(plane));
      await assert.rejects(stream.next(), reason);
      assert.deepEqual(await (await callerOf(plane))(), []);
    });
});

test("a machine that says ever other networks and groups has a few of the calls, and others are registered still", async () => {
  await using plane = await DiscoveryPlane.start(files);
  const refusals: string[] = [];
  for (let number = 0; number < 12; number += 1) {
    const said = number % 2 === 0 ? { NETWORK: `n${number}` } : { AUTO_REGISTER_GROUP: `other-${number}` };
    const stream = connect(await plane.secure("web", machine("127.0.0.1", said)));
    await stream.next().catch((error: unknown) => refusals.push(String(error)));
  }
  assert.equal(refusals.length, 4);
  for (const refusal of refusals)
    assert.match(refusal, /RESOURCE_EXHAUSTED: 127\.0\.0\.1 is registered 8 times in demo already/);
  await connect(await plane.secure("web", machine("127.0.0.2"))).next();
});

test("registered machines outlive a restart of the control plane, and those that do not come back are forgotten", async () => {
  using folder = temporaryFolder();
  const { options, issuer } = await discoveryOptions(folder.path);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(options.configFolder, name), text);
  const entry = "WorkloadEntry demo/web-127.0.0.1";
  {
    await using server = await DiscoveryServer.listen(options, testLog());
    await using plane = DiscoveryPlane.of(server, issuer);
    const stream = connect(await plane.secure("web", machine("127.0.0.1")));
    await stream.next();
    assert.ok(server.configStatus.objects.includes(entry));
  }
  {
    await using again = await DiscoveryServer.listen(options, testLog());
    await eventually(
      "what was kept",
      () => {
        assert.ok(again.configStatus.objects.includes(entry));
      },
      withinMs,
    );
  }
  await using impatient = await DiscoveryServer.listen(
    { ...options, machines: { graceMs: 1, returnMs: 1 } },
    testLog(),
  );
  await eventually(
    "forgotten",
    () => {
      assert.ok(!impatient.configStatus.objects.includes(entry));
    },
    withinMs,
  );
});
