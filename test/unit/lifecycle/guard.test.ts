import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { escaped, guarded, handled } from "../../../src/lifecycle/guard.ts";
import { TaskGroup } from "../../../src/lifecycle/task-group.ts";

describe("escaped()", () => {
  test("an error outside of every part ends the process", () => {
    const escape = escaped(new Error("broken", { cause: new Error("why") }));
    assert.equal(escape.kind, "fatal");
    assert.deepEqual([escape.part, escape.reason], ["the program", "broken: why"]);
    assert.match(escape.frames[0] ?? "", /^\s+at .*guard\.test\.ts/);
  });

  test("what is thrown need not be an error", () => {
    assert.deepEqual(escaped("just text"), {
      kind: "fatal",
      part: "the program",
      reason: "just text",
      frames: [],
    });
  });

  test("the part goes along with timers, turns of the loop and promises", async () => {
    const seen = await guarded({ part: "the admin port" }, async () => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      await new Promise((resolve) => setImmediate(resolve));
      return escaped(new Error("late"));
    });
    assert.deepEqual(seen.kind === "fatal" && [seen.part, seen.reason], ["the admin port", "late"]);
  });

  test("a part that contains its errors gets them, and the process lives", () => {
    const contained: unknown[] = [];
    const guard = { part: "the admin port", contain: (error: unknown) => contained.push(error) };
    assert.deepEqual(
      guarded(guard, () => escaped("thrown")),
      { kind: "contained" },
    );
    assert.deepEqual(contained, ["thrown"]);
  });

  test("a part that fails to contain one ends the process, with both reasons", () => {
    const guard = {
      part: "the admin port",
      contain: () => {
        throw new Error("worse");
      },
    };
    const escape = guarded(guard, () => escaped(new Error("bad")));
    assert.deepEqual(escape.kind === "fatal" && [escape.part, escape.reason], [
      "the admin port",
      "bad; and then: worse",
    ]);
  });

  test("a task is a part of its own, whoever has started it", async () => {
    await using tasks = new TaskGroup();
    const seen = Promise.withResolvers<string>();
    guarded({ part: "the admin port", contain: () => undefined }, () => {
      tasks.spawn("rotate", async () => {
        const escape = escaped(new Error("late"));
        seen.resolve(escape.kind === "fatal" ? `${escape.part}: ${escape.reason}` : escape.kind);
      });
    });
    assert.equal(await seen.promise, "task rotate: late");
  });
});

describe("handled()", () => {
  test("contains what the handler throws itself, and what comes of it later", async () => {
    const contained: unknown[] = [];
    const later = Promise.withResolvers<string>();
    handled({ part: "the DNS proxy", contain: (error) => contained.push(error) }, () => {
      setImmediate(() => {
        later.resolve(escaped("later").kind);
      });
      throw new Error("at once");
    });
    assert.match(String(contained[0]), /at once/);
    assert.equal(await later.promise, "contained");
    assert.equal(contained[1], "later");
  });
});
