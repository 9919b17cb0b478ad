/**
 * How two files of objects differ: objects by their kinds and names, whatever their order.
 */
import { stringify } from "yaml";
import type { CommandContext } from "../../command/command.ts";
import { objectsLimits } from "../../document/limits.ts";
import { isMapping } from "../../document/mapping.ts";
import { readYamlDocuments } from "../../document/yaml.ts";
import { errorMessage } from "../../lifecycle/error-message.ts";
import { listAt, textAt } from "../../lifecycle/json-path.ts";
import { unifiedDiff } from "../../plan/diff.ts";
import { readGivenText } from "../given-text.ts";

/** Lines of a unified diff for each object; undefined, and why on standard error, where a file cannot be read. */
export async function manifestDifference(
  [before, after]: readonly [string, string],
  context: Pick<CommandContext, "printError" | "shutdown">,
): Promise<readonly string[] | undefined> {
  const [old, own] = [await objectsIn(before, context), await objectsIn(after, context)];
  if (old === undefined || own === undefined) return undefined;
  return objectsDifference(
    { name: before, objects: [...old.values()] },
    { name: after, objects: [...own.values()] },
  );
}

/** Objects, and what they are called together. */
export interface NamedObjects {
  readonly name: string;
  readonly objects: readonly object[];
}

/** Pure. */
export function objectsDifference(before: NamedObjects, after: NamedObjects): readonly string[] {
  const byName = ({ objects }: NamedObjects): ReadonlyMap<string, object> =>
    new Map(objects.map((object) => [objectName(object), object]));
  const [old, own] = [byName(before), byName(after)];
  return [...new Set([...old.keys(), ...own.keys()])].flatMap((name) => {
    const [was, is] = [old.get(name), own.get(name)];
    return unifiedDiff(
      { name: was === undefined ? "/dev/null" : `${before.name}: ${name}`, text: textOf(was) },
      { name: is === undefined ? "/dev/null" : `${after.name}: ${name}`, text: textOf(is) },
    );
  });
}

/** Lines of a unified diff of two values, whatever the order of their fields. Pure. */
export function valueDifference(
  before: { readonly name: string; readonly value: object },
  after: { readonly name: string; readonly value: object },
): readonly string[] {
  return unifiedDiff(
    { name: before.name, text: textOf(before.value) },
    { name: after.name, text: textOf(after.value) },
  );
}

/** `Deployment istio-system/outrider-discovery`. */
export function objectName(object: unknown): string {
  const namespace = textAt(object, "metadata", "namespace");
  const name = textAt(object, "metadata", "name") ?? "";
  return `${textAt(object, "kind") ?? ""} ${namespace === undefined ? name : `${namespace}/${name}`}`;
}

/** The order of fields says nothing. */
function textOf(object: object | undefined): string {
  return object === undefined
    ? ""
    : stringify(object, { aliasDuplicateObjects: false, sortMapEntries: true });
}

async function objectsIn(
  path: string,
  { printError, shutdown }: Pick<CommandContext, "printError" | "shutdown">,
): Promise<ReadonlyMap<string, object> | undefined> {
  let text: string;
  try {
    text = await readGivenText(path, { maxBytes: objectsLimits.maxBytes, signal: shutdown });
  } catch (error) {
    printError(`${path} cannot be read: ${errorMessage(error)}`);
    return undefined;
  }
  const read = readYamlDocuments(text, objectsLimits);
  const faults = read.kind === "refused" ? read.faults : read.documents.flatMap((each) => each.faults);
  for (const { line, message } of faults)
    printError(`${path}${line === undefined ? "" : `:${line}`}: ${message}`);
  if (read.kind === "refused" || faults.length > 0) return undefined;
  const objects = read.documents.flatMap(({ document }) => {
    const value: unknown = document.toJS({ maxAliasCount: -1 });
    return textAt(value, "kind") === "List" ? listAt(value, "items") : [value];
  });
  return new Map(objects.filter(isMapping).map((object) => [objectName(object), object]));
}
