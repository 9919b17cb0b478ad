import assert from "node:assert/strict";
import {
  chmodSync,
  chownSync,
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
} from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { nodeFlags } from "../../src/build/release/node-flags.ts";
import { buildRelease } from "../../src/build/release/release.ts";
import type { Finding } from "../../src/doctor/finding.ts";
import { testEnvoy } from "../support/envoy.ts";
import { eventually } from "../support/eventually.ts";
import { expectFinding } from "../support/findings.ts";
import { freePorts } from "../support/free-ports.ts";
import { get } from "../support/mesh.ts";
import { type Program, runOutrider, startOutrider } from "../support/outrider.ts";
import { hasRoot } from "../support/privilege.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const root = join(import.meta.dirname, "../..");
const probe = join(root, "test/support/code-cache-probe.cjs");

const folder = temporaryFolder();
const release = join(folder.path, "moved");
const program: Program = { file: join(release, "bin/outrider"), args: [] };

/** The release's Node.js as its launcher starts it, but for the probe, which a variable cannot bring in. */
function probed(cwd: string): Program {
  const args = [...nodeFlags, "--require", join(cwd, "probe.cjs"), join(release, "lib/outrider.cjs")];
  return { file: join(release, "lib/node"), args };
}

/** An agent without a control plane, started and stopped: the lines of its output. */
async function lifeOfAnAgent(
  agent: Program,
  cwd: string,
  env: Readonly<Record<string, string>> = {},
): Promise<readonly string[]> {
  const [admin = 0, status = 0, envoyStatus = 0, prometheus = 0] = await freePorts(4);
  const proxyConfig = { proxyAdminPort: admin, statusPort: status, terminationDrainDuration: "1s" };
  await using outrider = startOutrider({
    program: agent,
    cwd,
    args: ["proxy", "sidecar"],
    env: {
      ENVOY_PATH: join(folder.path, "envoy"),
      POD_NAMESPACE: "demo",
      ISTIO_META_INTERCEPTION_MODE: "NONE",
      ENVOY_STATUS_PORT: String(envoyStatus),
      ENVOY_PROMETHEUS_PORT: String(prometheus),
      PROXY_CONFIG: JSON.stringify({ ...proxyConfig, concurrency: 1 }),
      ...env,
    },
  });
  await eventually("the status port", () => get(status, "/healthz/ready"), { withinMs: 30_000 }).catch(
    (error: unknown) => {
      throw new Error(outrider.lines.join("\n"), { cause: error });
    },
  );
  outrider.kill("SIGTERM");
  assert.deepEqual(
    await outrider.exitWithin(20_000),
    { kind: "exited", code: 143 },
    outrider.lines.join("\n"),
  );
  return outrider.lines;
}

function workFolder(name: string): string {
  const path = join(folder.path, name);
  mkdirSync(path);
  copyFileSync(probe, join(path, "probe.cjs"));
  return path;
}

/** `name` without the hash that esbuild gives it. */
function parts(lines: readonly string[]): { readonly name: string; readonly fate: string }[] {
  return lines.flatMap((line) => {
    const [, name, fate] = /^part (.*?)(?:-[A-Z0-9]{8})?\.js (\w+)$/.exec(line) ?? [];
    return name === undefined || fate === undefined ? [] : [{ name, fate }];
  });
}

function assertCacheAccepted(lines: readonly string[]): void {
  const loaded = parts(lines);
  assert.ok(loaded.length >= 2, lines.join("\n"));
  assert.deepEqual(
    loaded.filter(({ fate }) => fate !== "accepted"),
    [],
  );
}

