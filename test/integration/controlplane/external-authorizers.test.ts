/** Policies with the action CUSTOM at a real Envoy: an authorizer over HTTP, one over gRPC, and one that is not there. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import { GrpcServer } from "../../../src/grpc/server.ts";
import { HttpServer } from "../../../src/net/http-server.ts";
import { DiscoveryPlane } from "../../support/discovery-plane.ts";
import { adsBootstrap } from "../../support/envoy-config.ts";
import { eventually } from "../../support/eventually.ts";
import { freePorts } from "../../support/free-ports.ts";
import { startApp } from "../../support/http-app.ts";
import { get } from "../../support/mesh.ts";
import { PlainEnvoy } from "../../support/plain-envoy.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const withinMs = 60_000;

/** A CheckResponse of envoy.service.auth.v3 whose status is OK, and one whose status is PERMISSION_DENIED. */
const verdicts = { allowed: Buffer.from("0a00", "hex"), denied: Buffer.from("0a020807", "hex") };

const service = (name: string, port: number, protocol: string, target: number): string => `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: ${name}, namespace: demo }
spec:
  hosts: [${name}.demo]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{ number: ${port}, name: ${protocol.toLowerCase()}, protocol: ${protocol}, targetPort: ${target} }]
  endpoints: [{ address: 127.0.0.1 }]
`;

const policy = (name: string, path: string): string => `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: ${name}, namespace: demo }
spec:
  action: CUSTOM
  provider: { name: ${name} }
  rules: [{ to: [{ operation: { paths: [${path}] } }] }]
`;

describe("what a policy with the action CUSTOM matches", () => {
  test("is asked about, and nothing else is", async () => {
    await using stack = new AsyncDisposableStack();
    const app = stack.use(await startApp("api"));
    const asked: string[] = [];
    const overHttp = stack.use(
      await HttpServer.listen({ host: "127.0.0.1", port: 0 }, (request, response) => {
        asked.push(`${request.url} ${String(request.headers["x-mesh"])}`);
        const isAllowed = request.headers["x-pass"] === "yes";
        response.writeHead(isAllowed ? 200 : 403, { "x-seen": "by-http", "x-why": "no pass" }).end();
        return Promise.resolve();
      }),
    );
    const overGrpc = stack.use(
      await GrpcServer.listen({ host: "127.0.0.1", port: 0 }, [
        {
          name: "envoy.service.auth.v3.Authorization",
          unary: {
            Check: (request) =>
              Promise.resolve(request.includes("let-me-in") ? verdicts.allowed : verdicts.denied),
          },
        },
      ]),
    );
    const [port = 0] = await freePorts(1);
    const documents = [
      `
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: { name: default, namespace: demo }
spec:
  ingress:
    - { port: { number: ${port}, name: http, protocol: HTTP }, bind: 127.0.0.1, defaultEndpoint: "127.0.0.1:${app.port}" }
`,
      `
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: default, namespace: demo }
spec: { mtls: { mode: DISABLE } }
`,
      `
apiVersion: v1
kind: ConfigMap
metadata: { name: istio, namespace: istio-system }
data:
  mesh: |-
    extensionProviders:
    - name: by-http
      envoyExtAuthzHttp:
        service: guard-http.demo
        port: 8000
        pathPrefix: /check
        includeRequestHeadersInCheck: [x-pass]
        includeAdditionalHeadersInCheck: { x-mesh: demo }
        headersToUpstreamOnAllow: [x-seen]
        headersToDownstreamOnDeny: [x-why]
    - name: by-grpc
      envoyExtAuthzGrpc: { service: demo/guard-grpc.demo, port: 9000 }
`,
      service("guard-http", 8000, "HTTP", overHttp.port),
      service("guard-grpc", 9000, "GRPC", overGrpc.port),
      policy("by-http", "/private/*"),
      policy("by-grpc", "/inner/*"),
      policy("gone", "/lost/*"),
    ];
    const plane = stack.use(await DiscoveryPlane.start({ "mesh.yaml": documents.join("---") }));
    const folder = join(stack.use(temporaryFolder()).path, "envoy");
    const node = {
      id: "sidecar~127.0.0.1~api-1.demo~demo.svc.cluster.local",
      metadata: { NAMESPACE: "demo", INTERCEPTION_MODE: "NONE" },
    };
    stack.use(
      await PlainEnvoy.start({
        ...{ folder, adminPath: join(folder, "admin") },
        bootstrap: adsBootstrap(node, plane.server.ports.grpc ?? 0, "DELTA_GRPC"),
      }),
    );
    await eventually(
      "served",
      async () => assert.equal((await get(port, "/private/a", { "x-pass": "yes" })).status, 200),
      { withinMs },
    );
    assert.equal(app.requests.at(-1)?.["x-seen"], "by-http");
    assert.ok(asked.includes("/check/private/a demo"), asked.join());
    const refused = await get(port, "/private/b");
    assert.equal(refused.status, 403);
    assert.equal(refused.headers["x-why"], "no pass");

    const before = asked.length;
    await eventually(
      "asked over gRPC",
      async () => assert.equal((await get(port, "/inner/a", { "x-words": "let-me-in" })).status, 200),
      { withinMs },
    );
    assert.equal((await get(port, "/inner/b")).status, 403);
    assert.equal((await get(port, "/lost/a", { "x-pass": "yes" })).status, 403);
    assert.equal((await get(port, "/public")).status, 200);
    assert.equal(asked.length, before, "the other authorizer is not asked");
    assert.match(
      plane.log.lines.find((line) => line.includes("gone")) ?? "",
      /spec\.provider\.name.*none of MeshConfig's extensionProviders/,
    );
  });
});
