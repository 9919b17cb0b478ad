import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { createLocalJWKSet, jwtVerify } from "jose";
import { openTokenIssuer } from "../../src/controlplane/demo-tokens.ts";
import { testEnvoy } from "../support/envoy.ts";
import { runOutrider } from "../support/outrider.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

describe("a call that cannot work", () => {
  // procfs answers ENOENT to mkdir, which makes Node's recursive mkdir try for ever.
  for (const [args, env, expected] of [
    [["up", "--stateDir", "/proc/x"], {}, /^--stateDir: .*'\/proc\/x': name a folder/m],
    [["up", "--configDir", "/nowhere/mesh"], {}, /^--configDir: .*\/nowhere.*: name a folder/m],
    [["discovery", "--stateDir", "/proc/x"], {}, /--stateDir.*\/proc\/x/],
    [["proxy"], {}, /nothing here says that a sidecar is wanted there/],
  ] as const) {
    test(`ends with 64, says why, and leaves the current folder as it was: ${args.join(" ")}`, async () => {
      using folder = temporaryFolder();
      const { exit, output } = await runOutrider({
        args,
        cwd: folder.path,
        env: { ENVOY_PATH: await testEnvoy(), HOME: folder.path, ...env },
        withinMs: 20_000,
      });
      assert.deepEqual(exit, { kind: "exited", code: 64 }, output);
      assert.match(output, expected);
      assert.deepEqual(
        readdirSync(folder.path).filter((name) => name !== ".local"),
        [],
      );
    });
  }

  test("a cache for Envoy that cannot be made is told, not tried for ever", async () => {
    using folder = temporaryFolder();
    const { exit, output } = await runOutrider({
      args: ["envoy"],
      cwd: folder.path,
      env: { PATH: "/nowhere", XDG_CACHE_HOME: "/proc/x", HOME: folder.path },
      withinMs: 20_000,
    });
    assert.deepEqual(exit, { kind: "exited", code: 1 }, output);
    assert.match(output, /Envoy cannot be kept in \/proc\/x.*XDG_CACHE_HOME/);
  });
});

test("outrider version names its commit and the Envoy that it would run", async () => {
  const env = { ENVOY_PATH: await testEnvoy() };
  const one = await runOutrider({ args: ["version"], env, withinMs: 20_000 });
  assert.match(
    one.output,
    /^outrider \d+\.\d+\.\d+ \((commit [0-9a-f]{12}, )?Node\.js v\S+, linux\/\w+\)\nEnvoy 1\.\d+\.\d+ \(\//,
  );
  const { output } = await runOutrider({ args: ["version", "-o", "json"], env, withinMs: 20_000 });
  const { clientVersion } = JSON.parse(output) as { clientVersion: { envoy: { path: string } } };
  assert.equal(clientVersion.envoy.path, env.ENVOY_PATH);
});

describe("what ends a command with a log", () => {
  for (const [why, args, env, code, expected] of [
    [
      "a configuration with several mistakes",
      ["proxy", "--log_as_json"],
      { POD_NAME: "web-1", PROXY_CONFIG: "{statusPort: x, drainDuration: y}" },
      64,
      ["outrider cannot run with this configuration", "outrider cannot run with this configuration"],
    ],
    [
      "a wrong command line",
      ["discovery", "--log_as_json", "--httpPort=x"],
      {},
      64,
      ["the command line is wrong"],
    ],
    [
      "a folder that cannot be used",
      ["discovery", "--log_as_json", "--stateDir", "/proc/x"],
      {},
      64,
      ["outrider cannot run the control plane"],
    ],
  ] as const) {
    test(`is a line of JSON for each reason, and of text otherwise: ${why}`, async () => {
      using folder = temporaryFolder();
      const call = { cwd: folder.path, env: { ENVOY_PATH: await testEnvoy(), ...env }, withinMs: 20_000 };
      const { exit, output } = await runOutrider({ ...call, args });
      assert.deepEqual(exit, { kind: "exited", code }, output);
      const lines = output.split("\n").map((line) => JSON.parse(line) as Readonly<Record<string, string>>);
      assert.deepEqual(
        lines.map(({ msg }) => msg),
        expected,
      );
      for (const { level, time, reason } of lines) {
        assert.equal(level, "fatal");
        assert.match(time ?? "", /^20\S+Z$/);
        assert.ok((reason ?? "") !== "");
      }
      const file = join(folder.path, "agent.log");
      const inText = args.map((word) => (word === "--log_as_json" ? `--log_target=${file}` : word));
      const text = await runOutrider({ ...call, args: inText });
      assert.deepEqual(text.exit, { kind: "exited", code }, text.output);
      if (expected[0] === "the command line is wrong") return;
      for (const line of text.output.split("\n")) assert.match(line, /^20\S+Z\tfatal\toutrider cannot run/);
      assert.deepEqual(readFileSync(file, "utf8").trimEnd(), text.output, "the log's file has them too");
    });
  }
});

test("outrider token prints a token with what was asked for, and tells every mistake at once", async () => {
  using folder = temporaryFolder();
  const issuer = await openTokenIssuer(folder.path);
  const call = (...args: readonly string[]): ReturnType<typeof runOutrider> =>
    runOutrider({ args: ["token", "--stateDir", folder.path, ...args], withinMs: 20_000 });
  const { exit, output } = await call("--namespace", "demo", "--serviceAccount", "web", "--lifetime", "10m");
  assert.deepEqual(exit, { kind: "exited", code: 0 }, output);
  const { payload } = await jwtVerify(output, createLocalJWKSet(issuer.jwks), { audience: "istio-ca" });
  assert.equal(payload.sub, "system:serviceaccount:demo:web");
  assert.equal((payload.exp ?? 0) - (payload.iat ?? 0), 600);

  const wrong = await call("--lifetime", "soon", "--output", join(folder.path, "nowhere/token"));
  assert.deepEqual(wrong.exit, { kind: "exited", code: 64 }, wrong.output);
  assert.match(wrong.output, /^--lifetime: "soon" is not a duration/);
  const name = await call("--namespace", "Not_A_Name");
  assert.deepEqual(name.exit, { kind: "exited", code: 64 }, name.output);
  assert.match(name.output, /^no token: Not_A_Name is no name of a namespace$/);
});
