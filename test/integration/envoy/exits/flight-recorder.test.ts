import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { EnvoyAdmin } from "../../../../src/envoy/admin/admin.ts";
import { FlightRecorder, type GenerationFacts } from "../../../../src/envoy/exits/flight-recorder.ts";
import { spawnChild } from "../../../../src/process/child.ts";
import { createLogger } from "../../../../src/telemetry/log.ts";
import { HttpServer } from "../../../../src/net/http-server.ts";
import { smallBootstrap } from "../../../support/envoy-exit.ts";
import { testEnvoy } from "../../../support/envoy.ts";
import { eventually } from "../../../support/eventually.ts";
import { temporaryFolder } from "../../../support/temporary-folder.ts";

const pem = generateKeyPairSync("ec", { namedCurve: "P-256" })
  .privateKey.export({ type: "pkcs8", format: "pem" })
  .toString();
const keyLines = pem.split("\n").slice(1, -2);

function logTo(lines: string[]) {
  return createLogger({ json: false, levels: {}, write: (line) => lines.push(line), now: () => new Date() });
}

function recorder(
  path: string,
  lines: string[] = [],
  others: { keep?: number; secrets?: () => string[] } = {},
) {
  return new FlightRecorder({ folder: join(path, "flight-recorder"), log: logTo(lines), ...others });
}

function facts(number: number, changes: Partial<GenerationFacts> = {}): GenerationFacts {
  return {
    number,
    pid: 42,
    startedAt: new Date(Date.UTC(2026, 0, 1) + number * 1_000),
    binary: "/usr/local/bin/envoy",
    args: ["-c", "envoy.json"],
    bootstrap: JSON.stringify(smallBootstrap()),
    ...changes,
  };
}

const died = { reason: "signal", message: "killed by SIGKILL", exitCode: 137 } as const;

function records(path: string): string[] {
  return readdirSync(join(path, "flight-recorder")).toSorted();
}

function allFiles(path: string): { readonly file: string; readonly text: string }[] {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const file = join(entry.parentPath, entry.name);
      const bytes = readFileSync(file);
      return { file, text: (file.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8") };
    });
}

