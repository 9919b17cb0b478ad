/** A report of a mesh holds what was answered, says what was not, and has no secret in it. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { announce } from "../../../src/status/announcement.ts";
import { announceControlPlane } from "../../../src/status/control-plane-announcement.ts";
import { agentsFolder } from "../../support/outrider.ts";
import { runCtl } from "../../support/outriderctl.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const secret = "c2VjcmV0LW9mLXRoZS1tZXNoLTE5MzQ3";
const key = `-----BEGIN PRIVATE KEY-----\n${secret}\n-----END PRIVATE KEY-----\n`;

/** Whoever is asked answers with a secret in each form that one has. */
const answers: Readonly<Record<string, string>> = {
  "/version": JSON.stringify({ id: "outrider", version: "0.1.0" }),
  "/debug/syncz": JSON.stringify([
    {
      name: "web-1.demo",
      cluster: "<script>alert(1)</script>",
      version: "1.36",
      types: {
        "type.googleapis.com/envoy.config.cluster.v3.Cluster": {
          ...{ sentNonce: "2", ackedNonce: "1", error: `<b>bad</b> authorization: Bearer ${secret}` },
        },
      },
    },
  ]),
  "/debug/configz": JSON.stringify([{ kind: "Secret", data: { "tls.key": secret }, stringData: { key } }]),
  "/config_dump": JSON.stringify({ configs: [{ private_key: { inline_string: key }, token: secret }] }),
  "/stats?usedonly": "cluster.a.upstream_rq_total: 7\n",
  "/metrics": "up 1\n",
};

async function listen(): Promise<Server & AsyncDisposable> {
  const server = createServer((request, response) => {
    const url = request.url ?? "";
    const found =
      answers[url] ?? (url.startsWith("/debug/config_dump") ? answers["/config_dump"] : undefined);
    response.writeHead(found === undefined ? 404 : 200).end(found ?? "no such page");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

test("a report has all that answered and none of its secrets, and its index says what did not", async () => {
  using folder = temporaryFolder();
  await using server = await listen();
  const [configPath, mesh] = [join(folder.path, "agent"), join(folder.path, "mesh")];
  for (const path of [configPath, mesh]) mkdirSync(path);
  writeFileSync(
    join(mesh, "rule.yaml"),
    "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: rule, namespace: demo}\n" +
      "spec: {hosts: [api], http: [{route: [{destination: {host: cart}}]}]}\n",
  );
  const port = portOf(server);
  using _live = announce(agentsFolder, {
    ...{ name: "web-1.demo", pid: process.pid, statusPort: port, adminPort: port },
    ...{ envoyStatusPort: port, configPath },
  });
  // Nobody listens there.
  using _dead = announce(agentsFolder, {
    ...{ name: "dead-1.demo", pid: process.ppid, statusPort: 1, adminPort: 1 },
    ...{ envoyStatusPort: 1, configPath },
  });
  using _controlPlane = announceControlPlane(
    agentsFolder,
    { pid: process.pid, httpPort: port, secureGrpcPort: port, configFolder: mesh },
    assert.fail,
  );
  const path = join(folder.path, "report.tar.gz");
  const { code, lines, errors } = await runCtl("bug-report", "--output", path);
  assert.deepEqual([code, lines], [0, [path]]);
  assert.ok(
    errors.some((line) => line.startsWith("missing: agents/dead-1.demo/status.json: ")),
    errors.join("\n"),
  );
  assert.equal(statSync(path).mode & 0o777, 0o600);

  execFileSync("tar", ["-xzf", path, "-C", folder.path]);
  const [name = ""] = readdirSync(folder.path).filter((each) => each.startsWith("outrider-bug-report-"));
  const root = join(folder.path, name);
  const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((each) =>
    statSync(join(root, each)).isFile(),
  );
  const wanted = [
    ...["MANIFEST", "index.html", "versions.json", "analysis.txt", "analysis.json"],
    ...["control-plane/version.json", "control-plane/proxy-status.json", "control-plane/configz.json"],
    ...["control-plane/sent/web-1.demo.json", "agents/web-1.demo/envoy/config_dump.json"],
    "agents/web-1.demo/envoy/stats.txt",
  ];
  assert.deepEqual(
    wanted.filter((each) => !files.includes(each)),
    [],
    files.join("\n"),
  );
  for (const file of files)
    assert.ok(!readFileSync(join(root, file), "utf8").includes(secret), `${file} has the secret`);
  const index = readFileSync(join(root, "index.html"), "utf8");
  assert.match(index, /agents\/dead-1\.demo\/status\.json/);
  assert.match(index, /IST0101/);
  assert.match(index, /&lt;b&gt;bad/);
  assert.ok(!/<script|<b>/.test(index), "what a workload says is no markup");
});

test("without a control plane the report says so, and is written", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "report.tar.gz");
  const { code, errors } = await runCtl("bug-report", "--output", path);
  assert.equal(code, 0);
  assert.ok(
    errors.some((line) => line.startsWith("missing: control-plane: ")),
    errors.join("\n"),
  );
  assert.equal((await runCtl("bug-report", "--http-address", "nowhere")).code, 64);
  assert.equal((await runCtl("bug-report", "--output", join(folder.path, "no/such/file"))).code, 1);
});
