/** What real sidecars tell of requests between them, as Telemetries of the folder and the mesh's providers say. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { stringify } from "yaml";
import { HttpServer } from "../../src/net/http-server.ts";
import { eventually } from "../support/eventually.ts";
import { freePorts } from "../support/free-ports.ts";
import { get, TestMesh } from "../support/mesh.ts";
import { apiHost, egress, ingress, mutualTls, plainText, service } from "../support/mesh-objects.ts";

/** Envoy writes logs and sends spans every few seconds. */
const patience = { withinMs: 60_000 };

const stack = new AsyncDisposableStack();
/** Bodies that came to Zipkin's path. */
const spans: string[] = [];
let mesh: TestMesh;
let outbound = 0;
let collectorPort = 0;

const telemetry = (name: string, spec: object): object => ({
  apiVersion: "telemetry.istio.io/v1",
  kind: "Telemetry",
  metadata: { name, namespace: "demo" },
  spec,
});

function meshConfig(): object {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "istio", namespace: "istio-system" },
    data: {
      mesh: stringify({
        extensionProviders: [
          {
            name: "lines",
            envoyFileAccessLog: {
              path: logPath(),
              logFormat: { text: "%REQ(:PATH)% %RESPONSE_CODE% %UPSTREAM_CLUSTER_RAW%" },
            },
          },
          { name: "zipkin", zipkin: { service: "zipkin.demo.svc.cluster.local", port: 80 } },
        ],
      }),
    },
  };
}

const logPath = (): string => join(mesh.folder, "requests.log");

const logged = (): readonly string[] =>
  existsSync(logPath()) ? readFileSync(logPath(), "utf8").trim().split("\n") : [];

const call = (path: string) => get(outbound, path, { host: apiHost });

async function read(request: AsyncIterable<unknown>): Promise<string> {
  let text = "";
  for await (const chunk of request) text += String(chunk);
  return text;
}

before(async () => {
  const [inbound = 0, port = 0] = await freePorts(2);
  outbound = port;
  const app = stack.use(
    await HttpServer.listen({ host: "127.0.0.1", port: 0 }, (request, response) => {
      response.writeHead(request.url === "/bad" ? 500 : 200).end("api");
    }),
  );
  const collector = stack.use(
    await HttpServer.listen({ host: "127.0.0.1", port: 0 }, async (request, response) => {
      if (request.url === "/api/v2/spans") spans.push(await read(request));
      response.writeHead(202).end();
    }),
  );
  collectorPort = collector.port;
  mesh = stack.use(
    await TestMesh.start({
      "api.yaml": [service("api", [{ port: inbound }]), ingress("api", inbound, app.port)],
      "web.yaml": [egress("web", outbound)],
      "zipkin.yaml": [service("zipkin", [{ port: collectorPort }]), plainText("zipkin")],
      "mtls.yaml": [mutualTls("STRICT")],
    }),
  );
  mesh.write("mesh.yaml", meshConfig());
  const sidecars = await Promise.all(["web", "api"].map((name) => mesh.sidecar(name)));
  await Promise.all(sidecars.map((sidecar) => sidecar.ready()));
});

after(() => stack.disposeAsync());

describe("a Telemetry of the folder", () => {
  test("logs what its condition holds for, on the side that it names", async () => {
    mesh.write(
      "telemetry.yaml",
      telemetry("logs", {
        accessLogging: [
          {
            match: { mode: "SERVER" },
            providers: [{ name: "lines" }],
            filter: { expression: "response.code >= 400" },
          },
        ],
      }),
    );
    await eventually(
      "a log",
      async () => {
        assert.equal((await call("/good")).status, 200);
        assert.equal((await call("/bad")).status, 500);
        assert.match(logged().at(-1) ?? "", /^\/bad 500 inbound\|\d+\|\|$/);
      },
      patience,
    );
    assert.deepEqual(
      logged().filter((line) => !line.startsWith("/bad 500 inbound|")),
      [],
    );
  });

  test("of a workload silences its namespace's", async () => {
    mesh.write(
      "telemetry.yaml",
      telemetry("logs", { accessLogging: [{ providers: [{ name: "lines" }] }] }),
      telemetry("quiet", {
        selector: { matchLabels: { app: "api" } },
        accessLogging: [{ disabled: true }],
      }),
    );
    let calls = 0;
    await eventually(
      "logs of the client alone",
      async () => {
        calls += 1;
        await call(`/of-clients-${calls}`);
        const lines = logged().filter((line) => line.startsWith("/of-clients-"));
        const last = lines.slice(-4).map((line) => line.split(" ").at(-1));
        assert.deepEqual(
          last,
          Array.from({ length: 4 }, () => `outbound|80||${apiHost}`),
        );
      },
      patience,
    );
  });

  test("sends spans of both sides to Zipkin, with its tags", async () => {
    mesh.write(
      "telemetry.yaml",
      telemetry("spans", {
        tracing: [
          {
            providers: [{ name: "zipkin" }],
            randomSamplingPercentage: 100,
            customTags: { shop: { literal: { value: "books" } } },
          },
        ],
      }),
    );
    await eventually(
      "spans",
      async () => {
        await call("/traced");
        const all = spans.flatMap(
          (body) => JSON.parse(body) as { kind: string; tags: Record<string, string> }[],
        );
        const own = all.filter(({ tags }) => tags["http.url"]?.endsWith("/traced") === true);
        assert.deepEqual(new Set(own.map(({ kind }) => kind)), new Set(["CLIENT", "SERVER"]));
        assert.deepEqual(new Set(own.map(({ tags }) => tags["shop"])), new Set(["books"]));
        assert.deepEqual(new Set(own.map(({ tags }) => tags["istio.namespace"])), new Set(["demo"]));
      },
      patience,
    );
  });
});
