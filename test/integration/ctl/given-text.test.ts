/** Text from a FIFO, whose writer is slow, or never ends. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { appendFileSync, closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { readGivenText } from "../../../src/ctl/given-text.ts";
import { runCtl } from "../../support/outriderctl.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const signal = new AbortController().signal;

test("a FIFO is read to its end, up to a bound, and no longer than until a request to stop", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "fifo");
  execFileSync("mkfifo", [path]);
  // Keeps the FIFO open for writing.
  const writer = openSync(path, "r+");
  const stop = new AbortController();
  const stalled = readGivenText(path, { maxBytes: 10, signal: stop.signal });
  stop.abort();
  await assert.rejects(stalled, /stopped before its end came/);
  appendFileSync(path, "longer than it");
  await assert.rejects(readGivenText(path, { maxBytes: 10, signal }), /has more than 10 bytes/);
  const read = readGivenText(path, { maxBytes: 10, signal });
  appendFileSync(path, "all");
  closeSync(writer);
  assert.equal(await read, "all");
});

test("what is asked without a mesh does not answer, and the release of outriderctl is told all the same", async () => {
  const { code, lines, errors } = await runCtl("version");
  assert.equal(code, 1);
  assert.match(lines.join(), /^client version: /);
  assert.match(errors.join(), /no control plane of this user runs here/);
  assert.equal((await runCtl("pc", "cluster")).code, 1);
});

test("a control plane that is not there is told from one that refuses who asks", async () => {
  const { code, errors } = await runCtl("ps", "--xds-address", "127.0.0.1:1", "--plaintext");
  assert.equal(code, 1);
  assert.match(errors.join(), /--xds-address/);
  assert.doesNotMatch(errors.join(), /identity/);
});

test("a flag that could not have an effect is refused", async () => {
  for (const [words, problem] of [
    [["pc", "route", "web-1", "--fqdn", "api"], "--fqdn is for cluster, not for route"],
    [["pc", "all", "web-1", "--level=info"], "--level is for log, not for all"],
    [
      ["ps", "--file", "dump.json"],
      "--file: name the proxy too whose configuration is to be compared with it",
    ],
  ] as const)
    assert.deepEqual(await runCtl(...words), { code: 64, lines: [], errors: [problem] });
});

test("explain refuses the TLS of an application, of which it could say nothing", async () => {
  const { code, errors } = await runCtl("explain", "web-1", "https://api.demo/");
  assert.equal(code, 64);
  assert.match(errors.join(), /^https: /);
});