describe("The flight recorder", () => {
  test("keeps the last five Envoys, across restarts of the agent, in private files", async () => {
    using folder = temporaryFolder();
    for (const run of [0, 1]) {
      await using recording = recorder(folder.path);
      for (let number = 1; number <= 4; number += 1) {
        recording.started(facts(number, { startedAt: new Date(Date.UTC(2026, run, number)) }));
        recording.ended(number, died, ["last words"]);
      }
    }
    assert.deepEqual(
      records(folder.path).map((name) => name.slice(0, 8)),
      ["20260104", "20260201", "20260202", "20260203", "20260204"],
    );
    const last = join(folder.path, "flight-recorder", records(folder.path).at(-1) ?? "");
    assert.deepEqual(readdirSync(last).toSorted(), [
      "bootstrap.json",
      "exit.json",
      "output.log",
      "start.json",
    ]);
    assert.equal(statSync(last).mode & 0o777, 0o700);
    assert.equal(statSync(join(folder.path, "flight-recorder")).mode & 0o777, 0o700);
    for (const file of readdirSync(last)) assert.equal(statSync(join(last, file)).mode & 0o777, 0o600);
    assert.equal(JSON.parse(readFileSync(join(last, "exit.json"), "utf8")).message, "killed by SIGKILL");
    assert.equal(readFileSync(join(last, "output.log"), "utf8"), "last words\n");
  });

  test("keeps the begin and the end of a long output, in whole lines", async () => {
    using folder = temporaryFolder();
    const lines = ["the complaint", ...Array.from({ length: 40_000 }, (_, n) => `line ${n}`), "the end"];
    {
      await using recording = recorder(folder.path);
      recording.started(facts(1));
      recording.ended(1, died, lines);
    }
    const output = allFiles(folder.path).find(({ file }) => file.endsWith("output.log"))?.text ?? "";
    const kept = output.trim().split("\n");
    const gap = kept.findIndex((line) => /^\[\d+ characters left out\]$/.test(line));
    assert.ok(gap > 1_000 && kept.length - gap > 5_000, `${gap} of ${kept.length}`);
    assert.deepEqual(kept.slice(0, gap), lines.slice(0, gap));
    assert.deepEqual(kept.slice(gap + 1), lines.slice(-(kept.length - gap - 1)));
    assert.ok(output.length < 200 * 1_024, `${output.length} characters`);
  });

  test("a key that is cut off in the begin of a long output does not take the end along", async () => {
    using folder = temporaryFolder();
    const filler = Array.from({ length: 20_000 }, (_, n) => `line ${n}`);
    {
      await using recording = recorder(folder.path);
      recording.started(facts(1));
      recording.ended(1, died, ["the complaint", "-----BEGIN PRIVATE KEY-----", ...filler, "the end"]);
    }
    const output = allFiles(folder.path).find(({ file }) => file.endsWith("output.log"))?.text ?? "";
    assert.match(output, /^the complaint\n\[redacted .*\n\[\d+ characters left out\]\nline/);
    assert.match(output, /\nthe end\n$/);
  });

  test("writes no secret", async () => {
    using folder = temporaryFolder();
    const bootstrap = JSON.stringify({
      ...smallBootstrap(),
      secrets: [{ tls_certificate: { private_key: { inline_string: pem } } }],
      metadata: { DB_PASSWORD: "swordfish-1" },
      plain: "known-value-2",
    });
    {
      await using recording = recorder(folder.path, [], { secrets: () => ["known-value-2"] });
      recording.started(facts(1, { bootstrap, args: ["--config-yaml", "password: swordfish-3"] }));
      const textLine = `private_key { inline_string: "${pem.replaceAll("\n", "\\n")}" }`;
      recording.ended(1, died, [
        `Unable to parse JSON: ${bootstrap}`,
        textLine,
        ...pem.split("\n"),
        "the end",
      ]);
    }
    const files = allFiles(folder.path);
    assert.equal(files.length, 4);
    for (const { file, text } of files) {
      for (const secret of [...keyLines, "swordfish", "known-value-2"]) {
        assert.ok(!text.includes(secret), `${file} holds ${secret}`);
      }
    }
    assert.match(files.find(({ file }) => file.endsWith("output.log"))?.text ?? "", /the end\n$/);
  });

  test("takes snapshots of a real Envoy, and says what it did not get", async () => {
    using folder = temporaryFolder();
    writeFileSync(join(folder.path, "envoy.json"), JSON.stringify(smallBootstrap()));
    const envoy = spawnChild({
      file: await testEnvoy(),
      args: ["-c", "envoy.json", "--disable-hot-restart", "-l", "warning"],
      cwd: folder.path,
      stdout: "ignore",
      stderr: "ignore",
    });
    try {
      const admin = new EnvoyAdmin(join(folder.path, "admin.sock"));
      await eventually("Envoy's admin", () => admin.serverInfo(), { withinMs: 10_000 });
      {
        await using recording = recorder(folder.path);
        recording.started(facts(1));
        await recording.snapshot(1, admin, "live");
        envoy.kill("SIGKILL");
        await envoy.exited;
        await recording.snapshot(1, admin, "hang");
      }
      const [record = ""] = records(folder.path);
      const read = (file: string) => {
        const path = join(folder.path, "flight-recorder", record, file);
        return gunzipSync(readFileSync(path)).toString("utf8");
      };
      assert.equal(JSON.parse(read("live-server_info.json.gz")).state, "LIVE");
      assert.match(read("live-stats.txt.gz"), /^server\.live: 1$/m);
      assert.match(read("live-clusters.txt.gz"), /^one::/m);
      assert.match(read("live-listeners.json.gz"), /"first"/);
      assert.match(read("live-config_dump.json.gz"), /BootstrapConfigDump/);
      const missing = readFileSync(join(folder.path, "flight-recorder", record, "hang-missing.txt"), "utf8");
      assert.match(missing, /^server_info\.json: connect (?:ECONNREFUSED|ENOENT)/);
      assert.equal(missing.trim().split("\n").length, 5);
    } finally {
      envoy.kill("SIGKILL");
    }
  });

  test("gives up on an admin interface that hangs", async () => {
    using folder = temporaryFolder();
    await using _silent = await HttpServer.listen(
      { path: join(folder.path, "admin.sock"), mode: 0o600 },
      () => undefined,
    );
    await using recording = recorder(folder.path);
    recording.started(facts(1));
    const startedAt = performance.now();
    await recording.snapshot(1, { socketPath: join(folder.path, "admin.sock") }, "hang");
    const tookMs = performance.now() - startedAt;
    assert.ok(tookMs > 1_900, `${tookMs} ms`);
  });

  test("tells a disk that cannot be written once, and never fails its caller", async () => {
    using folder = temporaryFolder();
    const lines: string[] = [];
    // A file where the folder should be: also root cannot write there.
    writeFileSync(join(folder.path, "flight-recorder"), "");
    const recording = recorder(folder.path, lines);
    for (const number of [1, 2, 3]) {
      recording.started(facts(number));
      recording.ended(number, died, []);
    }
    await recording.snapshot(9, { socketPath: "/no/such.sock" }, "live");
    await recording[Symbol.asyncDispose]();
    assert.equal(lines.length, 1, lines.join(""));
    assert.match(lines[0] ?? "", /the flight recorder cannot write\tfolder=.*reason=".*no folder/);
  });

  test("leaves what is not its own alone", async () => {
    using folder = temporaryFolder();
    mkdirSync(join(folder.path, "flight-recorder"));
    writeFileSync(join(folder.path, "flight-recorder/README"), "");
    const lines: string[] = [];
    {
      await using recording = recorder(folder.path, lines, { keep: 1 });
      recording.started(facts(1));
      recording.ended(1, died, []);
      recording.started(facts(2));
    }
    assert.deepEqual(lines, []);
    assert.deepEqual(
      records(folder.path).map((name) => name.slice(-2)),
      ["-2", "ME"],
    );
  });

  test("makes its caller wait for nothing: what has to be done is done later", async () => {
    using folder = temporaryFolder();
    let looks = 0;
    const secrets = (): string[] => {
      looks += 1;
      return [];
    };
    {
      await using recording = recorder(folder.path, [], { secrets });
      recording.started(facts(1));
      recording.ended(1, died, ["a line"]);
      assert.equal(looks, 0, "looked for secrets at once");
      assert.deepEqual(readdirSync(folder.path), [], "wrote at once");
    }
    assert.ok(looks > 0);
    assert.equal(records(folder.path).length, 1);
  });
});
