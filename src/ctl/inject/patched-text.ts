/** A JSON patch applied to a document as it is written: comments and the order of fields stay, what is new is written as YAML. */
import { applyPatch, type Operation, Pointer } from "rfc6902";
import { type Document, isSeq, type Node, parseDocument, stringify, visit } from "yaml";

/** Operations on a part of a document. */
export interface Patch {
  readonly path: readonly (string | number)[];
  readonly operations: readonly Operation[];
}

/** @param text of one document @param value of it */
export function patchedText(text: string, value: unknown, patches: readonly Patch[]): string {
  const all = patches.flatMap(({ path, operations }) =>
    operations.map((operation) => ({ ...operation, path: pointerOf(path) + operation.path })),
  );
  if (all.length === 0) return text;
  if (/^\s*\{/.test(text) && isJson(text)) return `${JSON.stringify(patched(value, all), undefined, 2)}\n`;
  const document = parseDocument(text, { logLevel: "error" });
  let hasAliases = false;
  visit(document, {
    Alias: () => {
      hasAliases = true;
    },
  });
  const start = /^---[ \t]*\r?\n/.exec(text)?.[0] ?? "";
  // What an alias stands for must not change with one place of it.
  if (hasAliases)
    return `${start}${stringify(patched(value, all), { aliasDuplicateObjects: false, lineWidth: 0 })}`;
  for (const operation of all) apply(document, operation);
  return document.toString({ lineWidth: 0 });
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function patched(value: unknown, operations: readonly Operation[]): unknown {
  // A structured clone would share what an alias stands for.
  const copy = JSON.parse(JSON.stringify(value)) as unknown;
  applyPatch(copy, [...operations]);
  return copy;
}

function pointerOf(path: readonly (string | number)[]): string {
  return path.map((part) => `/${String(part).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}

function apply(document: Document, operation: Operation): void {
  const path = Pointer.fromJSON(operation.path).tokens.slice(1);
  const parent = document.getIn(path.slice(0, -1), true);
  const last = path.at(-1) ?? "";
  const key = isSeq(parent) ? Number(last) : last;
  const whole = [...path.slice(0, -1), key];
  switch (operation.op) {
    case "remove":
      document.deleteIn(whole);
      return;
    case "add": {
      const node = document.createNode(operation.value, { aliasDuplicateObjects: false });
      if (isSeq(parent))
        parent.items.splice(last === "-" ? parent.items.length : Number(last), 0, node as Node);
      else document.setIn(whole, node);
      return;
    }
    case "replace":
      document.setIn(whole, document.createNode(operation.value, { aliasDuplicateObjects: false }));
      return;
    default:
      throw new Error(`a patch of injection has no ${operation.op}`);
  }
}
