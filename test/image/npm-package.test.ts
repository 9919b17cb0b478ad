/** The release that `npm run image` or `npm run build` has left in dist/, as a package of npm. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "../support/temporary-folder.ts";

const release = join(import.meta.dirname, "../../dist");

// npm packs 130 MB: longer than the runner allows one test where others work too.
const options = { timeout: 600_000 };

test(
  "what `npm pack` makes of the release installs into an empty folder, offline, and passes the demo's checks",
  options,
  () => {
    assert.ok(existsSync(join(release, "package.json")), "there is no release: run `npm run build` first");
    using folder = temporaryFolder();
    const empty = join(folder.path, "empty");
    mkdirSync(empty);
    const run = (cwd: string, file: string, ...args: readonly string[]): string =>
      execFileSync(file, args, {
        cwd,
        encoding: "utf8",
        stdio: ["ignore", "pipe", "pipe"],
        timeout: 300_000,
      });
    const archive = run(release, "npm", "pack", "--silent", "--pack-destination", folder.path).trim();
    run(empty, "npm", "install", "--offline", "--no-audit", join(folder.path, archive));
    assert.match(run(empty, "node_modules/.bin/outrider", "up", "--once"), /^every check passed$/m);
    assert.match(run(empty, "node_modules/.bin/outriderctl", "version", "--remote=false"), /\d+\.\d+\.\d+/);
  },
);
