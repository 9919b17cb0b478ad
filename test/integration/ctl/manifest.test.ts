/** `outriderctl manifest` and `outriderctl profile`, from a command line to what is printed. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { parse, parseAllDocuments } from "yaml";
import { runCtl } from "../../support/outriderctl.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

describe("outriderctl manifest", () => {
  test("generate prints the objects as YAML, and as a List", async () => {
    const yaml = await runCtl("manifest", "generate", "--set", "profile=minimal");
    const json = await runCtl("manifest", "generate", "--set", "profile=minimal", "-o", "json");
    assert.deepEqual([yaml.code, json.code], [0, 0]);
    const objects = parseAllDocuments(yaml.lines.join("\n")).map((each) => each.toJS() as unknown);
    const list = JSON.parse(json.lines.join("\n")) as { readonly items: unknown };
    assert.ok(objects.length > 20);
    assert.deepEqual(list.items, objects);
  });

  test("generate takes files and refuses all that is wrong with them", async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "mine.yaml");
    writeFileSync(path, "spec: {profile: minimal}\nkind: IstioOperator\n");
    const good = await runCtl("manifest", "generate", "-f", path, "-r", "canary");
    assert.equal(good.code, 0);
    assert.ok(good.lines.includes("  name: istiod-canary"));
    const wrong = await runCtl(
      "manifest",
      "generate",
      "-f",
      "/nowhere",
      "--set",
      "profle=demo",
      "-o",
      "table",
    );
    assert.equal(wrong.code, 64);
    assert.match(wrong.errors.join("\n"), /--output must be json or yaml/);
    assert.match(wrong.errors.join("\n"), /--filename: \/nowhere cannot be read/);
    assert.match(wrong.errors.join("\n"), /did you mean profile\?/);
  });

  test("diff compares objects by their names", async () => {
    using folder = temporaryFolder();
    const write = async (name: string, ...sets: readonly string[]): Promise<string> => {
      const path = join(folder.path, name);
      const { lines } = await runCtl("manifest", "generate", ...sets);
      writeFileSync(path, lines.join("\n"));
      return path;
    };
    const [a, b] = [
      await write("a.yaml", "--set", "profile=minimal"),
      await write("b.yaml", "--set", "profile=minimal", "--set", "components.pilot.k8s.replicaCount=3"),
    ];
    const same = await runCtl("manifest", "diff", a, a);
    assert.deepEqual([same.code, same.lines], [0, []]);
    const other = await runCtl("manifest", "diff", a, b);
    assert.equal(other.code, 2);
    const changes = other.lines.filter((line) => /^[-+] /.test(line));
    assert.deepEqual(
      changes.filter((line) => line.includes("replicas:")),
      ["-  replicas: 2", "+  replicas: 3"],
    );
    // What an upgrade begins with has it, too.
    assert.ok(
      changes.some((line) => line.includes("replicaCount: 3")),
      changes.join("\n"),
    );
    assert.equal((await runCtl("manifest", "diff", a)).code, 64);
    assert.equal((await runCtl("manifest", "diff", a, "/nowhere")).code, 1);
    assert.equal((await runCtl("manifest", "generat")).code, 64);
  });
});

describe("outriderctl profile", () => {
  test("list, dump and diff know the same profiles", async () => {
    const list = await runCtl("profile", "list");
    const [, ...names] = list.lines.map((line) => line.trim());
    assert.deepEqual(names, ["default", "demo", "minimal", "empty"]);
    for (const name of names) {
      const { code, lines } = await runCtl("profile", "dump", name);
      assert.equal(code, 0);
      const { spec } = parse(lines.join("\n")) as { readonly spec: { readonly profile: string } };
      assert.equal(spec.profile, name);
    }
    assert.equal((await runCtl("profile", "diff", "demo", "demo")).code, 0);
    assert.equal((await runCtl("profile", "diff", "demo", "default")).code, 2);
  });

  test("a dump is what an installation takes", async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "demo.yaml");
    const dumped = await runCtl("profile", "dump", "--set", "profile=demo", "--set", "hub=reg.example");
    writeFileSync(path, dumped.lines.join("\n"));
    const [fromFile, fromSets] = [
      await runCtl("manifest", "generate", "-f", path),
      await runCtl("manifest", "generate", "--set", "profile=demo", "--set", "hub=reg.example"),
    ];
    assert.equal(fromFile.code, 0, fromFile.errors.join("\n"));
    assert.deepEqual(fromFile.lines, fromSets.lines);
  });

  test("says what was meant", async () => {
    const wrong = await runCtl("profile", "dump", "dmo");
    assert.deepEqual(wrong.errors, ['there is no profile "dmo": did you mean demo?']);
    assert.equal(wrong.code, 64);
    assert.equal((await runCtl("profile", "diff", "demo")).code, 64);
    assert.equal((await runCtl("profile", "lst")).code, 64);
  });
});
