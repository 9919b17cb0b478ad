/**
 * Which object of a text a line belongs to. Pure.
 */
import { isMap, type LineCounter, type Node } from "yaml";
import { objectsLimits } from "../../document/limits.ts";
import { readYamlDocuments } from "../../document/yaml.ts";
import { itemsOf } from "./kubernetes-objects.ts";

/** By a line, counted from 1: `VirtualService demo/api`; undefined where no object is there, or where one of several cannot be told. */
export type ObjectAt = (line: number) => string | undefined;

/** Lines of an object, or of a document that cannot be read. */
interface Place {
  readonly from: number;
  readonly until: number;
  readonly object: string | undefined;
}

/** The items of a list, as `kubectl get` prints it, are objects of their own. */
export function objectPlaces(text: string): ObjectAt {
  const read = readYamlDocuments(text, objectsLimits);
  const lines = text.split("\n");
  if (read.kind === "refused") return (line) => objectWrittenAt(lines, line);
  const sound = read.documents.filter(({ faults }) => faults.length === 0);
  const places = sound.flatMap(({ document }) => itemsOf(document).map((node) => placeOf(node, read.lines)));
  const broken = read.documents
    .filter(({ faults }) => faults.length > 0)
    .map(({ document }) => linesOf(document.range, read.lines));
  return (line) => {
    const isAt = ({ from, until }: Pick<Place, "from" | "until">): boolean => from <= line && line <= until;
    const around = places.filter(isAt);
    const beginning = around.filter(({ from }) => from === line);
    const [only, ...others] = beginning.length > 0 ? beginning : around;
    if (only !== undefined) return others.length === 0 ? only.object : undefined;
    return broken.some(isAt) ? objectWrittenAt(lines, line) : undefined;
  };
}

function placeOf(node: Node, lines: LineCounter): Place {
  // As it is written: what aliases stand for is no matter of its name.
  const textIn = (...path: readonly string[]): string | undefined => {
    const value: unknown = isMap(node) ? node.getIn(path) : undefined;
    return typeof value === "string" ? value : undefined;
  };
  const [kind, name] = [textIn("kind"), textIn("metadata", "name")];
  const namespace = textIn("metadata", "namespace") ?? "default";
  return {
    ...linesOf(node.range, lines),
    object: kind === undefined || name === undefined ? undefined : `${kind} ${namespace}/${name}`,
  };
}

function linesOf(range: Node["range"], lines: LineCounter): Pick<Place, "from" | "until"> {
  const [from, until] = range ?? [0, 0];
  return { from: lines.linePos(from).line, until: lines.linePos(Math.max(from, until - 1)).line };
}

/** The same of what cannot be read as YAML, as far as it says which object it is. */
function objectWrittenAt(lines: readonly string[], line: number): string | undefined {
  const isEnd = (content: string | undefined): boolean => content === undefined || content.startsWith("---");
  // An item of a list, as kubectl prints it.
  const isItem = (content = ""): boolean => /^\s*- (?:apiVersion|kind):/.test(content);
  let from = Math.max(0, line - 1);
  while (from > 0 && !isEnd(lines[from]) && !isItem(lines[from])) from -= 1;
  let until = from + 1;
  while (!isEnd(lines[until]) && !isItem(lines[until])) until += 1;
  const part = lines.slice(from, until).join("\n");
  const metadata = /^( *)metadata:[^\S\n]*\n((?:\1 +.*\n?)*)/m.exec(part)?.[2] ?? part;
  const field = (key: string, text: string): string | undefined =>
    new RegExp(`(?:^|[{,\\s])${key}:\\s*["']?([A-Za-z0-9._-]+)`, "m").exec(text)?.[1];
  const kind = field("kind", part);
  const [name, namespace = "default"] = [field("name", metadata), field("namespace", metadata)];
  // Which item is meant is not clear where it does not begin with its kind.
  return kind === undefined || kind === "List" || name === undefined
    ? undefined
    : `${kind} ${namespace}/${name}`;
}
