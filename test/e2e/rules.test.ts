/** What rules of a folder do to requests between two real sidecars; one mesh for all of them. */
import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { SignJWT } from "jose";
import { after, before, describe, test } from "node:test";
import type { HttpResponse } from "../../src/net/http-client.ts";
import { HttpServer } from "../../src/net/http-server.ts";
import { eventually } from "../support/eventually.ts";
import { freePorts } from "../support/free-ports.ts";
import { get, TestMesh } from "../support/mesh.ts";
import { apiHost, egress, ingress, mutualTls, service } from "../support/mesh-objects.ts";

interface Seen {
  readonly version: string;
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
}

const stack = new AsyncDisposableStack();
const seen: Seen[] = [];
/** Answers of v1 that fail before the next good one. */
let failures = 0;
let mesh: TestMesh;
let outbound = 0;
let inbound: readonly number[] = [];

async function startVersion(version: string): Promise<HttpServer> {
  return await HttpServer.listen({ host: "127.0.0.1", port: 0 }, (request, response) => {
    seen.push({ version, url: request.url ?? "", headers: request.headers });
    const isBad = version === "v1" && failures > 0;
    if (isBad) failures -= 1;
    response.writeHead(isBad ? 503 : 200, { "x-version": version }).end(version);
  });
}

const networking = (kind: string, name: string, spec: object): object => ({
  apiVersion: "networking.istio.io/v1",
  kind,
  metadata: { name, namespace: "demo" },
  spec,
});

const authorization = (name: string, spec: object): object => ({
  apiVersion: "security.istio.io/v1",
  kind: "AuthorizationPolicy",
  metadata: { name, namespace: "demo" },
  spec,
});

/** Short names, as people write them. */
const route = (...http: readonly object[]): object =>
  networking("VirtualService", "api", { hosts: ["api"], http });

const to = (subset: string, more: object = {}): object => ({
  route: [{ destination: { host: "api", subset } }],
  ...more,
});

const call = (path = "/", headers: Readonly<Record<string, string>> = {}): Promise<HttpResponse> =>
  get(outbound, path, { host: apiHost, ...headers });

const text = ({ body }: HttpResponse): string => body.toString("utf8");

const versions: readonly object[] = ["v1", "v2"].map((name) => ({ name, labels: { version: name } }));

/** Have these rules, and wait until a call shows what they do. */
async function under(rules: readonly object[], check: () => Promise<void>): Promise<void> {
  mesh.write(
    "rules.yaml",
    networking("DestinationRule", "api", { host: "api", subsets: versions }),
    ...rules,
  );
  await eventually("the rules", check, { withinMs: 20_000 });
}

before(async () => {
  const [inbound1 = 0, inbound2 = 0, port = 0] = await freePorts(3);
  inbound = [inbound1, inbound2];
  outbound = port;
  const [v1, v2] = [stack.use(await startVersion("v1")), stack.use(await startVersion("v2"))];
  mesh = stack.use(
    await TestMesh.start({
      "api.yaml": [
        service("api", [
          { port: inbound1, labels: { version: "v1", app: "api" }, serviceAccount: "api" },
          { port: inbound2, labels: { version: "v2", app: "api2" }, serviceAccount: "api2" },
        ]),
        ingress("api", inbound1, v1.port),
        ingress("api2", inbound2, v2.port),
      ],
      "web.yaml": [egress("web", outbound)],
      "mtls.yaml": [mutualTls("STRICT")],
    }),
  );
  const sidecars = await Promise.all(["web", "api", "api2"].map((name) => mesh.sidecar(name)));
  await Promise.all(sidecars.map((sidecar) => sidecar.ready()));
});

after(() => stack.disposeAsync());

