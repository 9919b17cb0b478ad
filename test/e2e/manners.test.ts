import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { describe, test } from "node:test";
import { testEnvoy } from "../support/envoy.ts";
import { runOutrider } from "../support/outrider.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

describe("a call that cannot work", () => {
  // procfs answers ENOENT to mkdir, which makes Node's recursive mkdir try for ever.
  for (const [args, env, expected] of [
    [["up", "--stateDir", "/proc/x"], {}, /^--stateDir: .*'\/proc\/x': name a folder/m],
    [["up", "--configDir", "/nowhere"], {}, /^--configDir: .*\/nowhere.*: name a folder/m],
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
