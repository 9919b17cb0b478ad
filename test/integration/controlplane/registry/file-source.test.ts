/** Whatever becomes of the folder: what was served last goes on, what is wrong is told once, and all is seen again. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { FileSource } from "../../../../src/controlplane/registry/file/file-source.ts";
import { eventually } from "../../../support/eventually.ts";
import { temporaryFolder } from "../../../support/temporary-folder.ts";

import { ConfigurationFolder, serviceEntry, withinMs } from "../../../support/configuration-folder.ts";
import { mishaps } from "../../../support/folder-mishaps.ts";

describe("a folder of configuration", () => {
  for (const { what, damage, problem, mend } of mishaps) {
    test(`${what}: what was served goes on, and what comes after is seen`, async () => {
      await using fixture = await ConfigurationFolder.start();
      damage(fixture);
      try {
        if (problem !== undefined) {
          await fixture.refuses(problem);
          assert.deepEqual(fixture.services, ["api"]);
        }
      } finally {
        mend?.(fixture);
      }
      writeFileSync(fixture.path("web.yaml"), serviceEntry("web"));
      await fixture.serves("api", "web");
      assert.deepEqual(fixture.problems, []);
      writeFileSync(fixture.path("web.yaml"), serviceEntry("web2"));
      await fixture.serves("api", "web2");
      unlinkSync(fixture.path("web.yaml"));
      await fixture.serves("api");
      assert.equal(fixture.errors.length, problem === undefined ? 0 : 1, fixture.errors.join("\n"));
    });
  }

  test("a start serves what is well, tells the rest once, and sees it mended", async () => {
    const bad = new Map([
      ["unknown.yaml", "kind: X\n"],
      ["half.yaml", serviceEntry("half").slice(0, 150)],
      ["value.yaml", serviceEntry("value").replace("STATIC", "STATICAL")],
      ["copy.yaml", serviceEntry("api")],
    ]);
    await using fixture = await ConfigurationFolder.start((folder) => {
      for (const [name, content] of bad) writeFileSync(join(folder, name), content);
    });
    assert.deepEqual(fixture.services, ["api"]);
    for (const name of bad.keys()) await fixture.refuses(new RegExp(name));
    for (const name of bad.keys()) unlinkSync(fixture.path(name));
    writeFileSync(fixture.path("web.yaml"), serviceEntry("web"));
    await fixture.serves("api", "web");
    assert.deepEqual(fixture.problems, []);
    assert.equal(fixture.errors.length, bad.size, fixture.errors.join("\n"));
  });

  test("a start with nothing that could be served says why there is none", async () => {
    const start = ConfigurationFolder.start((folder) => {
      writeFileSync(join(folder, "api.yaml"), "kind: X\n");
    });
    await assert.rejects(start, { name: "ConfigurationError", message: /api\.yaml/ });
  });

  test("what is wrong with one file costs the others nothing, not even those beside it", async () => {
    await using fixture = await ConfigurationFolder.start();
    execFileSync("mkfifo", [fixture.path("pipe.yaml")]);
    writeFileSync(fixture.path("broken.yaml"), `kind: [\n---\n${serviceEntry("beside")}`);
    writeFileSync(fixture.path("web.yaml"), serviceEntry("web"));
    await fixture.serves("api", "beside", "web");
    unlinkSync(fixture.path("api.yaml"));
    await fixture.serves("beside", "web");
    assert.equal(fixture.problems.length, 2);
  });

  test("two thousand files at once are read, and one of them alone is seen", async () => {
    await using fixture = await ConfigurationFolder.start();
    for (let index = 0; index < 2_000; index += 1)
      writeFileSync(fixture.path(`service-${index}.yaml`), serviceEntry(`service-${index}`));
    await eventually("all of them", () => assert.equal(fixture.services.length, 2_001), { withinMs });
    writeFileSync(fixture.path("service-7.yaml"), serviceEntry("seven"));
    await eventually("the one", () => assert.ok(fixture.services.includes("seven")), { withinMs });
    assert.deepEqual(fixture.errors, []);
  });

  test("a ConfigMap's volume is read once, and seen when it swaps", async () => {
    const publish = (folder: string, version: string, ...names: readonly string[]): void => {
      mkdirSync(join(folder, version, "sub"), { recursive: true });
      for (const name of names)
        writeFileSync(join(folder, version, "sub", `${name}.yaml`), serviceEntry(name));
      symlinkSync(version, join(folder, "..data_tmp"));
      renameSync(join(folder, "..data_tmp"), join(folder, "..data"));
    };
    await using fixture = await ConfigurationFolder.start((folder) => {
      unlinkSync(join(folder, "api.yaml"));
      publish(folder, "..2026_01", "api");
      symlinkSync("..data/sub", join(folder, "sub"));
    });
    await fixture.serves("api");
    publish(fixture.folder, "..2026_02", "api", "web");
    rmSync(fixture.path("..2026_01"), { recursive: true });
    await fixture.serves("api", "web");
    assert.deepEqual(fixture.errors, []);
  });

  test("a folder behind a link is seen when the link leads elsewhere", async () => {
    await using fixture = await ConfigurationFolder.start((folder) => {
      renameSync(folder, `${folder}-1`);
      symlinkSync("mesh-1", folder);
    });
    mkdirSync(`${fixture.folder}-2`);
    writeFileSync(join(`${fixture.folder}-2`, "api.yaml"), serviceEntry("web"));
    symlinkSync("mesh-2", `${fixture.folder}-link`);
    renameSync(`${fixture.folder}-link`, fixture.folder);
    await fixture.serves("web");
    writeFileSync(fixture.path("more.yaml"), serviceEntry("more"));
    await fixture.serves("web", "more");
  });
});

test("a folder that never has the quiet that is asked for is read all the same", async () => {
  using folder = temporaryFolder();
  writeFileSync(join(folder.path, "api.yaml"), serviceEntry("api"));
  await using source = await FileSource.open({
    folder: folder.path,
    debounceMs: 3_600_000,
    debounceMaxMs: 50,
  });
  writeFileSync(join(folder.path, "web.yaml"), serviceEntry("web"));
  await eventually(
    "both objects",
    () => {
      const state = source.states.current;
      assert.equal(state.kind === "read" && state.objects.length, 2);
    },
    { withinMs },
  );
});
