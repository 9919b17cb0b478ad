import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { closeWithin } from "../../../src/lifecycle/close-within.ts";

describe("closeWithin()", () => {
  const never = new Promise<string>(() => undefined);
  const unexpected = (): void => assert.fail("it is not overdue");

  test("waits for parts that close", async () => {
    const whole = Promise.resolve("closed");
    assert.equal(await closeWithin(whole, Promise.resolve("done"), 60_000, unexpected), "closed");
  });

  test("does not wait for parts that do not", async () => {
    let isSaid = false;
    const end = await closeWithin(never, Promise.resolve("done"), 10, () => {
      isSaid = true;
    });
    assert.equal(end, "done");
    assert.ok(isSaid);
  });

  test("has no deadline before it is done", async () => {
    const whole = new Promise<string>((resolve) => setTimeout(resolve, 50, "closed"));
    assert.equal(await closeWithin(whole, never, 0, unexpected), "closed");
  });

  test("throws what goes wrong", async () => {
    await assert.rejects(
      closeWithin(Promise.reject(new Error("a part failed")), never, 10, unexpected),
      /a part failed/,
    );
  });
});
