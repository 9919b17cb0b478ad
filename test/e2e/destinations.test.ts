/** Where requests go by what DestinationRules and ServiceEntries say, between real sidecars; one mesh for all of them. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { createServer as createTlsServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { sleep } from "../../src/lifecycle/sleep.ts";
import { HttpServer } from "../../src/net/http-server.ts";
import { fetchHttp, type HttpResponse } from "../../src/net/http-client.ts";
import { eventually } from "../support/eventually.ts";
import { freePorts } from "../support/free-ports.ts";
import { get, TestMesh } from "../support/mesh.ts";
import { apiHost, egress, ingress, mutualTls } from "../support/mesh-objects.ts";
import { TestPki, validity } from "../support/test-pki.ts";

const stack = new AsyncDisposableStack();
const patience = { withinMs: 30_000 };
/** Endpoints whose applications fail for now. */
const failing = new Set<string>();
let mesh: TestMesh;
let outbound = 0;
let passed = 0;
let connections = 0;

async function startEndpoint(name: string): Promise<HttpServer> {
  return await HttpServer.listen({ host: "127.0.0.1", port: 0 }, async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://app");
    await sleep(pathname === "/slow" ? Number(searchParams.get("ms")) : 0);
    response.writeHead(failing.has(name) ? 503 : 200).end(name);
  });
}

const networking = (kind: string, name: string, spec: object): object => ({
  apiVersion: "networking.istio.io/v1",
  kind,
  metadata: { name, namespace: "demo" },
  spec,
});

const call = (path = "/", host = apiHost): Promise<HttpResponse> => get(outbound, path, { host });

const text = ({ body }: HttpResponse): string => body.toString("utf8");

/** Have these rules, and wait until calls show what they do. */
async function under(rules: readonly object[], check: () => Promise<void>): Promise<void> {
  mesh.write("rules.yaml", ...rules);
  await eventually("the rules", check, patience);
}

const rule = (trafficPolicy: object, host = "api"): object =>
  networking("DestinationRule", "api", { host, trafficPolicy });

before(async () => {
  const [near = 0, far = 0, ...others] = await freePorts(5);
  [outbound = 0, passed = 0, connections = 0] = others;
  const [nearApp, farApp] = [stack.use(await startEndpoint("near")), stack.use(await startEndpoint("far"))];
  const endpoint = (name: string, at: number, locality: string): object => ({
    address: "127.0.0.1",
    ports: { http: at },
    labels: { app: name },
    serviceAccount: name,
    locality,
  });
  mesh = stack.use(
    await TestMesh.start({
      "api.yaml": [
        networking("ServiceEntry", "api", {
          hosts: [apiHost],
          location: "MESH_INTERNAL",
          resolution: "STATIC",
          ports: [{ number: 80, name: "http", protocol: "HTTP" }],
          endpoints: [endpoint("near", near, "r1/z1"), endpoint("far", far, "r2/z1")],
        }),
        ingress("near", near, nearApp.port),
        ingress("far", far, farApp.port),
      ],
      "web.yaml": [egress("web", outbound)],
      "mtls.yaml": [mutualTls("STRICT")],
    }),
  );
  const placed = (folder: string): Promise<void> => {
    writeFileSync(join(folder, "etc/istio/pod/labels"), 'app="web"\nistio-locality="r1.z1"\n');
    return Promise.resolve();
  };
  const sidecars = [
    await mesh.sidecar("web", { prepare: placed }),
    await mesh.sidecar("near"),
    await mesh.sidecar("far"),
    await mesh.sidecar("gateway", { type: "router" }),
  ];
  await Promise.all(sidecars.map((sidecar) => sidecar.ready()));
});

after(() => stack.disposeAsync());

/** Who answers so many calls. */
async function answers(count: number): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  for (let index = 0; index < count; index += 1) found.add(text(await call()));
  return found;
}

