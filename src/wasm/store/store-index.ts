/**
 * What is known of the modules on disk beyond their files: their checksums, and which URL led to which. Pure.
 */
import type { Pulled } from "../pull-decision.ts";

/** The content of the index. */
export interface StoreIndex {
  /** SHA-256 of each file's content, by its path below the folder. */
  readonly modules: Readonly<Record<string, string>>;
  /** By the URL that was asked. */
  readonly pulled: Readonly<Record<string, Pulled>>;
}

/** What there is before the first module. */
export const emptyIndex: StoreIndex = { modules: {}, pulled: {} };

/** Path of a module below the folder, as Istio's agent has it. */
export function modulePath(nameSha256: string, checksum: string): string {
  return `${nameSha256}/${checksum}.wasm`;
}

/** Such a path. */
export const modulePathPattern = /^[0-9a-f]{64}\/[0-9a-f]{64}\.wasm$/;

const hexadecimal = /^[0-9a-f]{64}$/;

/** The index as text. */
export function writeIndex(index: StoreIndex): string {
  return `${JSON.stringify(index)}\n`;
}

/** Read it; undefined when it is damaged. */
export function readIndex(text: string): StoreIndex | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { modules, pulled } = fieldsOf(value);
  const entries = Object.entries(fieldsOf(modules));
  const pulls = Object.entries(fieldsOf(pulled)).map(([url, pull]) => [url, readPulled(pull)] as const);
  const isWhole =
    entries.every(([path, sha256]) => modulePathPattern.test(path) && isHexadecimal(sha256)) &&
    pulls.every(([, pull]) => pull !== undefined);
  return isWhole
    ? ({ modules: Object.fromEntries(entries), pulled: Object.fromEntries(pulls) } as StoreIndex)
    : undefined;
}

/** The index without what is gone from the disk. */
export function withoutModules(index: StoreIndex, gone: ReadonlySet<string>): StoreIndex {
  const modules = Object.fromEntries(Object.entries(index.modules).filter(([path]) => !gone.has(path)));
  const checksums = new Set(Object.keys(modules).map((path) => path.slice(65, 129)));
  const pulled = Object.fromEntries(
    Object.entries(index.pulled).filter(([, { checksum }]) => checksums.has(checksum)),
  );
  return { modules, pulled };
}

function readPulled(value: unknown): Pulled | undefined {
  const { checksum, resourceVersions } = fieldsOf(value);
  const versions = fieldsOf(resourceVersions);
  if (!isHexadecimal(checksum) || !Object.values(versions).every((version) => typeof version === "string"))
    return undefined;
  return { checksum, resourceVersions: versions as Record<string, string> };
}

function isHexadecimal(value: unknown): value is string {
  return typeof value === "string" && hexadecimal.test(value);
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
}
