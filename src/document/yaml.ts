/**
 * YAML from outside, within bounds.
 *
 * The library reads word by word, builds and composes; all of it but the first recurses, and its own search for keys
 * that come twice takes the square of their number. So the words are counted as they come, and keys are looked at
 * here.
 */
import {
  type Alias,
  Composer,
  type CST,
  type Document,
  Lexer,
  LineCounter,
  type Node,
  Parser,
  type Scalar,
  type YAMLMap,
  type YAMLSeq,
} from "yaml";
import { readJson } from "./json.ts";
import {
  depthFault,
  type DocumentFault,
  type DocumentLimits,
  partsFault,
  type ReadDocument,
  refused,
  sizeFault,
} from "./limits.ts";
import { measure } from "./measure.ts";
import { manyDocuments, WordWatch } from "./word-watch.ts";

/** Documents of one text with all that is wrong in each, or why the text was not read. */
export type YamlDocuments =
  | { readonly kind: "read"; readonly documents: readonly YamlDocument[]; readonly lines: LineCounter }
  | Extract<ReadDocument, { kind: "refused" }>;

/** One of them. Its value may be taken when nothing is wrong. */
export interface YamlDocument {
  readonly document: Document.Parsed;
  readonly faults: readonly DocumentFault[];
  /** What its aliases stand for. */
  readonly meant: ReadonlyMap<Alias, Node>;
}

/** More faults than these say nothing more. */
const mostFaults = 10;

/** The value of a text that holds one document, JSON or YAML. Never throws. */
export function readYaml(text: string, limits: DocumentLimits): ReadDocument {
  // What programs write is JSON, which is read much faster.
  if (/^\s*[[{]/.test(text)) {
    const json = readJson(text, limits);
    if (json.kind === "read") return json;
  }
  const parsed = readYamlDocuments(text, limits, 1);
  if (parsed.kind === "refused") return parsed;
  const [first, second] = parsed.documents;
  if (first === undefined) return { kind: "read", value: null };
  if (first.faults.length > 0) return { kind: "refused", faults: first.faults };
  if (second !== undefined) return refused(manyDocuments);
  // The library would look through the whole document for what each of them stands for.
  for (const [alias, node] of first.meant) alias.resolve = () => node as Scalar | YAMLMap | YAMLSeq;
  // What aliases come to is known, and is little enough.
  return { kind: "read", value: first.document.toJS({ maxAliasCount: -1 }) as unknown };
}

/** Every document of a text, as nodes. Never throws. */
export function readYamlDocuments(
  text: string,
  limits: DocumentLimits,
  mostDocuments: number = limits.maxParts,
): YamlDocuments {
  const size = sizeFault(text, limits);
  if (size !== undefined) return refused(size);
  const lines = new LineCounter();
  const tokens = tokensOf(text, limits, new WordWatch(limits, mostDocuments), lines);
  if (!Array.isArray(tokens)) return { kind: "refused", faults: [tokens] };
  const composer = new Composer({ uniqueKeys: false, prettyErrors: false, logLevel: "error" });
  const documents = [...composer.compose(tokens, false, text.length)].map((document) =>
    looked(document, limits, lines),
  );
  return { kind: "read", documents, lines };
}

function tokensOf(
  text: string,
  limits: DocumentLimits,
  watch: WordWatch,
  lines: LineCounter,
): CST.Token[] | DocumentFault {
  const parser = new Parser(lines.addNewLine);
  const tokens: CST.Token[] = [];
  lines.addNewLine(0);
  for (const word of new Lexer().lex(text)) {
    const start = parser.offset;
    tokens.push(...parser.next(word));
    // The document itself is on the stack as well.
    const isDeep = parser.stack.length > limits.maxDepth + 1;
    const message = watch.fault(word) ?? (isDeep ? depthFault(limits) : undefined);
    if (message === undefined) continue;
    const { line, col } = lines.linePos(start);
    return { line, column: col, message };
  }
  tokens.push(...parser.end());
  return tokens;
}

function looked(document: Document.Parsed, limits: DocumentLimits, lines: LineCounter): YamlDocument {
  const at = (offset: number, message: string): DocumentFault => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col, message };
  };
  const errors = document.errors.map(({ pos, message }) => at(pos[0], `not valid YAML: ${message}`));
  if (errors.length > 0 || document.contents === null)
    return { document, faults: errors.slice(0, mostFaults), meant: new Map() };
  const { parts, depth, faults, meant } = measure(document.contents);
  const all = [
    ...faults.map(({ node, message }) => at(node.range?.[0] ?? 0, `not valid YAML: ${message}`)),
    ...(parts > limits.maxParts
      ? [{ message: `${partsFault(limits)} when its aliases are written out` }]
      : []),
    ...(depth > limits.maxDepth ? [{ message: depthFault(limits) }] : []),
  ];
  return { document, faults: all.slice(0, mostFaults), meant };
}
