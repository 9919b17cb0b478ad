/** What a walk through a folder refuses, each with what to do. The folder's other mishaps are in `file-source.test.ts`. */
import assert from "node:assert/strict";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { walkFolder } from "../../../../src/controlplane/registry/file/walk-folder.ts";
import { atOnce } from "../../../../src/lifecycle/in-turns.ts";
import { temporaryFolder } from "../../../support/temporary-folder.ts";

function walked(prepare: (folder: string) => void) {
  using folder = temporaryFolder();
  prepare(folder.path);
  const { files, problems } = atOnce(walkFolder(folder.path));
  const relative = (path: string): string => path.slice(folder.path.length + 1);
  return {
    files: files.map(({ path }) => relative(path)),
    problems: problems.map(({ source, line, path, message }) => [relative(source), line, path, message]),
  };
}

test("YAML files by any of its two endings, in the order of their paths", () => {
  const { files, problems } = walked((folder) => {
    mkdirSync(join(folder, "b"));
    for (const name of ["b/a.yaml", "c.yml", "a.yaml", "d.json", "e.yaml.orig", ".f.yaml"])
      writeFileSync(join(folder, name), "");
  });
  assert.deepEqual(files, ["a.yaml", "b/a.yaml", "c.yml"]);
  assert.deepEqual(problems, []);
});

test("a folder too deep is told, and what lies above it is read", () => {
  const { files, problems } = walked((folder) => {
    const deep = join(folder, ...Array.from({ length: 17 }, () => "a"));
    mkdirSync(deep, { recursive: true });
    for (const path of [join(deep, "lost.yaml"), join(deep, "../found.yaml")]) writeFileSync(path, "");
  });
  assert.deepEqual(files, [`${"a/".repeat(16)}found.yaml`]);
  assert.deepEqual(problems, [[`${"a/".repeat(16)}a`, 0, "", "lies more than 16 folders deep. Move it up"]]);
});

test("too many files are told, once each, and as many as may be are read", () => {
  const { files, problems } = walked((folder) => {
    for (let index = 0; index < 20_002; index += 1) writeFileSync(join(folder, `${index}.yaml`), "");
  });
  assert.equal(files.length, 20_000);
  assert.equal(problems.length, 2);
  for (const [, , , message] of problems)
    assert.equal(message, "is one of more than 20000 files. Put several objects into one file");
});

test("of very many problems a hundred are told", () => {
  const { problems } = walked((folder) => {
    for (let index = 0; index < 200; index += 1) symlinkSync("/nowhere", join(folder, `${index}.yaml`));
  });
  assert.equal(problems.length, 100);
  assert.match(String(problems[0]?.[3]), /^cannot be read: ENOENT.*\. Mend or remove it$/);
});
