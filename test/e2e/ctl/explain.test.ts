/**
 * What `outriderctl explain` says against what a request really gets, for generated rules and requests: the rules are
 * pushed to two real Envoys, each request is sent, and its answer is among those that were foretold for it.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { explain, type Mesh } from "../../../src/ctl/explain/explain.ts";
import { identityOf } from "../../../src/ctl/explain/identity.ts";
import { meshFromObjects } from "../../../src/ctl/explain/from-objects.ts";
import { readInputs } from "../../../src/ctl/analyze/read-inputs.ts";
import { readConfigDump, type ConfigDump } from "../../../src/ctl/proxy/config-dump.ts";
import { type Explanation, pathOf, type Request } from "../../../src/ctl/explain/request.ts";
import { fetchHttp } from "../../../src/net/http-client.ts";
import { eventually } from "../../support/eventually.ts";
import { freePorts } from "../../support/free-ports.ts";
import { type HttpApp, startApp } from "../../support/http-app.ts";
import { apiHost, egress, ingress, mutualTls, service } from "../../support/mesh-objects.ts";
import { get, TestMesh, type TestSidecar } from "../../support/mesh.ts";
import { runCtl } from "../../support/outriderctl.ts";
import { requests, rules, type RuleSet } from "../../support/explained-rules.ts";

const withinMs = 30_000;

describe("what explain foretells", () => {
  const stack = new AsyncDisposableStack();
  let mesh: TestMesh;
  let web: TestSidecar;
  let api: TestSidecar;
  let behind: HttpApp;
  let bare: HttpApp;
  let outboundPort = 0;

  before(async () => {
    const [inboundPort = 0, outbound = 0] = await freePorts(2);
    outboundPort = outbound;
    behind = stack.use(await startApp("behind a sidecar"));
    bare = stack.use(await startApp("without a sidecar"));
    mesh = stack.use(
      await TestMesh.start({
        "api.yaml": [
          service("api", [
            { port: inboundPort, labels: { app: "api", version: "v1" } },
            { port: bare.port, labels: { app: "api", version: "v2" } },
          ]),
          ingress("api", inboundPort, behind.port),
        ],
        "web.yaml": [egress("web", outboundPort)],
        "mtls.yaml": [mutualTls("STRICT")],
      }),
    );
    [web, api] = await Promise.all([mesh.sidecar("web"), mesh.sidecar("api")]);
    await Promise.all([web.ready(), api.ready()]);
  });
  after(() => stack.disposeAsync());

  async function dumpOf(sidecar: TestSidecar): Promise<ConfigDump> {
    const { body } = await get(sidecar.ports.admin, "/config_dump?include_eds");
    const dump = readConfigDump(JSON.parse(body.toString("utf8")));
    assert.ok(dump !== undefined);
    return dump;
  }

  /** Both Envoys have the rules: each rule set leaves its mark in what either of them has. */
  async function push({ mark, objects }: RuleSet): Promise<Mesh> {
    mesh.write("rules.yaml", ...objects);
    return eventually(
      `the rules ${mark}`,
      async () => {
        const [client, server] = await Promise.all([dumpOf(web), dumpOf(api)]);
        assert.ok(JSON.stringify(client.route).includes(`"${mark}"`), "the client's routes");
        assert.ok(JSON.stringify(server.listener).includes(`policy[${mark}]`), "the server's policies");
        const identity = identityOf(server);
        return {
          ...{ client, clientIdentity: identityOf(client), clientAddress: "127.0.0.1" },
          servers: [{ name: "api-1.demo", dump: server, identity, addresses: ["127.0.0.1"] }],
        };
      },
      { withinMs },
    );
  }

  for (const set of rules) {
    test(`is what requests get: ${set.mark}`, async () => {
      const known = await push(set);
      const { objects } = await readInputs([mesh.configFolder], new AbortController().signal);
      const offline = meshFromObjects(objects, "web.demo", "cluster.local");
      const answersOf = ({ outcomes }: Explanation): readonly string[] =>
        outcomes.map(({ status, endpoint }) => {
          if (status !== undefined) return String(status);
          return endpoint?.endsWith(`:${bare.port}`) === true ? "bare" : "behind";
        });
      for (const request of requests) {
        const target = { host: apiHost, port: 80 };
        const explanation = explain(known, target, request);
        const { steps, outcomes } = explanation;
        const told = answersOf(explanation);
        assert.deepEqual(answersOf(explain(offline, target, request)), told, "by the translation alone");
        const got = await send(request);
        const way = JSON.stringify({ request, steps, outcomes }, undefined, 1);
        assert.ok(told.includes(got), `${got} is not among ${told.join(", ")}: ${way}`);
      }
    });
  }

  /** The status, or which application answered. */
  async function send({ method, path, headers, authority }: Request): Promise<string> {
    const { status, body } = await fetchHttp({
      target: { host: "127.0.0.1", port: outboundPort },
      ...{ method, url: path, headers: { ...headers, host: authority }, timeoutMs: 20_000 },
    });
    const text = body.toString("utf8");
    if (status !== 200) return String(status);
    return text === "without a sidecar" ? "bare" : text === "behind a sidecar" ? "behind" : "200";
  }

  test("names the rule and its place, and the exit code says whether it fails", async () => {
    const [set] = rules;
    assert.ok(set !== undefined);
    await push(set);
    const denied = await runCtl("explain", "web-1.demo", `http://${apiHost}/denied`, "--method", "DELETE");
    assert.equal(denied.code, 2);
    assert.match(
      denied.lines.join("\n"),
      /authorization .* by AuthorizationPolicy demo\/first \(.*rules\.yaml:\d+\)\n=> 403 of the server's Envoy/,
    );
    const folder = ["--offline", "--config", mesh.configFolder];
    const foretold = await runCtl(
      "explain",
      "web.demo",
      `${apiHost}/denied`,
      "--method",
      "DELETE",
      ...folder,
    );
    assert.deepEqual([foretold.code, foretold.lines.at(-1)], [2, denied.lines.at(-1)]);
    const answered = await runCtl("explain", "web-1.demo", `${apiHost}:80/direct`, "-o", "json");
    const { outcomes } = JSON.parse(answered.lines.join("\n")) as {
      readonly outcomes: readonly { readonly status: number }[];
    };
    assert.deepEqual([answered.code, outcomes.map(({ status }) => status)], [0, [299]]);
  });

  test("is told of as many requests as are promised", () => {
    assert.ok(rules.length * requests.length >= 200, String(rules.length * requests.length));
    assert.ok(new Set(requests.map((request) => pathOf(request))).size > 8);
  });
});
