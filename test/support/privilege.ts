/** Tests that need root: skipped where there is none, and failed in CI, where a skip would go unseen. */
import type { TestContext } from "node:test";

/** True when the test may go on. */
export function hasRoot(t: TestContext): boolean {
  if (process.getuid?.() === 0) return true;
  if (process.env["CI"] === "true") throw new Error("this test needs root, which CI must give it");
  t.skip("needs root");
  return false;
}
