/** Envoy itself accepts every golden bootstrap. A few Envoys at once: each takes a tenth of a second. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { before, describe, test } from "node:test";
import { behaviours } from "../../support/bootstrap-behaviours.ts";
import { testEnvoy } from "../../support/envoy.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const golden = join(import.meta.dirname, "../../golden/bootstrap");

/** An extension that Istio's Envoy has and Envoy's own releases lack. */
const istiosOwn = "metadata_discovery";

interface Verdict {
  readonly isValid: boolean;
  readonly output: string;
}

function validate(envoy: string, path: string, cwd: string): Promise<Verdict> {
  const args = ["--mode", "validate", "-c", path, "--allow-unknown-static-fields", "-l", "error"];
  return new Promise((resolve) => {
    execFile(envoy, args, { cwd, timeout: 60_000 }, (error, stdout, stderr) => {
      resolve({ isValid: error === null, output: `${stdout}${stderr}` });
    });
  });
}

/** The bootstrap without Istio's own extension. */
function withoutIstios(text: string): string {
  const bootstrap = JSON.parse(text) as { bootstrap_extensions?: { name: string }[] };
  const extensions = bootstrap.bootstrap_extensions?.filter(({ name }) => name !== istiosOwn);
  return JSON.stringify({ ...bootstrap, ...(extensions && { bootstrap_extensions: extensions }) });
}

describe("envoy --mode validate", () => {
  const names = readdirSync(golden);
  const verdicts = new Map<string, Verdict>();
  const refusals = new Map<string, Verdict>();

  before(async () => {
    using folder = temporaryFolder();
    const envoy = await testEnvoy();
    // Sockets of a bootstrap are relative to the working directory.
    mkdirSync(join(folder.path, "etc/istio/proxy/generations/1"), { recursive: true });
    const waiting = [...names];
    await Promise.all(
      [1, 2, 3].map(async () => {
        for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
          const text = readFileSync(join(golden, name), "utf8");
          const path = join(folder.path, name);
          writeFileSync(path, withoutIstios(text));
          verdicts.set(name, await validate(envoy, path, folder.path));
          if (text.includes(istiosOwn)) {
            refusals.set(name, await validate(envoy, join(golden, name), folder.path));
          }
        }
      }),
    );
  });

  test("has a golden file for each behaviour and for nothing else", () => {
    assert.deepEqual(
      names.map((name) => basename(name, ".json")).toSorted(),
      Object.keys(behaviours).toSorted(),
    );
  });

  for (const name of names) {
    test(`accepts ${basename(name, ".json")}`, () => {
      const verdict = verdicts.get(name);
      assert.ok(verdict?.isValid, verdict?.output);
    });
  }

  test("lacks nothing of peer discovery but Istio's extension", () => {
    assert.ok(refusals.size > 0);
    for (const [name, { isValid, output }] of refusals) {
      assert.ok(isValid || output.includes("istio.workload.BootstrapExtension"), `${name}: ${output}`);
    }
  });
});
