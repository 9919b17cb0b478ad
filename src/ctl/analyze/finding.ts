/**
 * What an analysis tells: Istio's codes where it has one, the object, the place, and what to do. Pure.
 */
import type { ConfigProblem } from "../../controlplane/config/problem.ts";
import { istioMessages, type Level } from "./istio-messages.ts";

/** One message. */
export interface Finding {
  readonly level: Level;
  /** Undefined where Istio has no such message. */
  readonly code: string | undefined;
  /** `VirtualService demo/api`; undefined where the place is in no object. */
  readonly object: string | undefined;
  readonly source: string;
  /** Counted from 1; 0 for the file itself. */
  readonly line: number;
  readonly path: string;
  readonly message: string;
}

/** Istio's code for what its schemas refuse, and for what they warn of. */
const schemaCodes = { Error: "IST0106", Warning: "IST0133", Info: undefined } as const;

/** @param textOf the text of a file, where it is at hand */
export function findingsOf(
  problems: readonly ConfigProblem[],
  textOf: (source: string) => string | undefined,
): readonly Finding[] {
  const split = new Map<string, readonly string[]>();
  const linesOf = (source: string): readonly string[] => {
    const lines = split.get(source) ?? (textOf(source) ?? "").split("\n");
    split.set(source, lines);
    return lines;
  };
  return problems
    .map(({ source, line, path, message, severity, code }): Finding => {
      const isNoMatterOfOurs = severity === "warning" && path === "kind";
      const ownLevel = isNoMatterOfOurs ? "Info" : severity === "warning" ? "Warning" : "Error";
      // What is refused is an error, whatever Istio calls it, which serves it in part.
      const level = ownLevel === "Error" ? ownLevel : (istioMessages[code ?? ""]?.level ?? ownLevel);
      const object = objectAt(linesOf(source), line);
      return { level, code: code ?? schemaCodes[ownLevel], object, source, line, path, message };
    })
    .toSorted((a, b) => {
      const order = levels.indexOf(a.level) - levels.indexOf(b.level);
      if (order !== 0) return order;
      if (a.source !== b.source) return a.source < b.source ? -1 : 1;
      return a.line - b.line;
    });
}

/** The worst first. */
export const levels: readonly Level[] = ["Error", "Warning", "Info"];

/** `Error [IST0106] (VirtualService demo/api mesh/api.yaml:12) spec.http[0]: …`, as istioctl has it. */
export function findingLine({ level, code, object, source, line, path, message }: Finding): string {
  const place = line === 0 ? source : `${source}:${line}`;
  const where = object === undefined ? place : `${object} ${place}`;
  return `${level} ${code === undefined ? "" : `[${code}] `}(${where}) ${path === "" ? "" : `${path}: `}${message}`;
}

/** The object whose document has that line, as far as it says which it is: what is broken may not be read as YAML. */
function objectAt(lines: readonly string[], line: number): string | undefined {
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
  return kind === undefined || name === undefined ? undefined : `${kind} ${namespace}/${name}`;
}
