/** Golden files: `npm run golden` rewrites them. */
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";

/** Where they are. */
export const goldenFolder = join(import.meta.dirname, "../golden");

/** Writes a value as JSON. */
export type JsonForm = (value: unknown) => string;

const indented: JsonForm = (value) => JSON.stringify(value, undefined, 2);

/** Assert that `value` is what the golden file holds, as JSON: indented, unless another form is said. */
export function matchesGolden(t: TestContext, name: string, value: unknown, form: JsonForm = indented): void {
  const path = join(goldenFolder, name);
  mkdirSync(dirname(path), { recursive: true });
  t.assert.fileSnapshot(value, path, { serializers: [(data: unknown) => `${form(data)}\n`] });
}

const widthOfLine = 110;

/** JSON in which what fits into a line has one, so that a long list of like messages can be compared by eye. */
export function compactJson(value: unknown, indent = ""): string {
  const line = oneLine(value);
  const inner = `${indent}  `;
  if (indent.length + line.length <= widthOfLine || typeof value !== "object" || value === null) return line;
  const list = (open: string, items: readonly string[], close: string): string =>
    `${open}\n${items.map((item) => inner + item).join(",\n")}\n${indent}${close}`;
  if (Array.isArray(value)) {
    return list(
      "[",
      value.map((item) => compactJson(item, inner)),
      "]",
    );
  }
  return list(
    "{",
    Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${compactJson(item, inner)}`),
    "}",
  );
}

function oneLine(value: unknown): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(oneLine).join(", ")}]`;
  const fields = Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${oneLine(item)}`);
  return fields.length === 0 ? "{}" : `{ ${fields.join(", ")} }`;
}

/** Assert that `text` is what the golden file holds. */
export function goldenText(t: TestContext, name: string, text: string): void {
  const path = join(goldenFolder, name);
  mkdirSync(dirname(path), { recursive: true });
  t.assert.fileSnapshot(text, path, { serializers: [String] });
}
