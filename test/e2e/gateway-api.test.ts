/** What objects of the Gateway API do to requests: at a real router, and between two real sidecars. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { HttpResponse } from "../../src/net/http-client.ts";
import { HttpServer } from "../../src/net/http-server.ts";
import { eventually as eventuallyWithin } from "../support/eventually.ts";
import { freePorts } from "../support/free-ports.ts";
import { get, TestMesh } from "../support/mesh.ts";
import { egress, ingress, mutualTls, service } from "../support/mesh-objects.ts";
import { type IssuedKeyPair, TestPki, validity } from "../support/test-pki.ts";
import { askOverTls, serialOf, startTls } from "../support/tls-server.ts";

interface Seen {
  readonly name: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, unknown>>;
}

const stack = new AsyncDisposableStack();
const seen: Seen[] = [];
let mesh: TestMesh;
let pki: TestPki;
let certificate: IssuedKeyPair;
/** Where the sidecar of `web` is called, and the listeners of the gateway. */
let ports = { outbound: 0, http: 0, https: 0, passed: 0, tcp: 0 };

async function startNamed(name: string): Promise<HttpServer> {
  return await HttpServer.listen({ host: "127.0.0.1", port: 0 }, (request, response) => {
    seen.push({ name, url: request.url ?? "", headers: request.headers });
    response.writeHead(200, { "x-name": name }).end(name);
  });
}

const object = (kind: string, name: string, spec: object, version = "v1", namespace = "demo"): object => ({
  apiVersion: `gateway.networking.k8s.io/${version}`,
  kind,
  metadata: { name, namespace },
  spec,
});

const to = (name: string, more: object = {}): object => ({ name, port: 80, ...more });

/** A route of this name for the gateway, or for what it says itself. */
const route = (name: string, spec: object, kind = "HTTPRoute"): object =>
  object(kind, name, { parentRefs: [{ name: "shop" }], ...spec }, kind === "HTTPRoute" ? "v1" : "v1alpha2");

const eventually = (what: string, check: () => void | Promise<void>): Promise<void> =>
  eventuallyWithin(what, check, { withinMs: 20_000 });

const text = ({ body }: HttpResponse): string => body.toString("utf8");
const ask = (path: string, host = "shop.example.com"): Promise<HttpResponse> =>
  get(ports.http, path, { host });
const call = (path: string, headers: Readonly<Record<string, string>> = {}): Promise<HttpResponse> =>
  get(ports.outbound, path, { host: "one.demo.svc.cluster.local", ...headers });

/** Have these routes, and wait until a request shows what they do. */
async function under(objects: readonly object[], check: () => Promise<void>): Promise<void> {
  mesh.write("routes.yaml", ...objects);
  await eventually("the routes", check);
}

const grant = object(
  "ReferenceGrant",
  "shop",
  {
    from: [{ group: "gateway.networking.k8s.io", kind: "Gateway", namespace: "demo" }],
    to: [{ group: "", kind: "Secret", name: "shop" }],
  },
  "v1beta1",
  "vault",
);