describe("a destination", () => {
  test("is everywhere without a rule", async () => {
    await under([], async () => assert.equal((await answers(20)).size, 2));
  });

  test("is near its caller, until that fails", async () => {
    const outlierDetection = { consecutive5xxErrors: 1, interval: "1s", baseEjectionTime: "3s" };
    await under([rule({ outlierDetection: { ...outlierDetection, maxEjectionPercent: 100 } })], async () =>
      assert.deepEqual([...(await answers(20))], ["near"]),
    );
    failing.add("near");
    await eventually("far", async () => assert.deepEqual([...(await answers(5))], ["far"]), patience);
    failing.delete("near");
    await eventually("near again", async () => assert.deepEqual([...(await answers(5))], ["near"]), patience);
  });

  test("is where its share of the places says", async () => {
    const distribute = [{ from: "r1/z1/*", to: { "r2/*": 100 } }];
    await under([rule({ loadBalancer: { localityLbSetting: { enabled: true, distribute } } })], async () =>
      assert.deepEqual([...(await answers(20))], ["far"]),
    );
  });

  test("takes no more requests than it says", async () => {
    const connectionPool = { tcp: { maxConnections: 1 }, http: { http1MaxPendingRequests: 1 } };
    await under([rule({ connectionPool })], async () => {
      const all = await Promise.all(Array.from({ length: 12 }, () => call("/slow?ms=300")));
      const statuses = new Set(all.map(({ status }) => status));
      assert.deepEqual(statuses, new Set([200, 503]));
      assert.ok(all.some(({ headers }) => headers["x-envoy-overloaded"] === "true"));
    });
  });

  test("is waited for as long as the rule says", async () => {
    const http = [{ timeout: "0.2s", route: [{ destination: { host: "api" } }] }];
    await under([networking("VirtualService", "api", { hosts: ["api"], http })], async () => {
      assert.equal((await call("/slow?ms=3000")).status, 504);
      assert.equal((await call()).status, 200);
    });
  });

  test("is what the delegate of a rule says", async () => {
    const http = [
      { match: [{ uri: { prefix: "/own" } }], delegate: { name: "own", namespace: "demo" } },
      { route: [{ destination: { host: "api" } }] },
    ];
    const own = [{ match: [{ uri: { prefix: "/own/a" } }], directResponse: { status: 418 } }];
    await under(
      [
        networking("VirtualService", "api", { hosts: ["api"], http }),
        networking("VirtualService", "own", { http: own }),
      ],
      async () => {
        assert.equal((await call("/own/a")).status, 418);
        assert.equal((await call("/a")).status, 200);
      },
    );
  });

  test("outside the mesh is called by TLS that the sidecar begins, and trusted by its root and name only", async () => {
    const pki = await TestPki.create();
    const pair = await pki.serverKeyPair(["shop.example.com"], validity(-60_000, 3_600_000));
    const root = join(mesh.folder, "root.pem");
    writeFileSync(root, pki.rootPem);
    const server = await listening(
      createTlsServer({ cert: pair.certificatePem, key: pair.privateKeyPem }, (_, response) => {
        response.end("over TLS");
      }),
    );
    stack.defer(() => {
      server.closeAllConnections();
      server.close();
    });
    const { port } = server.address() as AddressInfo;
    const entry = networking("ServiceEntry", "shop", {
      hosts: ["shop.example.com"],
      location: "MESH_EXTERNAL",
      resolution: "STATIC",
      ports: [{ number: 80, name: "http", protocol: "HTTP", targetPort: port }],
      endpoints: [{ address: "127.0.0.1" }],
    });
    const tls = (name: string): object =>
      networking("DestinationRule", "shop", {
        host: "shop.example.com",
        trafficPolicy: { tls: { mode: "SIMPLE", caCertificates: root, sni: name, subjectAltNames: [name] } },
      });
    const shop = (): Promise<HttpResponse> => call("/", "shop.example.com");
    await under([entry, tls("shop.example.com")], async () => {
      const answer = await shop();
      assert.deepEqual([answer.status, text(answer)], [200, "over TLS"]);
    });
    await under([entry, tls("other.example.com")], async () => assert.equal((await shop()).status, 503));
  });

  test("that is no service is not called where only services may be", async () => {
    assert.equal((await call("/", "nobody.example.com")).status, 502);
  });
});