describe("a rule of the folder", () => {
  test("sends one user elsewhere, by a header", async () => {
    await under(
      [route(to("v2", { match: [{ headers: { "end-user": { exact: "jason" } } }] }), to("v1"))],
      async () => {
        assert.equal(text(await call("/", { "end-user": "jason" })), "v2");
        assert.equal(text(await call()), "v1");
      },
    );
  });

  test("fails a share of requests, which never arrive", async () => {
    await under(
      [route(to("v1", { fault: { abort: { httpStatus: 418, percentage: { value: 100 } } } }))],
      async () => {
        const before = seen.length;
        assert.equal((await call()).status, 418);
        assert.equal(seen.length, before);
      },
    );
  });

  test("repeats what fails, as often as it says", async () => {
    await under([route(to("v1", { retries: { attempts: 3, retryOn: "503" } }))], async () => {
      failures = 3;
      assert.equal((await call()).status, 200);
      assert.equal(failures, 0);
    });
    failures = 1;
    await under([route(to("v1", { retries: { attempts: 0 } }))], async () => {
      failures = 1;
      assert.equal((await call()).status, 503);
    });
    failures = 0;
  });

  test("rewrites, redirects and answers itself", async () => {
    const rules = route(
      to("v1", {
        match: [{ uri: { prefix: "/old" } }],
        rewrite: { uri: "/new", authority: "other.example" },
      }),
      to("v1", { match: [{ uri: { exact: "/whole" } }], rewrite: { uri: "/all" } }),
      { match: [{ uri: { prefix: "/gone" } }], redirect: { uri: "/here", redirectCode: 308 } },
      { directResponse: { status: 404, body: { string: "nothing" } } },
    );
    await under([rules], async () => {
      const gone = await call("/gone");
      assert.equal(gone.status, 308);
      assert.equal(gone.headers["location"], `http://${apiHost}/here`);
      assert.equal(text(await call("/else")), "nothing");
      await call("/old/a?b");
      assert.equal(seen.at(-1)?.url, "/new/a?b");
      assert.equal(seen.at(-1)?.headers.host, "other.example");
      await call("/whole?b");
      assert.equal(seen.at(-1)?.url, "/all?b");
    });
  });

  test("changes headers on the way there and back", async () => {
    const headers = {
      request: { set: { "x-set": "a" }, remove: ["x-secret"] },
      response: { add: { "x-added": "b" }, remove: ["x-version"] },
    };
    await under([route(to("v1", { headers }))], async () => {
      const response = await call("/", { "x-secret": "s", "x-set": "mine" });
      assert.equal(response.headers["x-added"], "b");
      assert.equal(response.headers["x-version"], undefined);
      assert.equal(seen.at(-1)?.headers["x-set"], "a");
      assert.equal(seen.at(-1)?.headers["x-secret"], undefined);
    });
  });

  test("mirrors requests, whose answers count for nothing", async () => {
    await under([route(to("v1", { mirror: { host: "api", subset: "v2" } }))], async () => {
      assert.equal(text(await call("/mirrored")), "v1");
      const versions = new Set(seen.filter(({ url }) => url === "/mirrored").map(({ version }) => version));
      assert.deepEqual(versions, new Set(["v1", "v2"]));
    });
  });

  test("answers other origins", async () => {
    await under(
      [route(to("v1", { corsPolicy: { allowOrigins: [{ exact: "https://a.example" }] } }))],
      async () => {
        const allowed = await call("/", { origin: "https://a.example" });
        assert.equal(allowed.headers["access-control-allow-origin"], "https://a.example");
        assert.equal(
          (await call("/", { origin: "https://b.example" })).headers["access-control-allow-origin"],
          undefined,
        );
      },
    );
  });

  test("keeps a user at one endpoint, by a hash", async () => {
    const spec = {
      host: "api",
      trafficPolicy: { loadBalancer: { consistentHash: { httpHeaderName: "x-user" } } },
    };
    mesh.write("rules.yaml", networking("DestinationRule", "api", spec));
    await eventually(
      "one endpoint for each user, and both for all of them",
      async () => {
        const users = Array.from({ length: 10 }, (_, index) => `user-${index}`);
        const answers = new Set<string>();
        for (const user of users) {
          const [first, second, third] = [
            await call("/", { "x-user": user }),
            await call("/", { "x-user": user }),
            await call("/", { "x-user": user }),
          ].map(text);
          assert.deepEqual([second, third], [first, first]);
          answers.add(first ?? "");
        }
        assert.equal(answers.size, 2);
      },
      { withinMs: 20_000 },
    );
  });
});

