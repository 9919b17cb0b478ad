import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { writeTerminationLog } from "../../../src/files/termination-log.ts";
import { runOutrider } from "../../support/outrider.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

test("a file that was named is written, whatever it held", () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "log");
  assert.equal(writeTerminationLog(path, ["a longer line"]), undefined);
  assert.equal(writeTerminationLog(path, ["short"]), undefined);
  assert.equal(readFileSync(path, "utf8"), "short\n");
});

test("a file that cannot be written is told, an empty name is not", () => {
  assert.match(
    writeTerminationLog("/no/such/folder/log", ["x"]) ?? "",
    /^\/no\/such\/folder\/log cannot be written: /,
  );
  assert.equal(writeTerminationLog("", ["x"]), undefined);
  assert.equal(writeTerminationLog("off", ["x"]), undefined);
  assert.ok(!existsSync("off"));
});

test("the agent writes what keeps it from running", async () => {
  using folder = temporaryFolder();
  const { exit } = await runOutrider({
    args: ["proxy", "sidecar", "--terminationLog", "why"],
    cwd: folder.path,
    env: { PROXY_CONFIG: "{proxyAdminPort: not-a-port}" },
    withinMs: 10_000,
  });
  assert.deepEqual(exit, { kind: "exited", code: 64 });
  const text = readFileSync(join(folder.path, "why"), "utf8");
  assert.match(text, /^outrider cannot run with this configuration:\n.*proxyAdminPort/);
});
