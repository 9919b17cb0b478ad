/** A proxyless gRPC application's agent: certificates, a gRPC bootstrap and the ADS socket, and no Envoy. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, readFileSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fetchHttp } from "../../src/net/http-client.ts";
import { AgentClient } from "../../src/status/client.ts";
import { readinessRoute } from "../../src/status/routes/readiness.ts";
import { reportRoute } from "../../src/status/routes/report.ts";
import { diagnose } from "../support/doctor.ts";
import { eventually } from "../support/eventually.ts";
import { expectFinding } from "../support/findings.ts";
import { startMs, TestMesh, workloadReady } from "../support/mesh.ts";
import { runOutrider, startOutrider } from "../support/outrider.ts";

/** Which of these sockets a user can connect to who is neither root nor the agent's. */
function connectsAsAnother(paths: readonly string[], folder: string): readonly boolean[] {
  // Temporary folders are their maker's alone; a container's root folder is not.
  chmodSync(folder, 0o755);
  const script =
    'require("net").connect(process.argv[1], () => process.exit(0)).on("error", () => process.exit(1))';
  return paths.map((path) => {
    const { status } = spawnSync("/proc/self/exe", ["-e", script, path], { uid: 65_534, gid: 65_534 });
    return status === 0;
  });
}

describe("with DISABLE_ENVOY", () => {
  test("gRPC gets its bootstrap and certificates, and the agent ends when it is told to", async () => {
    await using mesh = await TestMesh.start({});
    const workload = await mesh.workload("web");
    await using agent = startOutrider({
      args: ["proxy", "sidecar", "--log_target=stdout", "--log_target=agent.log", "--log_caller=sds"],
      cwd: workload.folder,
      env: {
        ...workload.env,
        // No Envoy is looked for.
        ENVOY_PATH: "/nowhere/envoy",
        DISABLE_ENVOY: "true",
        OUTPUT_CERTS: "var/lib/istio/data",
        ISTIO_META_GENERATOR: "grpc",
      },
    });
    await workloadReady(workload, agent);

    const path = join(workload.folder, "etc/istio/proxy/grpc-bootstrap.json");
    const bootstrap = JSON.parse(readFileSync(path, "utf8")) as {
      xds_servers: { server_uri: string }[];
      node: { id: string; metadata: Readonly<Record<string, unknown>> };
      certificate_providers: { default: { config: Readonly<Record<string, string>> } };
    };
    const socket = join(workload.folder, "etc/istio/proxy/XDS");
    assert.equal(bootstrap.xds_servers[0]?.server_uri, `unix://${socket}`);
    assert.equal(bootstrap.node.id, "sidecar~127.0.0.1~web-1.demo~demo.svc.cluster.local");
    assert.equal(bootstrap.node.metadata["GENERATOR"], "grpc");
    assert.equal(statSync(socket).mode & 0o777, 0o666, "the application has a user of its own");
    const sds = join(workload.folder, "var/run/secrets/workload-spiffe-uds/socket");
    assert.equal(statSync(sds).mode & 0o777, 0o600, "private keys are nobody else's");
    if (process.getuid?.() === 0)
      assert.deepEqual(connectsAsAnother([socket, sds], mesh.folder), [true, false]);
    const { certificate_file: chain = "", private_key_file: key = "" } =
      bootstrap.certificate_providers.default.config;
    assert.match(readFileSync(chain, "utf8"), /^-----BEGIN CERTIFICATE-----/);
    assert.match(readFileSync(key, "utf8"), /PRIVATE KEY-----/);

    const log = join(workload.folder, "agent.log");
    assert.match(readFileSync(log, "utf8"), /\tinfo\toutrider starts\t/);
    assert.ok(agent.lines.some((line) => line.includes("outrider starts")));
    renameSync(log, `${log}.1`);
    agent.kill("SIGUSR1");
    await eventually("a log file of its own again", () => assert.ok(existsSync(log)), { withinMs: 10_000 });

    const report = await AgentClient.onPort(workload.ports.status).ask(reportRoute);
    assert.deepEqual(report.agent, { pid: agent.pid, runsEnvoy: false });
    assert.equal(report.identity.spiffeId, "spiffe://cluster.local/ns/demo/sa/web");
    assert.equal(report.identity.chain?.[0]?.names[0], `URI:${report.identity.spiffeId}`);
    assert.equal(report.xds.address, `localhost:${mesh.controlPlanePorts.tls}`);
    assert.equal(report.envoy, undefined);

    const drain = await fetchHttp({
      target: { host: "127.0.0.1", port: workload.ports.status },
      method: "POST",
      url: "/drain",
      timeoutMs: 10_000,
    });
    assert.equal(drain.status, 200);
    const quit = await fetchHttp({
      target: { host: "127.0.0.1", port: workload.ports.status },
      method: "POST",
      url: "/quitquitquit",
      timeoutMs: 10_000,
    });
    assert.equal(quit.status, 200);
    assert.deepEqual(await agent.exitWithin(10_000), { kind: "exited", code: 0 }, agent.lines.join("\n"));
  });

  test("readiness waits for the certificate, and SIGTERM ends it", async () => {
    await using mesh = await TestMesh.start({});
    const workload = await mesh.workload("web");
    workload.write("var/run/secrets/tokens/istio-token", undefined);
    await using agent = startOutrider({
      args: ["proxy", "sidecar"],
      cwd: workload.folder,
      env: { ...workload.env, DISABLE_ENVOY: "true" },
    });
    const client = AgentClient.onPort(workload.ports.status);
    await eventually("the status port", () => client.answer(readinessRoute), { withinMs: startMs });
    const url = `http://localhost:${workload.ports.status}${readinessRoute.path}`;
    const waiting = await runOutrider({
      args: ["wait", "--url", url, "--timeoutSeconds", "1", "--requestTimeoutMillis", "10000"],
      withinMs: 30_000,
    });
    assert.deepEqual(waiting.exit, { kind: "exited", code: 255 });
    assert.match(waiting.output, /503/);
    agent.kill("SIGTERM");
    assert.deepEqual(await agent.exitWithin(10_000), { kind: "exited", code: 143 }, agent.lines.join("\n"));
  });

  test("plan and doctor know that no Envoy is to run", async () => {
    await using mesh = await TestMesh.start({});
    const prepared = await mesh.workload("web");
    const workload = {
      ...prepared,
      env: {
        ...prepared.env,
        ENVOY_PATH: "/nowhere/envoy",
        DISABLE_ENVOY: "true",
        OUTPUT_CERTS: "var/lib/istio/data",
      },
    };
    const { folder: cwd, env } = workload;
    const before = await runOutrider({ args: ["plan"], cwd, env, withinMs: 30_000 });
    assert.deepEqual(before.exit, { kind: "exited", code: 2 }, before.output);
    assert.match(
      before.output,
      /^plan +a start would run no Envoy \(DISABLE_ENVOY\); gRPC's bootstrap goes to /,
    );
    assert.match(before.output, /\n\+ +"xds_servers"/);
    const alone = await diagnose(workload);
    assert.equal(alone.code, 0, alone.output);
    assert.deepEqual(alone.named("envoy-binary"), []);
    assert.deepEqual(alone.named("memory"), []);
    expectFinding(alone.named("proxyless")[0], "ok", /no Envoy runs; gRPC gets its bootstrap in etc\/istio/);

    await using agent = startOutrider({ args: ["proxy", "sidecar", "--futureFlag"], cwd, env });
    await workloadReady(workload, agent);
    const beside = await runOutrider({ args: ["plan"], cwd, env, withinMs: 30_000 });
    assert.deepEqual(beside.exit, { kind: "exited", code: 0 }, beside.output);
    assert.match(beside.output, new RegExp(`no Envoy runs beside pid ${agent.pid}`));
    const changed = await runOutrider({
      args: ["plan"],
      cwd,
      env: { ...env, ISTIO_METAJSON_LABELS: '{"team": "blue"}' },
      withinMs: 30_000,
    });
    assert.deepEqual(changed.exit, { kind: "exited", code: 64 }, changed.output);
    assert.match(changed.output, /because +the bootstrap of gRPC is written at a start: restart the agent/);
    const well = await diagnose(workload);
    assert.equal(well.code, 0, well.output);
    expectFinding(well.named("configuration")[0], "warning", /--futureFlag/, /spelling/);
    expectFinding(well.named("ports")[0], "ok", new RegExp(`running agent \\(pid ${agent.pid}\\)`));
  });
});
