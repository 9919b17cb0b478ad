import assert from "node:assert/strict";
import { createPrivateKey } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import { parseEnviron } from "../../src/cli/agent-environment.ts";
import { FlightRecorder } from "../../src/envoy/exits/flight-recorder.ts";
import { unpack, type UnpackedFile } from "../support/archive.ts";
import { eventually } from "../support/eventually.ts";
import { get, type TestSidecar } from "../support/mesh.ts";
import { runOutrider } from "../support/outrider.ts";
import { fetchPrivateKey } from "../support/sds-client.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { testLog } from "../support/test-log.ts";
import { startWebAndApi } from "../support/web-and-api.ts";

const planted = {
  override: "planted-in-the-override-1",
  variable: "planted-in-a-variable-2",
  application: "planted-for-the-application-3",
  metadata: "planted-in-the-metadata-4",
} as const;

/** `outrider diagnose` in the sidecar's container: its folder, its environment. */
async function diagnose(
  sidecar: TestSidecar,
  env: Readonly<Record<string, string>>,
): Promise<readonly UnpackedFile[]> {
  using folder = temporaryFolder();
  const archive = join(folder.path, "out.tar.gz");
  const { exit, output } = await runOutrider({
    args: ["diagnose", "--output", archive],
    cwd: sidecar.folder,
    env,
    withinMs: 60_000,
  });
  assert.deepEqual(exit, { kind: "exited", code: 0 }, output);
  assert.equal(output.trim(), archive);
  assert.equal(statSync(archive).mode & 0o777, 0o600);
  const into = join(folder.path, "unpacked");
  mkdirSync(into);
  return unpack(archive, into);
}

function text(files: readonly UnpackedFile[], name: string): string {
  const file = files.find((candidate) => candidate.name === name);
  assert.ok(file !== undefined, `${name} is not among ${files.map((each) => each.name).join(", ")}`);
  return file.bytes.toString("utf8");
}

/** Every form in which some bytes could have come through: a part of any of them is enough. */
function formsOf(bytes: Buffer): readonly string[] {
  const windows: string[] = [];
  for (let at = 0; at + 24 <= bytes.length; at += 24) {
    // Base64 of bytes in the middle of others depends on where they begin, modulo three.
    for (const shift of [0, 1, 2]) {
      const part = bytes.subarray(at + shift, at + shift + 21);
      windows.push(part.toString("base64").slice(0, 24), part.toString("base64url").slice(0, 24));
    }
    const part = bytes.subarray(at, at + 16);
    windows.push(
      part.toString("hex"),
      part.toString("hex").toUpperCase(),
      [...part].join(","),
      [...part].join(", "),
    );
    windows.push(
      part.toString("latin1"),
      [...part].map((byte) => byte.toString(16).padStart(2, "0")).join(":"),
    );
  }
  return windows;
}

function assertNowhere(files: readonly UnpackedFile[], forms: readonly string[]): void {
  for (const { name, bytes } of files) {
    const content = bytes.toString("latin1");
    for (const form of forms) assert.ok(!content.includes(form), `${name} holds ${JSON.stringify(form)}`);
  }
}