before(async () => {
  const [outbound = 0, http = 0, https = 0, passed = 0, tcp = 0, inbound1 = 0, inbound2 = 0] =
    await freePorts(7);
  ports = { outbound, http, https, passed, tcp };
  pki = await TestPki.create();
  certificate = await pki.serverKeyPair(["shop.example.com"], validity(-60_000, 3_600_000));
  const behind = stack.use(await startTls(certificate));
  const [one, two] = [stack.use(await startNamed("one")), stack.use(await startNamed("two"))];
  mesh = stack.use(
    await TestMesh.start({
      "services.yaml": [
        service("one", [{ port: inbound1 }]),
        service("two", [{ port: inbound2 }]),
        ingress("one", inbound1, one.port),
        ingress("two", inbound2, two.port),
        egress("web", outbound),
        mutualTls("STRICT"),
        {
          apiVersion: "networking.istio.io/v1",
          kind: "ServiceEntry",
          metadata: { name: "behind", namespace: "demo" },
          spec: {
            hosts: ["behind.demo.svc.cluster.local"],
            resolution: "STATIC",
            ports: [{ number: 443, name: "tls", protocol: "TLS" }],
            endpoints: [{ address: "127.0.0.1", ports: { tls: behind.port } }],
          },
        },
      ],
      "secret.yaml": [
        {
          apiVersion: "v1",
          kind: "Secret",
          metadata: { name: "shop", namespace: "vault" },
          type: "kubernetes.io/tls",
          stringData: { "tls.crt": certificate.certificatePem, "tls.key": certificate.privateKeyPem },
        },
      ],
      "gateway.yaml": [
        object("Gateway", "shop", {
          gatewayClassName: "istio",
          listeners: [
            { name: "http", port: http, protocol: "HTTP" },
            {
              name: "https",
              port: https,
              protocol: "HTTPS",
              hostname: "shop.example.com",
              tls: { certificateRefs: [{ name: "shop", namespace: "vault" }] },
            },
            {
              name: "passed",
              port: passed,
              protocol: "TLS",
              hostname: "*.example.com",
              tls: { mode: "Passthrough" },
            },
            { name: "tcp", port: tcp, protocol: "TCP" },
          ],
        }),
      ],
      "grant.yaml": [grant],
    }),
  );
  const sidecars = await Promise.all([
    ...["web", "one", "two"].map((name) => mesh.sidecar(name)),
    mesh.sidecar("shop", {
      type: "router",
      prepare: async (folder) => {
        const label = 'gateway.networking.k8s.io/gateway-name="shop"\n';
        writeFileSync(join(folder, "etc/istio/pod/labels"), label);
        await Promise.resolve();
      },
    }),
  ]);
  await Promise.all(sidecars.map((sidecar) => sidecar.ready()));
});

after(() => stack.disposeAsync());

describe("at a gateway", () => {
  test("requests are routed by host and path, changed, redirected, and answered where nobody is", async () => {
    const routes = [
      route("shop", {
        hostnames: ["shop.example.com"],
        rules: [
          { backendRefs: [to("one")] },
          {
            matches: [{ path: { value: "/two" } }],
            filters: [
              {
                type: "URLRewrite",
                urlRewrite: {
                  hostname: "inner.example.com",
                  path: { type: "ReplacePrefixMatch", replacePrefixMatch: "/" },
                },
              },
              {
                type: "RequestHeaderModifier",
                requestHeaderModifier: { set: [{ name: "x-from", value: "gateway" }] },
              },
            ],
            backendRefs: [to("two")],
          },
          {
            matches: [{ path: { value: "/moved" } }],
            filters: [
              {
                type: "RequestRedirect",
                requestRedirect: {
                  scheme: "https",
                  path: { type: "ReplacePrefixMatch", replacePrefixMatch: "/new" },
                },
              },
            ],
          },
          { matches: [{ path: { value: "/nobody" } }], backendRefs: [to("nobody")] },
          { matches: [{ path: { value: "/none" } }] },
          {
            matches: [{ path: { value: "/half" } }],
            backendRefs: [to("one", { weight: 1 }), to("nobody", { weight: 1 })],
          },
        ],
      }),
    ];
    await under(routes, async () => {
      assert.equal(text(await ask("/")), "one");
    });
    assert.equal(text(await ask("/two/a?b=c")), "two");
    const { url, headers } = seen.at(-1) ?? {};
    assert.deepEqual(
      [url, headers?.["host"], headers?.["x-from"]],
      ["/a?b=c", "inner.example.com", "gateway"],
    );
    assert.match(
      String(headers?.["x-forwarded-client-cert"]),
      /URI=spiffe:\/\/cluster\.local\/ns\/demo\/sa\/shop/,
    );
    // A prefix is one of whole parts.
    assert.equal(text(await ask("/twofold")), "one");
    const moved = await ask("/moved/a");
    assert.deepEqual([moved.status, moved.headers["location"]], [302, "https://shop.example.com/new/a"]);
    assert.deepEqual([(await ask("/nobody")).status, (await ask("/none")).status], [500, 500]);
    assert.equal((await ask("/", "other.example.com")).status, 404);
    const statuses = new Set<number>();
    await eventually("both halves", async () => {
      statuses.add((await ask("/half")).status);
      assert.ok(statuses.has(200) && statuses.has(500), [...statuses].join());
    });
  });

  test("TLS ends with a Secret of another namespace as long as its owner grants it", async () => {
    const options = { servername: "shop.example.com", ca: pki.rootPem };
    await under([route("shop", { rules: [{ backendRefs: [to("one")] }] })], async () => {
      const { body, serial } = await askOverTls(ports.https, options);
      assert.deepEqual([body, serial], ["one", serialOf(certificate)]);
    });
    mesh.write("grant.yaml");
    await eventually("no listener without the grant", () => assert.rejects(askOverTls(ports.https, options)));
    mesh.write("grant.yaml", grant);
    await eventually("the listener again", async () => {
      assert.equal((await askOverTls(ports.https, options)).body, "one");
    });
  });

  test("TLS passes by its server name, and connections go on as they are", async () => {
    const options = { servername: "shop.example.com", ca: pki.rootPem };
    const routes = [
      route(
        "passed",
        {
          parentRefs: [{ name: "shop", sectionName: "passed" }],
          hostnames: ["shop.example.com"],
          rules: [{ backendRefs: [to("behind", { port: 443 })] }],
        },
        "TLSRoute",
      ),
      route("tcp", { rules: [{ backendRefs: [to("behind", { port: 443 })] }] }, "TCPRoute"),
    ];
    await under(routes, async () => {
      assert.equal((await askOverTls(ports.passed, options)).body, "behind");
    });
    await assert.rejects(askOverTls(ports.passed, { ...options, servername: "other.example.com" }));
    assert.equal((await askOverTls(ports.tcp, options)).body, "behind");
  });
});

