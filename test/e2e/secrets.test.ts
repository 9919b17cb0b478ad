import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { eventually } from "../support/eventually.ts";
import { get } from "../support/mesh.ts";
import { runOutrider } from "../support/outrider.ts";
import { StandaloneSidecar } from "../support/standalone-sidecar.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

/** One for each place that a secret comes from. */
const planted = {
  variable: "planted-1-K8qz/Vb+x=",
  header: 'planted-2-"quoted" value',
  caHeader: "planted-3-caheader00",
  url: "planted-4-url-pass-word",
  tracer: "planted-5-lightstep-token",
  bootstrapTracer: "planted-6-collector-token",
  bootstrapPassword: "planted-7-inline-password",
  annotation: "planted-8-annotation-token",
  bootstrapHeader: "planted-9-header-by-place",
  metadata: "planted-10-metadata-pass",
  proxyMetadata: "planted-11-proxy-metadata",
  query: "planted-12-query-sig",
  connection: "planted-13-connection-pwd",
} as const;

/** Everything below a folder, compressed files as they were. */
function contents(folder: string): string {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile())
    .map((path) =>
      (path.endsWith(".gz") ? gunzipSync(readFileSync(path)) : readFileSync(path)).toString("latin1"),
    )
    .join("\n");
}

/** Names of the planted secrets that stand in a text in any form. */
function leaks(text: string): readonly string[] {
  return Object.entries(planted).flatMap(([name, value]) => {
    const forms = [
      value,
      JSON.stringify(value).slice(1, -1),
      encodeURIComponent(value),
      Buffer.from(value).toString("base64").slice(0, -4),
    ];
    return forms.some((form) => text.includes(form)) ? [name] : [];
  });
}

describe("a secret of the configuration", () => {
  test("is in nothing that the agent and its commands print, log, show or keep", async () => {
    using folder = temporaryFolder();
    const termination = join(folder.path, "termination");
    const env = {
      REDIS_PASSWORD: planted.variable,
      "XDS_HEADER_X-Key": planted.header,
      CA_HEADER_X_ONE: planted.caHeader,
      SOME_URL: `https://me:${encodeURIComponent(planted.url)}@host/`,
      ISTIO_META_REDIS_PASS: planted.metadata,
      ISTIO_META_STORE: `https://host/path?sv=1&sig=${planted.query}`,
      ISTIO_META_DATABASE: `Server=h;Uid=me;Pwd=${planted.connection};`,
    };
    const proxyConfig = {
      tracing: { lightstep: { address: "127.0.0.1:1", accessToken: planted.tracer } },
      proxyMetadata: { OTHER_TOKEN: planted.variable, GH_PAT: planted.proxyMetadata },
    };
    await using sidecar = await StandaloneSidecar.ready({
      folder: join(folder.path, "agent"),
      env,
      proxyConfig,
      flags: [`--terminationLog=${termination}`],
      files: {
        "etc/istio/pod/annotations": `proxy.istio.io/config=${JSON.stringify(`extraStatTags: ["a"]\n# token: ${planted.annotation}`)}\n`,
      },
    });
    // Envoy prints what it cannot take.
    const header = { key: "authorization", value: `Bearer ${planted.bootstrapTracer}` };
    const refused = {
      password: { inline_string: planted.bootstrapPassword },
      metadata: header,
      initial_metadata: [{ key: "x-team-of-somebody", value: planted.bootstrapHeader }],
      nonsense_of_the_test: [planted.bootstrapPassword, planted.bootstrapTracer, planted.bootstrapHeader],
    };
    const { report } = await sidecar.swap({ admin: refused, bootstrap_extensions: [refused] });
    assert.equal("result" in report ? report.result : "", "refused", JSON.stringify(report));

    const agentEnv = { ...env, ...outriderEnv(sidecar, proxyConfig) };
    const cwd = sidecar.folder;
    const run = async (...args: readonly string[]): Promise<string> =>
      (await runOutrider({ args, cwd, env: agentEnv, withinMs: 60_000 })).output;
    const archive = join(folder.path, "d.tar.gz");
    const outputs = {
      log: sidecar.agent.lines.join("\n"),
      "print-config": await run("proxy", "sidecar", "--print-config"),
      plan: await run("plan"),
      "plan as JSON": await run("plan", "--json"),
      doctor: await run("doctor"),
      "doctor as JSON": await run("doctor", "--json"),
      diagnose: await run("diagnose", "--output", archive),
      env: await run("env"),
      reload: await run("reload"),
      xds: await run("xds"),
      certs: await run("certs"),
      request: await run("request", "GET", "config_dump"),
      archive: gunzipSync(readFileSync(archive)).toString("latin1"),
      status: String((await get(sidecar.ports.status, "/debug/status")).body),
      readiness: String((await get(sidecar.ports.status, "/healthz/ready")).body),
      "flight recorder": contents(join(sidecar.configPath, "flight-recorder")),
    };
    for (const [name, output] of Object.entries(outputs))
      assert.deepEqual(leaks(output), [], `${name}: ${output}`);
    assert.match(outputs.archive, /agent\/environment\.txt/);
    assert.match(outputs["print-config"], /accessToken/);

    // A first start has no validation before it: Envoy's own log has the beginning of it.
    await using unlucky = await StandaloneSidecar.start({
      folder: join(folder.path, "unlucky"),
      env,
      bootstrap: {
        node: { id: planted.bootstrapHeader, metadata: { A_PAT: planted.bootstrapTracer } },
        admin: refused,
        layered_runtime: planted.bootstrapTracer,
      },
    });
    await eventually(
      "Envoy's complaint",
      () => assert.match(unlucky.agent.lines.join("\n"), /layered_runtime.*\[redacted/s),
      { withinMs: 20_000 },
    );
    assert.deepEqual(leaks(unlucky.agent.lines.join("\n")), []);

    // What keeps an agent from its start is quoted in the termination log.
    writeFileSync(termination, "");
    const bad = {
      ...agentEnv,
      PROXY_CONFIG: JSON.stringify({
        ...proxyConfig,
        concurrency: planted.tracer,
        statusPort: planted.variable,
      }),
    };
    const { output } = await runOutrider({
      args: ["proxy", "sidecar", `--terminationLog=${termination}`],
      cwd,
      env: bad,
      withinMs: 20_000,
    });
    assert.match(output, /cannot run with this configuration/);
    assert.deepEqual(leaks(output), [], output);
    assert.match(readFileSync(termination, "utf8"), /cannot run with this configuration/);
    assert.deepEqual(leaks(readFileSync(termination, "utf8")), []);
  });
});

function outriderEnv(sidecar: StandaloneSidecar, proxyConfig: object): Readonly<Record<string, string>> {
  return {
    POD_NAME: "alone-1",
    POD_NAMESPACE: "demo",
    INSTANCE_IP: "127.0.0.1",
    CA_ADDR: "127.0.0.1:1",
    PROXY_CONFIG: JSON.stringify({
      customConfigFile: sidecar.bootstrapPath,
      discoveryAddress: "127.0.0.1:1",
      proxyAdminPort: sidecar.ports.admin,
      statusPort: sidecar.ports.status,
      ...proxyConfig,
    }),
  };
}