describe("the release", () => {
  before(async () => {
    const envoyBinary = await testEnvoy();
    await buildRelease({ root, folder: join(folder.path, "built"), envoyBinary, sourceDate: 0 });
    renameSync(join(folder.path, "built"), release);
    // Other users are to get at it.
    chmodSync(folder.path, 0o755);
    copyFileSync(envoyBinary, join(folder.path, "envoy"), constants.COPYFILE_FICLONE);
    chmodSync(join(folder.path, "envoy"), 0o755);
  });

  after(() => {
    folder[Symbol.dispose]();
  });

  test("runs from the place where it was moved, with V8's code cache of every part", async () => {
    const cwd = workFolder("own");
    assertCacheAccepted(await lifeOfAnAgent(probed(cwd), cwd));
  });

  test("starts Envoy from one file, what comes after from another, before gRPC and metrics, and loads neither the control plane nor OpenTelemetry", async () => {
    const cwd = workFolder("order");
    const lines = await lifeOfAnAgent(probed(cwd), cwd);
    // The log tells of it when the process is known to be there, which may be later than what is loaded meanwhile.
    const exec = lines.findIndex((line) => line.startsWith("module "));
    assert.ok(exec >= 0, lines.join("\n"));
    const names = (from: readonly string[]): string[] => parts(from).map(({ name }) => name);
    assert.deepEqual(names(lines.slice(0, exec)), ["proxy.start"]);
    assert.deepEqual(names(lines.slice(exec)).slice(0, 1), ["proxy.late"]);
    assert.deepEqual(
      names(lines).filter((name) => /discovery|^run$|^exporter$/.test(name)),
      [],
    );
  });

  test("starts Envoy before it loads what only comes later", async () => {
    const cwd = workFolder("later");
    const lines = await lifeOfAnAgent(probed(cwd), cwd);
    const modules = lines.flatMap((line) => /^module (.*)$/.exec(line)?.[1] ?? []);
    const later = ["http", "http2", "https", "tls", "zlib", "dns", "dns/promises", "internal/blocklist"];
    assert.ok(modules.includes("child_process"), lines.join("\n"));
    assert.deepEqual(
      modules.filter((name) => later.includes(name)),
      [],
    );
    // The package for YAML: this configuration is in JSON, and the release's templates are.
    assert.doesNotMatch(readFileSync(join(release, "lib/proxy.start.js"), "latin1"), /YAMLParseError/);
  });

  test("runs as uid 1337 on a read-only tree, with V8's code cache of every part", async (t) => {
    if (!hasRoot(t)) return;
    const cwd = workFolder("other");
    chownSync(cwd, 1337, 1337);
    const script = `mount --bind '${release}' '${release}' && mount -o remount,ro,bind '${release}' || exit 90
      touch '${release}/lib/written' 2>/dev/null && exit 91
      exec setpriv --reuid=1337 --regid=1337 --clear-groups "$@"`;
    const { file, args: words } = probed(cwd);
    const args = ["--mount", "--propagation=private", "sh", "-c", script, "sh", file, ...words];
    assertCacheAccepted(await lifeOfAnAgent({ file: "unshare", args }, cwd));
  });

  test("starts by its own program, which no variable can lead astray", async () => {
    const lines = await lifeOfAnAgent(program, workFolder("launched"), {
      NODE_OPTIONS: "--nonsense",
      NODE_DEBUG: "net",
      NODE_V8_COVERAGE: join(folder.path, "launched/coverage"),
    });
    assert.doesNotMatch(lines.join("\n"), /^NET \d+/m);
    assert.deepEqual(existsSync(join(folder.path, "launched/coverage")), false);
  });

  test("examines where it would start, names included", async () => {
    const { exit, output } = await runOutrider({
      program,
      args: ["doctor", "--json"],
      cwd: workFolder("examined"),
      env: {
        ENVOY_PATH: join(folder.path, "envoy"),
        POD_NAMESPACE: "demo",
        NODE_OPTIONS: "--nonsense",
        PROXY_CONFIG: JSON.stringify({ discoveryAddress: "localhost:1" }),
      },
      withinMs: 20_000,
    });
    const { findings } = JSON.parse(output) as { findings: readonly Finding[] };
    const named = (name: string): Finding | undefined => findings.find((finding) => finding.name === name);
    assert.deepEqual(exit, { kind: "exited", code: 1 }, output);
    expectFinding(named("dns"), "ok", /localhost is (?:127\.0\.0\.1|::1)/);
    expectFinding(named("bootstrap"), "ok", /valid for Envoy/);
  });

  test("captures traffic with V8's code cache of every part, and without the library for commands", async () => {
    const cwd = workFolder("capture");
    const { exit, output } = await runOutrider({
      program: probed(cwd),
      args: ["iptables", "--proxy-uid", "1337", "--istio-inbound-ports", "*"],
      cwd,
      // Where there is no program there is nothing to change.
      env: { PATH: cwd },
      withinMs: 20_000,
    });
    assert.deepEqual(exit, { kind: "exited", code: 1 }, output);
    assert.match(output, /there is no iptables/);
    assertCacheAccepted(output.split("\n"));
    assert.ok(!parts(output.split("\n")).some(({ name }) => name === "execa"), output);
  });

  test("prints the same help as the sources", async () => {
    for (const args of [["--help"], ["proxy", "--help"], ["discovery", "--nonsense"]]) {
      const [bundled, plain] = [
        await runOutrider({ program, args, withinMs: 10_000 }),
        await runOutrider({ args, withinMs: 10_000 }),
      ];
      assert.deepEqual(bundled, plain);
    }
  });
});