describe("a DestinationRule", () => {
  test("changes subsets under load, and no request fails", async () => {
    const load = new AbortController();
    const statuses = new Map<number | string, number>();
    const callers = Array.from({ length: 4 }, async () => {
      while (!load.signal.aborted) {
        const status = await call("/load").then(
          (response) => response.status,
          (error: unknown) => String(error),
        );
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
      }
    });
    try {
      for (let turn = 1; turn <= 20; turn += 1) {
        const version = `v${(turn % 2) + 1}`;
        const [name, host] = [`turn-${turn}`, "api"];
        mesh.write(
          "rules.yaml",
          networking("DestinationRule", "api", { host, subsets: [{ name, labels: { version } }] }),
          route(to(name)),
        );
        await eventually("the new subset", async () => assert.equal(text(await call()), version), {
          withinMs: 20_000,
        });
      }
    } finally {
      load.abort();
      await Promise.all(callers);
    }
    assert.deepEqual([...statuses.keys()], [200]);
  });
});

describe("an AuthorizationPolicy", () => {
  test("denies a path, and allows nobody but whom it names", async () => {
    const deny = { action: "DENY", rules: [{ to: [{ operation: { paths: ["/admin*"] } }] }] };
    const allow = (account: string): object => ({
      rules: [{ from: [{ source: { principals: [`cluster.local/ns/demo/sa/${account}`] } }] }],
    });
    await under(
      [route(to("v1")), authorization("deny", deny), authorization("allow", allow("web"))],
      async () => {
        assert.equal((await call("/admin/x")).status, 403);
        assert.equal((await call("/")).status, 200);
      },
    );
    await under([route(to("v1")), authorization("allow", allow("other"))], async () => {
      const refused = await call("/");
      assert.equal(refused.status, 403);
      assert.equal(text(refused), "RBAC: access denied");
    });
    await under([route(to("v1"))], async () => assert.equal((await call("/")).status, 200));
  });
});

describe("a RequestAuthentication", () => {
  test("refuses a bad token, takes a good one, and leaves to a policy who must have one", async () => {
    const secret = Buffer.from("a secret of thirty-two bytes ...");
    const issuer = "https://issuer.example";
    const token = await new SignJWT({})
      .setProtectedHeader({ alg: "HS256", kid: "a" })
      .setIssuer(issuer)
      .setSubject("user")
      .setExpirationTime("1h")
      .sign(secret);
    const keys = [{ kty: "oct", kid: "a", alg: "HS256", k: secret.toString("base64url") }];
    const tokens = {
      apiVersion: "security.istio.io/v1",
      kind: "RequestAuthentication",
      metadata: { name: "tokens", namespace: "demo" },
      spec: { jwtRules: [{ issuer, jwks: JSON.stringify({ keys }) }] },
    };
    const bearer = (value: string): Promise<HttpResponse> => call("/", { authorization: `Bearer ${value}` });
    await under([route(to("v1")), tokens], async () => {
      assert.equal((await bearer(`${token}x`)).status, 401);
      assert.equal((await bearer(token)).status, 200);
      assert.equal((await call()).status, 200);
    });
    const users = authorization("users", {
      rules: [{ from: [{ source: { requestPrincipals: [`${issuer}/user`] } }] }],
    });
    await under([route(to("v1")), tokens, users], async () => {
      assert.equal((await call()).status, 403);
      assert.equal((await bearer(token)).status, 200);
    });
    await under([route(to("v1"))], async () => assert.equal((await bearer("x")).status, 200));
  });
});

describe("mutual TLS", () => {
  test("is what the server takes: a client calls in plain text where it is off, for one workload alone", async () => {
    const off = {
      apiVersion: "security.istio.io/v1",
      kind: "PeerAuthentication",
      metadata: { name: "api", namespace: "demo" },
      spec: { selector: { matchLabels: { app: "api" } }, mtls: { mode: "DISABLE" } },
    };
    const split = route(
      { match: [{ uri: { prefix: "/v2" } }], route: [{ destination: { host: "api", subset: "v2" } }] },
      to("v1"),
    );
    await under([split, off], async () => {
      assert.equal((await get(inbound[0] ?? 0, "/")).status, 200);
      const plain = await call("/plain");
      assert.equal(plain.status, 200);
      assert.equal(seen.at(-1)?.headers["x-forwarded-client-cert"], undefined);
      assert.equal((await call("/v2")).status, 200);
      assert.match(String(seen.at(-1)?.headers["x-forwarded-client-cert"]), /sa\/web/);
    });
    await assert.rejects(get(inbound[1] ?? 0, "/"), { code: "ECONNRESET" });
  });
});
