/** Several control planes of one state folder. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { promisify } from "node:util";
import { CaMaterialError } from "../../../src/controlplane/ca/check-material.ts";
import { openSelfSignedCa } from "../../../src/controlplane/ca/material.ts";
import { openTokenIssuer } from "../../../src/controlplane/demo-tokens.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const main = join(import.meta.dirname, "../../support/shared-state-main.ts");
const rounds = 10;

const open = async (stateDir: string): Promise<string> =>
  (await (await openSelfSignedCa(stateDir, "cluster.local")).read()).rootPem;

describe("control planes that start at once in an empty folder", () => {
  test("have one root and one token key, in processes of their own", async () => {
    using folder = temporaryFolder();
    const run = async (own: string, other: string): Promise<readonly string[]> => {
      const args = [main, folder.path, own, other, String(rounds)];
      const { stdout } = await promisify(execFile)(process.execPath, args);
      return stdout.trim().split("\n");
    };
    const [first, second] = await Promise.all([run("a", "b"), run("b", "a")]);
    assert.equal(first.length, rounds);
    assert.deepEqual(second, first);
    assert.deepEqual(readdirSync(join(folder.path, "state-0")).toSorted(), [
      "ca-cert.pem",
      "ca-key.pem",
      "token-key.json",
    ]);
  });

  test("have them however many there are", async () => {
    using folder = temporaryFolder();
    const stateDir = join(folder.path, "state");
    const roots = await Promise.all(Array.from({ length: 8 }, () => open(stateDir)));
    assert.equal(new Set(roots).size, 1);
    const issuers = await Promise.all(Array.from({ length: 8 }, () => openTokenIssuer(join(stateDir, "t"))));
    assert.equal(new Set(issuers.map(({ jwks }) => JSON.stringify(jwks))).size, 1);
  });
});

describe("a state folder with half of a root", () => {
  test("gets a certificate for its key, as after a start that was cut short", async () => {
    using folder = temporaryFolder();
    await open(folder.path);
    rmSync(join(folder.path, "ca-cert.pem"));
    assert.equal(await open(folder.path), await open(folder.path));
  });

  test("without the key, or with one that cannot be read, is refused: a new root would be trusted by nobody", async () => {
    using folder = temporaryFolder();
    await open(folder.path);
    rmSync(join(folder.path, "ca-key.pem"));
    await assert.rejects(open(folder.path), {
      name: CaMaterialError.name,
      message: /remove ca-key\.pem and/,
    });
    rmSync(join(folder.path, "ca-cert.pem"));
    writeFileSync(join(folder.path, "ca-key.pem"), "half");
    await assert.rejects(open(folder.path), { message: /ca-key\.pem: holds no private key in PEM/ });
  });
});
