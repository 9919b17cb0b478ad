import assert from "node:assert/strict";
import { existsSync, globSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, test } from "node:test";
import { commands } from "../../src/cli/commands.ts";
import { commands as operators } from "../../src/ctl/commands.ts";

const root = join(import.meta.dirname, "../..");

/** Every page, relative to the repository. */
const pages = ["*.md", "{src,test,docker}/**/*.md"]
  .flatMap((pattern) => globSync(pattern, { cwd: root }))
  .toSorted();

function read(page: string): string {
  return readFileSync(join(root, page), "utf8");
}

/** A page without what is between fences. */
function prose(text: string): string {
  return text.replaceAll(/^```[^\n]*\n.*?^```$/gms, "");
}

/** What a heading is linked by, as GitHub makes it. */
function anchors(text: string): ReadonlySet<string> {
  const titles = [...prose(text).matchAll(/^#+ (.+)$/gm)].map(([, title = ""]) => title);
  return new Set(
    titles.map((title) =>
      title
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
        .replaceAll(" ", "-"),
    ),
  );
}

/** Links of a page that lead nowhere. */
function deadLinks(page: string, text: string): readonly string[] {
  const links = [...prose(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = ""]) => link);
  return links
    .filter((link) => !/^https?:/.test(link))
    .filter((link) => {
      const [path = "", anchor] = link.split("#");
      const target = path === "" ? page : join(dirname(page), path);
      if (relative(root, join(root, target)).startsWith("..") || !existsSync(join(root, target))) return true;
      return anchor !== undefined && !(target.endsWith(".md") && anchors(read(target)).has(anchor));
    });
}

/** Lines of tables that are padded: a longer cell would then change every line. */
function paddedLines(text: string): readonly string[] {
  return prose(text)
    .split("\n")
    .filter((line) => line.startsWith("|") && (/[^|\s] {2,}\|/.test(line) || /-{4}/.test(line)));
}

/** Scripts and commands that a page names and that there are not. */
function unknownCommands(text: string): readonly string[] {
  const { scripts } = JSON.parse(read("package.json")) as { readonly scripts: Record<string, string> };
  const code = [...text.matchAll(/`[^`\n]+`|^```[^\n]*\n.*?^```$/gms)].map(([found]) => found).join("\n");
  const missing = (pattern: RegExp, known: (name: string) => boolean): readonly string[] =>
    [...code.matchAll(pattern)].filter(([, name = ""]) => !known(name)).map(([found]) => found);
  return [
    ...missing(/\bnpm run ([\w:]+)/g, (name) => scripts[name] !== undefined),
    ...missing(/(?<=[`\n])outrider ([a-z][a-z-]*)/g, (name) =>
      commands.some((command) => command.name === name),
    ),
    ...missing(/(?<=[`\n])outriderctl ([a-z][a-z-]*)/g, (name) =>
      operators.some((command) => command.name === name),
    ),
  ];
}

describe("pages", () => {
  test("were found", () => {
    assert.ok(pages.length > 30, pages.join());
  });

  for (const page of pages) {
    test(`${page}: links lead somewhere, tables are compact, commands are there`, () => {
      const text = read(page);
      assert.deepEqual(deadLinks(page, text), []);
      assert.deepEqual(paddedLines(text), []);
      assert.deepEqual(unknownCommands(text), []);
    });
  }

  test("README.md has 20 KB at most, and begins with the two commands that matter", () => {
    const text = read("README.md");
    assert.ok(statSync(join(root, "README.md")).size <= 20_000);
    const [, first = ""] = /^# outrider\n\n```sh\n(.*?)^```$/ms.exec(text) ?? [];
    assert.deepEqual(
      first
        .trim()
        .split("\n")
        .map((line) => line.split("#")[0]?.trim()),
      ["npm start", "npm test"],
    );
  });

  test("every room has one, and its place on the map", () => {
    const rooms = readdirSync(join(root, "src"), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
    const map = read("src/README.md");
    assert.ok(rooms.length > 20);
    assert.deepEqual(
      rooms.filter(
        (room) => !pages.includes(`src/${room}/README.md`) || !map.includes(`[${room}](${room}/README.md)`),
      ),
      [],
    );
    for (const folder of ["bench", "chaos", "fuzz"]) assert.ok(pages.includes(`test/${folder}/README.md`));
  });

  test("what is wrong with a page is found", () => {
    const text = [
      "# A page: of `code`",
      "[here](#a-page-of-code) [there](#nowhere) [test](../README.md) [gone](gone.ts) [out](../../../x.md)",
      "| a   | b |",
      "| ----- | --- |",
      "|  | `c` |",
      "`npm run nothing` `npm run check` `outrider nothing --at=all`",
      "```sh",
      "outrider never   # [not a link](x)",
      "outrider proxy sidecar",
      "```",
    ].join("\n");
    assert.deepEqual(deadLinks("test/fuzz/README.md", text), [
      "#a-page-of-code",
      "#nowhere",
      "gone.ts",
      "../../../x.md",
    ]);
    assert.deepEqual(paddedLines(text), ["| a   | b |", "| ----- | --- |"]);
    assert.deepEqual(unknownCommands(text), ["npm run nothing", "outrider nothing", "outrider never"]);
    assert.deepEqual([...anchors(text)], ["a-page-of-code"]);
  });
});
