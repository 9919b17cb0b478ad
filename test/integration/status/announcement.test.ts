import assert from "node:assert/strict";
import { chmodSync, existsSync, readdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { announce, announcedAgents, type Announcement } from "../../../src/status/announcement.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const where = {
  statusPort: 15_020,
  adminPort: 15_000,
  envoyStatusPort: 15_021,
  configPath: "/etc/istio/proxy",
};

const self: Announcement = { ...where, name: "web-1.demo", pid: process.pid };

describe("an agent that says where it is", () => {
  test("is found until it ends, in a folder that nobody else may look into", () => {
    using temporary = temporaryFolder();
    const folder = join(temporary.path, "run");
    {
      using _announced = announce(folder, self);
      assert.deepEqual(announcedAgents(folder), [self]);
      assert.equal(statSync(folder).mode & 0o777, 0o700);
      assert.equal(statSync(join(folder, `${process.pid}.json`)).mode & 0o777, 0o600);
    }
    assert.deepEqual(readdirSync(folder), []);
    assert.deepEqual(announcedAgents(folder), []);
  });

  test("is not taken for one that died before it, whose pid somebody else may have", () => {
    using temporary = temporaryFolder();
    const folder = join(temporary.path, "run");
    using _announced = announce(folder, self);
    const dead = join(folder, "1.json");
    writeFileSync(dead, JSON.stringify({ ...self, pid: 1, startTime: -1 }));
    assert.deepEqual(announcedAgents(folder), [self]);
    using _again = announce(folder, self);
    assert.ok(!existsSync(dead), "what a dead agent has left is still there");
  });

  test("is not believed where others may write, behind a link, or when it is no announcement", () => {
    using temporary = temporaryFolder();
    const folder = join(temporary.path, "run");
    assert.deepEqual(announcedAgents(folder), []);
    using _announced = announce(folder, self);
    for (const text of ["", "[]", "{", JSON.stringify({ ...self, statusPort: 70_000 })])
      writeFileSync(join(folder, "2.json"), text);
    symlinkSync(join(folder, `${process.pid}.json`), join(folder, "3.json"));
    assert.deepEqual(announcedAgents(folder), [self]);
    chmodSync(folder, 0o777);
    assert.deepEqual(announcedAgents(folder), []);
    assert.throws(() => announce(folder, self), { code: "NOT_OURS" });
  });
});
