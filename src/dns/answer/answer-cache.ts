/**
 * Answers of upstreams, kept as long as they say (RFC 1035 and 2308), and a while longer for when no upstream answers
 * (RFC 8767).
 */
import { internetClass, rcode, type as types } from "../wire/constants.ts";
import type { Query } from "../wire/query.ts";
import { isOpt, questionEndOf, recordsOf } from "../wire/records.ts";

/** How much is kept, and for how long. */
export interface CacheLimits {
  readonly entries: number;
  /** After its end, in milliseconds. */
  readonly staleMs: number;
}

interface Entry {
  readonly message: Buffer;
  /** Where its TTLs stand. */
  readonly ttlPlaces: readonly number[];
  readonly storedAt: number;
  readonly freshUntil: number;
}

/** Longest that an answer is kept, whatever it says, in seconds: a cache in each pod is to be no memory of the past. */
const maxTtlSeconds = { positive: 300, negative: 30 } as const;

/** The TTL of an answer that has ended, in seconds. */
const staleTtlSeconds = 30;

/** Larger answers are not kept, so that entries are a bound of memory too. */
const maxMessageBytes = 4_096;

/** What is kept; the oldest goes when there is no more room. Times are in milliseconds on one clock. */
export class AnswerCache {
  readonly #limits: CacheLimits;
  readonly #entries = new Map<string, Entry>();

  constructor(limits: CacheLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** A copy whose TTLs are what is left of them; undefined when there is none that counts. */
  take(key: string, now: number): Buffer | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || now >= entry.freshUntil) return undefined;
    const ageSeconds = Math.floor((now - entry.storedAt) / 1_000);
    return withTtls(entry, (ttl) => Math.max(0, ttl - ageSeconds));
  }

  /** A copy of one that has ended, and not too long ago. */
  takeStale(key: string, now: number): Buffer | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || now >= entry.freshUntil + this.#limits.staleMs) return undefined;
    return withTtls(entry, () => staleTtlSeconds);
  }

  /** Keep an answer, if it may be kept. */
  put(key: string, message: Buffer, now: number): void {
    if (this.#limits.entries === 0 || message.length > maxMessageBytes) return;
    const kept = lifetimeOf(message);
    if (kept === undefined || kept.seconds === 0) return;
    this.#entries.delete(key);
    this.#entries.set(key, {
      message: Buffer.from(message),
      ttlPlaces: kept.ttlPlaces,
      storedAt: now,
      freshUntil: now + kept.seconds * 1_000,
    });
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > this.#limits.entries && oldest !== undefined) this.#entries.delete(oldest);
  }

  /** Other upstreams may say something else. */
  clear(): void {
    this.#entries.clear();
  }
}

/**
 * What an answer depends on; undefined for one that must be had anew each time: with options of EDNS it may be for one
 * client alone.
 */
export function cacheKeyOf(message: Buffer, query: Query): string | undefined {
  if (query.class !== internetClass || query.type === types.any) return undefined;
  if (query.edns !== undefined && (query.edns.hasOptions || query.edns.version !== 0)) return undefined;
  // RD of the third byte; AD and CD of the fourth.
  const wants = `${(message[2] ?? 0) & 0x01}${(message[3] ?? 0) & 0x30}`;
  return `${query.type} ${wants} ${query.edns === undefined ? "-" : Number(query.edns.wantsDnssec)} ${query.name}`;
}

/** How long an answer may be kept; undefined for never. */
function lifetimeOf(
  message: Buffer,
): { readonly seconds: number; readonly ttlPlaces: readonly number[] } | undefined {
  const code = (message[3] ?? 0) & 0x0f;
  if ((code !== rcode.noError && code !== rcode.nxDomain) || ((message[2] ?? 0) & 0x02) !== 0)
    return undefined;
  const questionEnd = questionEndOf(message);
  const records = questionEnd === undefined ? undefined : recordsOf(message, questionEnd);
  if (records === undefined) return undefined;
  // The upper bits of a longer code.
  if (records.some((record) => isOpt(record) && message[record.ttlAt] !== 0)) return undefined;
  const timed = records.filter((record) => !isOpt(record));
  const ttlPlaces = timed.map(({ ttlAt }) => ttlAt);
  const least = Math.min(...timed.map(({ ttlAt }) => ttlOf(message, ttlAt)));
  const asked = questionEnd === undefined ? 0 : message.readUInt16BE(questionEnd - 4);
  const isPositive =
    code === rcode.noError && timed.some(({ section, type }) => section === "answer" && type === asked);
  if (isPositive) return { seconds: Math.min(least, maxTtlSeconds.positive), ttlPlaces };
  const soa = timed.find(({ section, type }) => section === "authority" && type === types.soa);
  if (soa === undefined || soa.end - soa.dataAt < 20) return undefined;
  const minimum = message.readUInt32BE(soa.end - 4);
  return { seconds: Math.min(least, minimum, maxTtlSeconds.negative), ttlPlaces };
}

/** One whose first bit is set counts as none (RFC 2181, 8). */
function ttlOf(message: Buffer, at: number): number {
  const ttl = message.readUInt32BE(at);
  return ttl > 0x7fff_ffff ? 0 : ttl;
}

function withTtls({ message, ttlPlaces }: Entry, change: (ttl: number) => number): Buffer {
  const copy = Buffer.from(message);
  for (const at of ttlPlaces) copy.writeUInt32BE(change(ttlOf(copy, at)), at);
  return copy;
}