describe("outrider diagnose", () => {
  test("tells of a running sidecar everything but its secrets, and of a dead one what is left", async () => {
    using folder = temporaryFolder();
    const override = join(folder.path, "override.json");
    writeFileSync(
      override,
      JSON.stringify({
        node: { metadata: { UPSTREAM_PASSWORD: planted.override } },
        static_resources: {
          secrets: [{ name: "planted", generic_secret: { secret: { inline_string: planted.override } } }],
        },
      }),
    );
    const env = {
      ISTIO_BOOTSTRAP_OVERRIDE: override,
      DB_PASSWORD: planted.variable,
      APP_SETTING: planted.application,
      ISTIO_META_API_TOKEN: planted.metadata,
    };
    // An Envoy that is not made for hot restart outlives its agent.
    await using mesh = await startWebAndApi({
      web: { env, flags: ["--swapMode=overlap", "--identityCacheOnDisk"] },
    });
    assert.equal((await mesh.call()).status, 200);
    const { web } = mesh;
    const token = readFileSync(join(web.folder, "var/run/secrets/tokens/istio-token"), "utf8");
    const pem = await fetchPrivateKey(join(web.folder, "var/run/secrets/workload-spiffe-uds/socket"));
    const key = createPrivateKey(pem);
    const kept = join(web.folder, "etc/istio/proxy/identity-cache/identity.secret");
    assert.ok(readFileSync(kept, "utf8").includes(pem.split("\n")[1] ?? "no key"));
    const secrets = [
      ...pem.split("\n").filter((line) => line !== "" && !line.startsWith("-----")),
      ...formsOf(key.export({ type: "pkcs8", format: "der" })),
      ...formsOf(Buffer.from(pem)),
      token,
      ...token.split(".").slice(1),
      Buffer.from(token).toString("base64").slice(0, 40),
      ...Object.values(planted),
      ...Object.values(planted).map((value) => Buffer.from(value).toString("base64").slice(0, 24)),
    ];
    await recordAnEnvoy(web, `${pem}\n${token}\nDB_PASSWORD is ${planted.variable}`);
    const raw = (await get(web.ports.admin, "/config_dump")).body.toString("utf8");
    for (const secret of [planted.override, planted.metadata]) {
      assert.ok(raw.includes(secret), "Envoy does not show what the diagnosis has to take out");
    }

    const sidecarEnv = parseEnviron(readFileSync(`/proc/${web.agent.pid}/environ`, "utf8"));

    const alive = await diagnose(web, sidecarEnv);
    assertNowhere(alive, secrets);
    assert.ok(alive.every(({ mode }) => mode === 0o600));
    assert.equal(JSON.parse(text(alive, "agent/status.json")).ready, true);
    assert.match(text(alive, "SUMMARY"), /^ready[^]*\nevents\n[^]*\nwhat outrider doctor finds\n/);
    const found = JSON.parse(text(alive, "doctor.json")) as { name: string; verdict: string }[];
    assert.equal(found.find(({ name }) => name === "readiness")?.verdict, "ok");
    assert.match(text(alive, "agent/metrics.txt"), /^istio_agent_/m);
    const said = JSON.parse(text(alive, "agent/log.json")) as { message: string }[];
    assert.ok(said.some(({ message }) => message === "outrider starts"));
    const exchanged = JSON.parse(text(alive, "agent/xds.json")) as { outcome: string }[];
    assert.ok(exchanged.some(({ outcome }) => outcome === "acked"));
    const shown = await runOutrider({
      args: ["status", "--statusPort", String(web.ports.status)],
      cwd: web.folder,
      withinMs: 60_000,
    });
    assert.deepEqual(shown.exit, { kind: "exited", code: 0 }, shown.output);
    for (const line of [
      /^ready$/m,
      /^identity +spiffe:\/\/cluster\.local\/ns\/demo\/sa\/web, .*valid for /m,
      /^ +Cluster +ACKED after /m,
      /^Envoy +live, generation 1, /m,
      /^ \d\d:\d\d:\d\d · healthcheck Envoy proxy is ready$/m,
    ])
      assert.match(shown.output, line);
    assert.equal(JSON.parse(text(alive, "envoy/server_info.json")).state, "LIVE");
    assert.match(text(alive, "envoy/clusters.txt"), /^xds-grpc::/m);
    assert.match(text(alive, "envoy/config_dump.json"), /envoy\.admin\.v3\.BootstrapConfigDump/);
    assert.match(text(alive, "envoy/stats.txt"), /^server\.live: 1$/m);
    assert.match(text(alive, "config/envoy-rev.json"), /"UPSTREAM_PASSWORD": "\[redacted\]"/);
    assert.match(text(alive, "agent/environment.txt"), /^APP_SETTING=\[not shown: 29 characters\]$/m);
    assert.match(text(alive, "agent/environment.txt"), /^POD_NAME=web-1$/m);
    assert.match(JSON.parse(text(alive, "versions.json")).envoy.version, /version: .*\/1\.40\.0\//);
    const processes = JSON.parse(text(alive, "system/processes.json")) as {
      role: string;
      pid: number;
      name: string;
      residentKib: number;
    }[];
    assert.deepEqual(
      processes.map(({ role, name }) => [role, name]),
      [
        ["agent", "MainThread"],
        ["child of the agent", "envoy"],
      ],
    );
    assert.ok(processes.every(({ residentKib }) => residentKib > 10_000));
    assert.ok(JSON.parse(text(alive, "system/cgroup.json")).figures.availableBytes > 0);
    assert.match(text(alive, "system/limits.txt"), /Max open files/);
    assert.match(text(alive, "system/mounts.txt"), / \/ /);
    const output = alive.find(
      ({ name }) => name.startsWith("flight-recorder/") && name.endsWith("output.log"),
    );
    assert.match(output?.bytes.toString("utf8") ?? "", /\[redacted/);
    assert.match(text(alive, "MANIFEST"), /^made by outrider [^ ]+ at /);
    assert.match(text(alive, "MANIFEST"), / agent\/status\.json$/m);

    const envoyPid = processes.find(({ name }) => name === "envoy")?.pid ?? 0;
    web.agent.kill("SIGKILL");
    // Its Envoy may hold its output open, so `exited` would wait for both.
    await eventually("the agent gone", () => assert.ok(!existsSync(`/proc/${web.agent.pid}`)), {
      withinMs: 10_000,
    });
    const left = [["Envoy without an agent", envoyPid]];
    const dead = await diagnose(web, sidecarEnv).finally(() => {
      process.kill(envoyPid, "SIGKILL");
    });
    assertNowhere(dead, secrets);
    const manifest = text(dead, "MANIFEST");
    const unanswered = await runOutrider({
      args: ["status", "--statusPort", String(web.ports.status)],
      cwd: web.folder,
      withinMs: 60_000,
    });
    assert.deepEqual(unanswered.exit, { kind: "exited", code: 2 }, unanswered.output);
    assert.match(unanswered.output, /did not answer: .*ECONNREFUSED/);
    assert.match(manifest, /^ {2}agent\/status\.json: connect ECONNREFUSED/m);
    assert.match(manifest, /^ {2}envoy\/config_dump\.json: connect ECONNREFUSED/m);
    assert.match(manifest, /^ {2}agent: no process listens on the status port/m);
    assert.match(text(dead, "config/envoy-rev.json"), /"static_resources"/);
    assert.ok(dead.some(({ name }) => name.startsWith("flight-recorder/")));
    assert.deepEqual(
      (JSON.parse(text(dead, "system/processes.json")) as { role: string; pid: number }[]).map(
        ({ role, pid }) => [role, pid],
      ),
      left,
    );
  });

  test("works where there has never been an agent, and names its file itself, elsewhere than here", async () => {
    using folder = temporaryFolder();
    using temporary = temporaryFolder();
    const { exit, output } = await runOutrider({
      args: ["diagnose"],
      cwd: folder.path,
      env: { TMPDIR: temporary.path },
      withinMs: 30_000,
    });
    assert.deepEqual(exit, { kind: "exited", code: 0 }, output);
    assert.deepEqual(readdirSync(folder.path), []);
    assert.equal(dirname(output.trim()), temporary.path);
    assert.match(output.trim(), /\/outrider-diagnose-\d{8}T\d{6}Z-[0-9a-f]{12}\.tar\.gz$/);
    const into = join(folder.path, "unpacked");
    mkdirSync(into);
    const files = unpack(output.trim(), into);
    assert.match(text(files, "MANIFEST"), /^ {2}config: ENOENT/m);
    assert.match(
      text(files, "SUMMARY"),
      /^no agent answers: .*\n\nwhat outrider doctor finds\n[^]*✖ token: /,
    );
  });

  test("through a pipe that is closed, ends with one line that says what to do", async () => {
    const { output } = await runOutrider({
      launcher: ["sh", "-c", '"$@" --output - | true', "sh"],
      args: ["diagnose"],
      withinMs: 60_000,
    });
    assert.match(
      output,
      /^the diagnosis cannot be written to standard output: EPIPE.*name a file in --output[^\n]*$/,
    );
  });
});

/** A record of an Envoy that printed what it should not have. */
async function recordAnEnvoy(sidecar: TestSidecar, output: string): Promise<void> {
  await using recorder = new FlightRecorder({
    folder: join(sidecar.folder, "etc/istio/proxy/flight-recorder"),
    log: testLog().log,
  });
  const bootstrap = readFileSync(join(sidecar.folder, "etc/istio/proxy/envoy-rev.json"), "utf8");
  recorder.started({
    ...{ number: 99, pid: undefined, startedAt: new Date(), binary: "envoy", args: [] },
    bootstrap,
  });
  recorder.ended(99, { reason: "exited", message: "test", exitCode: 1 }, output.split("\n"));
}
