/** What holds for every merge of ProxyConfig, whatever the layers are. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import {
  mergeProxyConfig,
  type ProxyConfigLayer,
  type RawProxyConfig,
} from "../../../../src/config/proxy-config/merge.ts";

const address = fc
  .tuple(fc.stringMatching(/^[a-z]{1,8}$/), fc.integer({ min: 1, max: 65_535 }))
  .map((at) => at.join(":"));
const map = fc.dictionary(fc.stringMatching(/^[A-Z]{1,2}$/), fc.stringMatching(/^\w{0,4}$/), { maxKeys: 4 });

const fields = fc.record(
  {
    statNameLength: fc.integer({ min: 1, max: 999 }),
    concurrency: fc.integer({ min: 0, max: 64 }),
    discoveryAddress: address,
    drainDuration: fc.integer({ min: 1, max: 600 }).map((seconds) => `${seconds}s`),
    extraStatTags: fc.array(fc.stringMatching(/^\w{1,4}$/), { maxLength: 3 }),
    tracing: fc.record(
      { zipkin: fc.record({ address }), sampling: fc.float({ noNaN: true, min: 0, max: 100 }) },
      { requiredKeys: [] },
    ),
    proxyMetadata: map,
    runtimeValues: map,
    statsCompression: fc.boolean(),
  },
  { requiredKeys: [] },
);

const stack = fc.array(fields, { maxLength: 4 });

function layer(values: RawProxyConfig, index: number): ProxyConfigLayer {
  return { source: `layer ${index}`, path: "", text: JSON.stringify(values) };
}

function merge(values: readonly RawProxyConfig[]): ReturnType<typeof mergeProxyConfig> {
  const problems: unknown[] = [];
  const merged = mergeProxyConfig(values.map(layer), problems as never);
  assert.deepEqual(problems, []);
  return merged;
}

function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

describe("a merge of ProxyConfig", () => {
  test("takes every field from the last layer that has it, and says so", () => {
    fc.assert(
      fc.property(stack, (layers) => {
        const { fields, origins } = merge(layers);
        const merged: RawProxyConfig = fields;
        for (const name of new Set(layers.flatMap((each) => Object.keys(each)))) {
          if (name === "proxyMetadata") continue;
          const last = layers.findLastIndex((each) => Object.hasOwn(each, name));
          assert.deepEqual(plain(merged[name]), plain((layers[last] as RawProxyConfig | undefined)?.[name]));
          assert.equal(origins.get(name), `layer ${last}`);
        }
      }),
    );
  });

  test("loses no key of proxyMetadata, and takes each from the last layer that has it", () => {
    fc.assert(
      fc.property(stack, (layers) => {
        const expected = Object.assign({}, ...layers.map((each) => each.proxyMetadata)) as object;
        assert.deepEqual(
          { ...(merge(layers).fields["proxyMetadata"] as object | undefined) },
          { ...expected },
        );
      }),
    );
  });

  test("changes nothing when a layer is laid over twice", () => {
    fc.assert(
      fc.property(stack, fields, (layers, last) => {
        assert.deepEqual(merge([...layers, last, last]).fields, merge([...layers, last]).fields);
      }),
    );
  });

  test("gives the same for its own result", () => {
    fc.assert(
      fc.property(stack, (layers) => {
        const once = merge(layers).fields;
        assert.deepEqual(merge([once]).fields, once);
      }),
    );
  });

  test("gives the same in parts as in one go", () => {
    fc.assert(
      fc.property(stack, stack, (first, second) => {
        assert.deepEqual(merge([merge(first).fields, ...second]).fields, merge([...first, ...second]).fields);
      }),
    );
  });
});
