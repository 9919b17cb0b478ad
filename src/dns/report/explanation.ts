/**
 * How a name is answered, from where, by which rule, and what the upstreams said: for people.
 */
import { type Answer, decode, encode, type RecordType } from "dns-packet";
import { askTable } from "../answer/from-table.ts";
import type { NameTable } from "../table/name-table.ts";
import type { TryReport } from "../upstream/attempt.ts";
import type { Forwarded, Question } from "../upstream/forwarding.ts";
import type { ResolverConfig } from "../upstream/resolv-conf.ts";
import { dottedName, joined, wireName, type WireName } from "../wire/name.ts";
import { readQuery } from "../wire/query.ts";

/** One name that a resolver would try. */
export interface NameExplanation {
  readonly name: string;
  readonly type: string;
  readonly from: "table" | "upstream" | "nobody";
  /** Which rule of the table fits, and the name in it. */
  readonly rule?: string;
  readonly entry?: string;
  /** Where a CNAME leads to. */
  readonly target?: string;
  /** `NOERROR`, `NXDOMAIN`. */
  readonly code: string;
  /** `A 10.0.0.1`, in the table's order or as they came. */
  readonly records: readonly string[];
  /** What was asked of the upstreams for it. */
  readonly tries?: readonly TryReport[];
}

/** All that is tried for a name, until one of them has records. */
export interface Explanation {
  readonly asked: string;
  readonly type: string;
  readonly hasTable: boolean;
  /** When the control plane last stood behind the table, where it is one of an earlier life of the agent. */
  readonly tableAsOf?: string;
  readonly servers: readonly string[];
  readonly search: readonly string[];
  readonly ndots: number;
  readonly tried: readonly NameExplanation[];
}

/** What it is made from. */
export interface ExplainSources {
  readonly table: NameTable | undefined;
  /** Given for a table of an earlier life. */
  readonly keptAsOf?: Date | undefined;
  readonly config: ResolverConfig;
  readonly servers: readonly string[];
  readonly forward: (question: Question) => Promise<Forwarded>;
}

/** Types that can be asked for by name. */
export const explainedTypes: readonly RecordType[] = [
  ...([
    "A",
    "AAAA",
    "PTR",
    "CNAME",
    "TXT",
    "SRV",
    "MX",
    "NS",
    "SOA",
    "CAA",
    "DS",
    "DNSKEY",
    "NAPTR",
  ] as const),
];

/** Undefined for a name that no message can hold. Asks upstreams as a client's query would, past what is kept. */
export async function explainName(
  asked: string,
  type: RecordType,
  sources: ExplainSources,
): Promise<Explanation | undefined> {
  const name = wireName(asked);
  if (name === undefined) return undefined;
  const { config, keptAsOf } = sources;
  const tried: NameExplanation[] = [];
  for (const candidate of candidatesOf(name, asked.endsWith("."), config)) {
    const one = await explainOne(candidate, type, sources);
    tried.push(one);
    if (one.records.length > 0) break;
  }
  return {
    ...{ asked, type, hasTable: sources.table !== undefined, servers: sources.servers, tried },
    ...(keptAsOf === undefined ? {} : { tableAsOf: keptAsOf.toISOString() }),
    search: config.search.map(dottedName),
    ndots: config.options.ndots,
  };
}

/** The names that a resolver tries, in its order (resolv.conf(5)). */
export function candidatesOf(
  name: WireName,
  isAbsolute: boolean,
  { search, options }: Pick<ResolverConfig, "search" | "options">,
): readonly WireName[] {
  if (isAbsolute) return [name];
  const dots = dottedName(name).split(".").length - 1;
  const searched = search.map((domain) => joined(name, domain)).filter((one) => one.length <= 255);
  return dots >= options.ndots ? [name, ...searched] : [...searched, name];
}

async function explainOne(
  name: WireName,
  type: RecordType,
  { table, config, forward }: ExplainSources,
): Promise<NameExplanation> {
  const dotted = dottedName(name);
  const message = encode({ type: "query", id: 0, flags: 0x0100, questions: [{ name: dotted, type }] });
  const query = readQuery(message);
  if (query.kind !== "query") return { name: dotted, type, from: "nobody", code: "FORMERR", records: [] };
  const verdict = askTable(table, query, config.search);
  if (verdict.kind === "names")
    return {
      name: dotted,
      type,
      from: "table",
      rule: "address",
      code: "NOERROR",
      records: verdict.names.map((one) => `PTR ${dottedName(one)}`),
    };
  if (verdict.kind === "addresses") {
    const { rule, entry, target, addresses } = verdict.found;
    const [from, bytes, count] =
      type === "A"
        ? [addresses.start, 4, addresses.v4]
        : [addresses.start + 4 * addresses.v4, 16, addresses.v6];
    const records = Array.from({ length: count }, (_, index) => {
      const start = from + bytes * index;
      return `${type} ${addressText(addresses.bytes.subarray(start, start + bytes))}`;
    });
    return {
      ...{ name: dotted, type, from: "table", rule, entry: dottedName(entry), code: "NOERROR", records },
      ...(target === undefined ? {} : { target: dottedName(target) }),
    };
  }
  const { message: answer, tries } = await forward({
    ...{ message, questionEnd: query.questionEnd, hasEdns: false, overTcp: false },
  });
  if (answer === undefined)
    return { name: dotted, type, from: "nobody", code: "SERVFAIL", records: [], tries };
  const isKnown = verdict.found !== undefined;
  return {
    name: dotted,
    type,
    from: "upstream",
    tries,
    ...(isKnown ? { entry: dottedName(verdict.found.entry) } : {}),
    ...read(answer),
  };
}

function read(answer: Buffer): Pick<NameExplanation, "code" | "records"> {
  try {
    const packet = decode(answer) as ReturnType<typeof decode> & { readonly rcode?: string };
    return { code: packet.rcode ?? "NOERROR", records: (packet.answers ?? []).map(recordText) };
  } catch {
    return { code: "an answer that cannot be read", records: [] };
  }
}

function recordText(record: Answer): string {
  if (!("data" in record)) return record.type;
  const { type, data } = record;
  return `${type} ${typeof data === "string" ? data : JSON.stringify(data)}`;
}

function addressText(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join(".");
  const groups = Array.from({ length: 8 }, (_, index) =>
    (((bytes[2 * index] ?? 0) << 8) | (bytes[2 * index + 1] ?? 0)).toString(16),
  );
  return new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1);
}
