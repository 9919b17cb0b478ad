/**
 * Stands in for `node:test` while mutants are tried: the same tests, thousands of times in one process, each time no
 * further than the first that fails. The real one runs a file once.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

type Serializer = (value: unknown) => string;

const context = {
  assert: {
    ...assert,
    fileSnapshot: (
      value: unknown,
      path: string,
      options: { readonly serializers: readonly Serializer[] },
    ): void => {
      let text = value;
      for (const serialize of options.serializers) text = serialize(text);
      assert.equal(text, readFileSync(path, "utf8"));
    },
  },
};

interface CollectedTest {
  readonly name: string;
  readonly run: (context: unknown) => unknown;
}

const tests: CollectedTest[] = [];

export function test(name: string, run: CollectedTest["run"]): void {
  tests.push({ name, run });
}

export function describe(_name: string, collect: () => void): void {
  collect();
}

/** Run what was collected since the last call. @returns what fails first */
export async function firstFailure(): Promise<string | undefined> {
  for (const { name, run } of tests.splice(0)) {
    try {
      await run(context);
    } catch {
      return name;
    }
  }
  return undefined;
}