describe("a gateway", () => {
  const gateway = (port: object, more: object): object =>
    networking("Gateway", "gateway", {
      selector: { app: "gateway" },
      servers: [{ port, hosts: ["*"], ...more }],
    });

  test("passes mutual TLS to whom its server name says, and is no party to it", async () => {
    const serverName = `outbound_.80_._.${apiHost}`;
    const identities = ["near", "far"].map((name) => `spiffe://cluster.local/ns/demo/sa/${name}`);
    await under(
      [
        gateway({ number: passed, name: "tls", protocol: "TLS" }, { tls: { mode: "AUTO_PASSTHROUGH" } }),
        networking("ServiceEntry", "way", {
          hosts: ["way.example.com"],
          location: "MESH_EXTERNAL",
          resolution: "STATIC",
          ports: [{ number: 80, name: "http", protocol: "HTTP", targetPort: passed }],
          endpoints: [{ address: "127.0.0.1" }],
        }),
        networking("DestinationRule", "way", {
          host: "way.example.com",
          trafficPolicy: {
            tls: { mode: "ISTIO_MUTUAL", sni: serverName, subjectAltNames: identities },
          },
        }),
      ],
      async () => {
        const answer = await call("/", "way.example.com");
        assert.equal(answer.status, 200);
        assert.match(text(answer), /^(?:near|far)$/);
      },
    );
  });

  test("leads connections to a service, by mutual TLS of its own", async () => {
    const tcp = [{ route: [{ destination: { host: apiHost, port: { number: 80 } } }] }];
    await under(
      [
        gateway({ number: connections, name: "tcp", protocol: "TCP" }, {}),
        networking("VirtualService", "connections", { hosts: ["*"], gateways: ["gateway"], tcp }),
      ],
      async () => {
        const answer = await get(connections, "/");
        assert.equal(answer.status, 200);
        assert.match(text(answer), /^(?:near|far)$/);
      },
    );
  });
});

describe("a certificate that is not there", () => {
  test("costs the host that it is for, and no other of its port", async () => {
    const pki = await TestPki.create();
    const pair = await pki.serverKeyPair(["shop.example.com"], validity(-60_000, 3_600_000));
    const path = (name: string): string => join(mesh.folder, name);
    writeFileSync(path("shop.pem"), pair.certificatePem);
    writeFileSync(path("shop.key"), pair.privateKeyPem);
    const server = (host: string, name: string): object => ({
      port: { number: connections, name, protocol: "HTTPS" },
      hosts: [host],
      tls: { mode: "SIMPLE", serverCertificate: path(`${name}.pem`), privateKey: path(`${name}.key`) },
    });
    const servers = [server("gone.example.com", "gone"), server("shop.example.com", "shop")];
    const shop = (): Promise<HttpResponse> =>
      fetchHttp({
        target: { host: "127.0.0.1", port: connections },
        tls: { ca: pki.rootPem, servername: "shop.example.com" },
        url: "/",
        headers: { host: "shop.example.com" },
        timeoutMs: 10_000,
      });
    const http = [{ route: [{ destination: { host: apiHost } }] }];
    mesh.write(
      "rules.yaml",
      networking("Gateway", "shops", { selector: { app: "gateway" }, servers }),
      networking("VirtualService", "shops", { hosts: ["*"], gateways: ["shops"], http }),
    );
    // Envoy waits for what is not there for 15 s.
    await eventually("the shop", async () => assert.equal((await shop()).status, 200), { withinMs: 60_000 });
  });
});

async function listening(server: Server): Promise<Server> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}
