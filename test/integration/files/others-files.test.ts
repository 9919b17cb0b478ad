import assert from "node:assert/strict";
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import { writeArchive } from "../../../src/beside/bundle/archive.ts";
import { openTokenIssuer } from "../../../src/controlplane/demo-tokens.ts";
import { openSelfSignedCa } from "../../../src/controlplane/ca/material.ts";
import { FlightRecorder } from "../../../src/envoy/exits/flight-recorder.ts";
import { loadOwnFile, storeOwnFile } from "../../../src/files/own-handle.ts";
import { writeTerminationLog } from "../../../src/files/termination-log.ts";
import { LogTarget, LogTargetError } from "../../../src/telemetry/log-target.ts";
import { ModuleStore } from "../../../src/wasm/store/module-store.ts";
import { RefusalFile } from "../../../src/xdsproxy/refusals/refusal-file.ts";
import { hasRoot } from "../../support/privilege.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { testLog } from "../../support/test-log.ts";

const someoneElse = 12_345;

/** A folder as another user may have prepared it: open to all, with links to a victim at names that can be foreseen. */
function hostileFolder(names: readonly string[] = []) {
  const folder = temporaryFolder();
  const at = (name: string): string => join(folder.path, name);
  writeFileSync(at("victim"), "untouched");
  mkdirSync(at("open"));
  chmodSync(at("open"), 0o777);
  for (const name of names) {
    mkdirSync(dirname(at(name)), { recursive: true });
    symlinkSync(at("victim"), at(name));
  }
  return {
    at,
    assertUntouched: () => {
      assert.equal(readFileSync(at("victim"), "utf8"), "untouched");
    },
    [Symbol.dispose]: () => {
      folder[Symbol.dispose]();
    },
  };
}

describe("files of others", () => {
  test("a state folder that exists is left as it is, and one that others may write is refused", async () => {
    using folder = hostileFolder();
    mkdirSync(folder.at("state"), { mode: 0o755 });
    chmodSync(folder.at("state"), 0o755);
    const openers = [openTokenIssuer, (path: string) => openSelfSignedCa(path, "cluster.local")] as const;
    for (const open of openers) {
      await open(folder.at("state"));
      assert.equal(statSync(folder.at("state")).mode & 0o7777, 0o755);
      await open(folder.at("new"));
      assert.equal(statSync(folder.at("new")).mode & 0o7777, 0o700);
      await assert.rejects(async () => open(folder.at("open")), /everybody may write it \(mode 0777\)/);
      assert.equal(statSync(folder.at("open")).mode & 0o7777, 0o777);
    }
    for (const name of ["token-key.json", "ca-key.pem"])
      assert.equal(statSync(join(folder.at("state"), name)).mode & 0o777, 0o600);
  });

  test("an archive goes into nothing that was laid at its names", async () => {
    using folder = hostileFolder(["open/a.tar.gz", "open/a.tar.gz.tmp"]);
    await writeArchive(
      folder.at("open/a.tar.gz"),
      "a",
      [{ name: "x", content: Buffer.from("y") }],
      new Date(),
    );
    folder.assertUntouched();
    const { mode, uid } = lstatSync(folder.at("open/a.tar.gz"));
    assert.deepEqual([mode, uid], [0o100600, process.geteuid?.()]);
  });

  test("a log and a termination log follow no link where others may lay one", () => {
    using folder = hostileFolder(["open/log", "open/termination"]);
    assert.throws(() => new LogTarget([folder.at("open/log")]), LogTargetError);
    assert.match(writeTerminationLog(folder.at("open/termination"), ["why"]) ?? "", /ELOOP|symbolic/);
    folder.assertUntouched();
    // A link of an operator's own, in a folder of theirs.
    mkdirSync(folder.at("own"), { mode: 0o755 });
    symlinkSync(folder.at("open"), folder.at("own/folder"));
    symlinkSync("/dev/null", folder.at("own/log"));
    new LogTarget([folder.at("own/log")]).write("line\n");
  });

  test("the flight recorder writes into no folder of others, and says so", async () => {
    using folder = hostileFolder();
    const { log, lines } = testLog();
    {
      await using recorder = new FlightRecorder({ folder: folder.at("open"), log });
      const facts = { number: 1, pid: 1, startedAt: new Date(), binary: "envoy", args: [], bootstrap: "{}" };
      recorder.started(facts);
    }
    assert.match(lines.join("\n"), /cannot write.*everybody may write it/);
  });

  test("what Envoy refuses is written to, and removed from, no folder that a link leads to", () => {
    using folder = hostileFolder();
    mkdirSync(folder.at("elsewhere"), { mode: 0o700 });
    writeFileSync(folder.at("elsewhere/refused.json"), "theirs");
    symlinkSync(folder.at("elsewhere"), folder.at("xds-cache"));
    const file = new RefusalFile(folder.at("xds-cache"), "web");
    const refusal = { typeUrl: "t", name: "n", reason: "r", since: new Date(), isKept: true } as const;
    for (const standing of [[{ ...refusal, serves: "last accepted", wasAccepted: true } as const], []])
      assert.throws(() => file.write(standing), { name: "FolderNotOursError" });
    assert.equal(readFileSync(folder.at("elsewhere/refused.json"), "utf8"), "theirs");
    assert.deepEqual(file.read(), []);
  });

  test("modules and their index that others may have laid are not used", async (t) => {
    if (!hasRoot(t)) return;
    using folder = hostileFolder();
    mkdirSync(folder.at("store"));
    const index = folder.at("store/wasm-modules.json");
    const path = `${"a".repeat(64)}/${"b".repeat(64)}.wasm`;
    writeFileSync(index, JSON.stringify({ version: 1, modules: { [path]: "c".repeat(64) }, pulled: {} }));
    chownSync(index, someoneElse, someoneElse);
    const store = await ModuleStore.open(folder.at("store"), () => undefined);
    assert.equal(store.entries, 0);
    const open = await ModuleStore.open(folder.at("open"), () => undefined);
    assert.throws(() => open.incoming(), /everybody may write it/);
  });

  test("a large file of one's own is taken only when it is that", async (t) => {
    if (!hasRoot(t)) return;
    using folder = hostileFolder(["link"]);
    const path = folder.at("state");
    await storeOwnFile(path, (file) => file.writeFile("content"));
    assert.equal(String(await loadOwnFile(path, 7)), "content");
    await assert.rejects(loadOwnFile(path, 6), { code: "TOO_LARGE" });
    await assert.rejects(loadOwnFile(folder.at("link"), 100), { code: "ELOOP" });
    chmodSync(path, 0o622);
    await assert.rejects(loadOwnFile(path, 7), { code: "NOT_OURS" });
    await assert.rejects(loadOwnFile("/dev/zero", 7), { code: "NOT_REGULAR" });
  });
});