describe("within the mesh", () => {
  const ofService = (rules: readonly object[]): object =>
    route("one", { parentRefs: [{ group: "", kind: "Service", name: "one" }], rules });

  test("a route of a service decides where calls to it go, until it is gone", async () => {
    assert.equal(text(await call("/any")), "one");
    const rules = [
      {
        matches: [{ path: { type: "Exact", value: "/to-two" }, headers: [{ name: "x-user", value: "jo" }] }],
        filters: [
          {
            type: "ResponseHeaderModifier",
            responseHeaderModifier: { set: [{ name: "x-route", value: "two" }] },
          },
        ],
        backendRefs: [to("two")],
      },
      { matches: [{ path: { value: "/known" } }], backendRefs: [to("one")] },
    ];
    await under([ofService(rules)], async () => {
      const answer = await call("/to-two", { "x-user": "jo" });
      assert.deepEqual([text(answer), answer.headers["x-route"]], ["two", "two"]);
    });
    assert.equal(text(await call("/known/a")), "one");
    // What no rule of a service's route takes leads nowhere.
    assert.equal((await call("/to-two")).status, 404);
    await under([], async () => {
      assert.equal(text(await call("/to-two")), "one");
    });
  });

  test("what cannot be reached is answered with 500, and mirrored requests come twice", async () => {
    await under(
      [
        ofService([
          { matches: [{ path: { value: "/nobody" } }], backendRefs: [to("nobody")] },
          {
            filters: [{ type: "RequestMirror", requestMirror: { backendRef: to("two") } }],
            backendRefs: [to("one")],
          },
        ]),
      ],
      async () => {
        assert.equal((await call("/nobody")).status, 500);
      },
    );
    assert.equal(text(await call("/mirrored")), "one");
    await eventually("the copy", () => {
      assert.deepEqual(
        seen
          .filter(({ url }) => url === "/mirrored")
          .map(({ name }) => name)
          .toSorted(),
        ["one", "two"],
      );
    });
  });
});
