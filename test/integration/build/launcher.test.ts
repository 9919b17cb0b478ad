import assert from "node:assert/strict";
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { launcher } from "../../../src/build/release/launcher.ts";
import { nodeFlags } from "../../../src/build/release/node-flags.ts";
import { spawnChild } from "../../../src/process/child.ts";
import { hiddenVariables } from "../../../src/process/own-environment.ts";
import { hasRoot } from "../../support/privilege.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const ownEnvironment = join(import.meta.dirname, "../../../src/process/own-environment.ts");

/** In the place of the release's own: says what it was started with, and what a child of it gets. */
const probe = `
const { spawnSync } = require("node:child_process");
const { originalEnvironment } = require(${JSON.stringify(ownEnvironment)});
const child = spawnSync("env", ["-0"], { env: originalEnvironment(process.env), encoding: "utf8" });
console.log(JSON.stringify({
  flags: process.execArgv, words: process.argv.slice(2), script: __filename, pid: process.pid,
  sees: Object.keys(process.env), arenas: process.env.MALLOC_ARENA_MAX, child: child.stdout,
}));
`;

interface Seen {
  readonly flags: readonly string[];
  readonly words: readonly string[];
  readonly script: string;
  readonly pid: number;
  /** Names of variables as Node.js has them. */
  readonly sees: readonly string[];
  readonly arenas: string;
  /** The environment of a child, each variable ended by a zero. */
  readonly child: string;
}

function makeRelease(folder: string): string {
  for (const name of ["bin", "lib"]) mkdirSync(join(folder, name), { recursive: true });
  writeFileSync(join(folder, "bin/outrider"), launcher(process.arch, "outrider"));
  chmodSync(join(folder, "bin/outrider"), 0o755);
  symlinkSync(process.execPath, join(folder, "lib/node"));
  writeFileSync(join(folder, "lib/outrider.cjs"), probe);
  return join(folder, "bin/outrider");
}

interface Run {
  readonly file: string;
  readonly args?: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

async function run({ file, args = [], cwd = "/", env = {} }: Run) {
  const lines: string[] = [];
  const child = spawnChild({
    file,
    args,
    cwd,
    env: { PATH: process.env["PATH"], ...env },
    stdout: (line) => lines.push(line),
    stderr: (line) => lines.push(line),
  });
  const exit = await child.exited;
  await child.closed;
  return { exit, output: lines.join("\n"), pid: child.pid };
}

async function seen(how: Run): Promise<Seen & { readonly startedAs: number | undefined }> {
  const { exit, output, pid } = await run(how);
  assert.deepEqual(exit, { kind: "exited", code: 0 }, output);
  return { ...(JSON.parse(output) as Seen), startedAs: pid };
}

describe("the release's launcher", () => {
  test("becomes Node.js with the release's flags, and children get the environment as it was", async () => {
    using folder = temporaryFolder();
    const file = makeRelease(folder.path);
    const env = {
      "spring.datasource.url": "jdbc:x",
      "XDS_HEADER_X-Foo": "one two",
      "with space": "a=b=c",
      "line\nbreak": "line\nbreak",
      EMPTY: "",
      ünï: "✓",
      OUTRIDER: "x",
      LONG: "x".repeat(100_000),
      ...Object.fromEntries(hiddenVariables.map((name) => [name, `--${name}`])),
      NODE_NAME: "a machine",
    };
    const args = ["proxy", "", "--flag=with space", "*", "'\""];
    const found = await seen({ file, args, env });
    assert.deepEqual(found.flags, nodeFlags);
    assert.deepEqual(found.words, args);
    assert.equal(found.pid, found.startedAs);
    const expected = Object.entries({ PATH: process.env["PATH"], ...env }).map(
      ([name, value]) => `${name}=${value}`,
    );
    assert.deepEqual(found.child.split("\0").slice(0, -1).toSorted(), expected.toSorted());
    assert.deepEqual(
      hiddenVariables.filter((name) => found.sees.includes(name)),
      [],
    );
    assert.equal(found.arenas, "1");
  });

  test("leaves a setting of the allocator that is there, for itself and for children", async () => {
    using folder = temporaryFolder();
    const found = await seen({ file: makeRelease(folder.path), env: { MALLOC_ARENA_MAX: "7" } });
    assert.equal(found.arenas, "7");
    assert.match(found.child, /(?:^|\0)MALLOC_ARENA_MAX=7\0/);
    assert.doesNotMatch(found.child, /MALLOC_MMAP_THRESHOLD_|OUTRIDER_LAUNCHED/);
  });

  test("finds its release from wherever it is called, after a move and through links", async () => {
    using folder = temporaryFolder();
    makeRelease(join(folder.path, "before"));
    const release = join(folder.path, "a release");
    renameSync(join(folder.path, "before"), release);
    const file = join(release, "bin/outrider");
    symlinkSync("a release/bin/outrider", join(folder.path, "link"));
    symlinkSync(join(folder.path, "link"), join(folder.path, "link-to-link"));
    const script = join(release, "lib/outrider.cjs");
    for (const how of [
      { file },
      { file: "./outrider", cwd: join(release, "bin") },
      { file: "bin/outrider", cwd: release },
      { file: "../bin/outrider", cwd: join(release, "lib") },
      { file: join(folder.path, "link-to-link") },
      { file: "env", args: ["outrider"], env: { PATH: `${join(release, "bin")}:${process.env["PATH"]}` } },
    ]) {
      assert.equal((await seen(how)).script, script, how.file);
    }
  });

  test("finds it without /proc too", async (t) => {
    if (!hasRoot(t)) return;
    using folder = temporaryFolder();
    const file = makeRelease(folder.path);
    writeFileSync(join(folder.path, "lib/outrider.cjs"), "console.log(__filename)");
    for (const [cwd, name] of [
      ["/", file],
      [folder.path, "bin/outrider"],
      [join(folder.path, "bin"), "./outrider"],
    ] as const) {
      const script = `mount -t tmpfs tmpfs /proc && cd '${cwd}' && exec '${name}'`;
      const { output } = await run({ file: "unshare", args: ["--mount", "sh", "-c", script] });
      assert.match(output, /lib\/outrider\.cjs$/);
    }
  });

  test("says what it cannot run", async () => {
    using folder = temporaryFolder();
    const file = makeRelease(folder.path);
    rmSync(join(folder.path, "lib/node"));
    const { exit, output } = await run({ file });
    assert.deepEqual(exit, { kind: "exited", code: 126 });
    assert.match(output, /^outrider cannot be started: .*\/lib\/node$/);
    assert.ok(readFileSync(file).length < 10_000);
  });
});
