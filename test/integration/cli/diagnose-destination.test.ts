import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { closeSync, openSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { describe, test } from "node:test";
import { destinationOf, writeTo, type Written } from "../../../src/beside/bundle/write.ts";
import { hasRoot } from "../../support/privilege.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const files = [{ name: "MANIFEST", content: Buffer.from("all") }];

function write(path: string): Promise<Written> {
  return writeTo(destinationOf(path, "d", "."), "d", files, new Date(0));
}

const gzipMagic = [0x1f, 0x8b];

const script = `
  const { destinationOf, writeTo } = await import(process.argv[1]);
  const uid = Number(process.argv[2]);
  if (uid !== 0) process.setuid(uid);
  const files = [{ name: "MANIFEST", content: Buffer.from("all") }];
  const written = await writeTo(destinationOf("-", "d", "."), "d", files, new Date(0));
  process.stderr.write(JSON.stringify(written));
`;
const writeModule = join(import.meta.dirname, "../../../src/beside/bundle/write.ts");

/** By a process of its own. @param uid of whom; 0 is whoever runs the test */
function writeToStandardOutput(output: number | "pipe", uid: number): Written {
  const own = [process.execPath, "--input-type=module", "-e", script, writeModule, String(uid)];
  // A pipe of Node.js' own would be a socket.
  const [file = "", ...args] = output === "pipe" ? ["sh", "-c", '"$@" | cat > /dev/null', "sh", ...own] : own;
  const { stderr } = spawnSync(file, args, {
    stdio: ["ignore", output === "pipe" ? "ignore" : output, "pipe"],
    encoding: "utf8",
  });
  return JSON.parse(stderr) as Written;
}

describe("the archive of a diagnosis", () => {
  for (const [what, path, words] of [
    ["a folder that is not there", "none/out.tar.gz", /ENOENT.*name a file in a folder that is there/],
    ["a file in the place of a folder", "file/out.tar.gz", /ENOTDIR.*name a file in a folder that is there/],
    ["a folder in its own place", "folder", /(?:EISDIR|ENOTEMPTY).*name a(?:nother)? file/],
  ] as const) {
    test(`for ${what}: one line with what to do, and nothing is left`, async () => {
      using folder = temporaryFolder();
      writeFileSync(join(folder.path, "file"), "");
      const target = path === "folder" ? folder.path : join(folder.path, path);
      const written = await write(target);
      assert.equal(written.kind, "failed");
      assert.match(written.kind === "failed" ? written.words : "", words);
      assert.doesNotMatch(written.kind === "failed" ? written.words : "", /\n/);
      assert.deepEqual(readdirSync(folder.path), ["file"]);
    });
  }

  test("of many files fails as one of few: once, for whoever asked", async () => {
    const many = Array.from({ length: 30 }, (_, index) => ({
      name: `${index}.txt`,
      content: Buffer.alloc(100_000, "words "),
    }));
    for (const paths of [["/none/d.tar.gz"], ["/dev/full"]]) {
      const written = await writeTo({ paths, isNamed: true }, "d", many, new Date(0));
      assert.match(written.kind === "failed" ? written.words : "", /^the diagnosis cannot be written to /);
    }
  });

  test("on a full disk says so, and leaves the device what it is", async () => {
    const written = await write("/dev/full");
    assert.match(written.kind === "failed" ? written.words : "", /ENOSPC.*the disk is full/);
    assert.ok(statSync("/dev/full").isCharacterDevice());
  });

  test("goes to the next folder where the first does not take it", async () => {
    using folder = temporaryFolder();
    const last = join(folder.path, "d.tar.gz");
    const destination = { paths: ["/dev/full", last], isNamed: false };
    assert.deepEqual(await writeTo(destination, "d", files, new Date(0)), { kind: "written", path: last });
    assert.equal(statSync(last).mode & 0o777, 0o600);
  });

  test("that is named nowhere is a new file of the system's temporary folder, else of the agent's", () => {
    const places = (): readonly string[] => destinationOf(undefined, "d", "/agent").paths;
    const [first = "", last = ""] = places();
    assert.deepEqual([dirname(first), dirname(last)], [tmpdir(), "/agent"]);
    assert.match(basename(first), /^d-[0-9a-f]{12}\.tar\.gz$/);
    assert.notEqual(places()[0], first, "its name can be guessed");
  });

  test("goes behind what standard output holds already", () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "kept");
    for (const flags of ["a", "r+"]) {
      writeFileSync(path, "precious");
      const file = openSync(path, flags);
      // As a shell has left it, after a first command.
      if (flags === "r+")
        execFileSync("sh", ["-c", "printf precious"], { stdio: ["ignore", file, "inherit"] });
      const written = writeToStandardOutput(file, 0);
      closeSync(file);
      assert.deepEqual(written, { kind: "written", path: "-" });
      const content = readFileSync(path);
      assert.equal(content.subarray(0, 8).toString(), "precious");
      assert.deepEqual([...content.subarray(8, 10)], gzipMagic);
    }
  });

  test("goes into a pipe that another user has made", (t) => {
    if (!hasRoot(t)) return;
    assert.deepEqual(writeToStandardOutput("pipe", 65_534), { kind: "written", path: "-" });
  });

  test("names the reader's end of the pipe where that is what is wrong, and nothing else", () => {
    const full = openSync("/dev/full", "w");
    const written = writeToStandardOutput(full, 0);
    closeSync(full);
    assert.match(written.kind === "failed" ? written.words : "", /standard output: ENOSPC.*name a file/);
    assert.doesNotMatch(written.kind === "failed" ? written.words : "", /pipe/);
  });
});
