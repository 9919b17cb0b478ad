/** Golden files: `npm run golden` rewrites them. */
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";

const folder = join(import.meta.dirname, "../golden");

/** Assert that `value` is what the golden file holds, as indented JSON. */
export function matchesGolden(t: TestContext, name: string, value: unknown): void {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  t.assert.fileSnapshot(value, path, {
    serializers: [(data: unknown) => `${JSON.stringify(data, undefined, 2)}\n`],
  });
}
