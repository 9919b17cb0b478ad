/**
 * What the status port serves, one route per path.
 *
 * A route is a plain value and lies with the feature whose matter it is. The composition root joins all of them in one
 * table; the port's rules are applied from that table, and the documentation is made from it. What a route works with is
 * an interface of its own: the root passes something that fits.
 */
import type { IncomingHttpHeaders } from "node:http";
import type { Readable } from "node:stream";

/**
 * Who may ask: everybody; scrapers, who are everybody unless metrics are for loopback only; or processes of this network
 * namespace alone. What changes something, or tells more than the kubelet and Prometheus need, is for loopback.
 */
export type Scope = "everybody" | "scrapers" | "loopback";

/** What can be asked for. */
export interface Endpoint {
  /** Begins with a slash; one that also ends with a slash stands for all below it, but for the root itself. */
  readonly path: string;
  /** POST for what changes something: no other method is taken for it. */
  readonly method: "GET" | "POST";
  readonly scope: Scope;
  /** One or two sentences for the documentation. */
  readonly describe: string;
  /** Answered even while too many other requests are at work. */
  readonly isUrgent?: true;
  /**
   * Answered whatever name the request gives the agent, because its Host is another's: only for what a page of a foreign
   * site may read. With an Origin of such a page it is refused all the same.
   */
  readonly takesAnyHost?: true;
}

/** An endpoint that answers with JSON. */
export interface JsonEndpoint<Body> extends Endpoint {
  /** Tells an agent's answer, of a neighbouring release too, from that of another program on the port. */
  readonly isBody: (answer: unknown) => answer is Body;
}

/** A request as a route sees it, once it may be answered. */
export interface Asked {
  readonly path: string;
  /** Any but for what is asked for by POST alone. */
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  /** The asker's address, as the kernel writes it. */
  readonly from: string | undefined;
  readonly query: URLSearchParams;
  /** The query as it was written, for whoever passes it on; empty where there is none. */
  readonly search: string;
  /** For what takes long in a piece: resolves once those who have come meanwhile were taken in, probes among them. */
  readonly giveWay: () => Promise<void>;
  /** For what takes long: aborts when nobody waits for the answer any more. */
  readonly gone: () => AbortSignal;
}

/** An answer in JSON. */
export interface JsonAnswer<Body = unknown> {
  readonly kind: "json";
  /** 200 unless told. */
  readonly status?: number;
  readonly value: Body;
  /** Laid out for people. */
  readonly isIndented?: true;
}

/** An answer in words. */
export interface TextAnswer {
  readonly kind: "text";
  readonly status: number;
  readonly text: string;
  /** `text/plain` unless told. */
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** What is to be done once the answer has left, or once nobody waits for it. */
  readonly afterwards?: () => void;
}

/** An answer that is a file. */
export interface FileAnswer {
  readonly kind: "file";
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Bytes of somebody else, which are passed on as plain text, whatever they are. */
export interface BytesAnswer {
  readonly kind: "bytes";
  readonly status: number;
  readonly bytes: Uint8Array;
}

/** An answer that comes in pieces: the next is taken when the last has left, and none after the asker has gone. */
export interface StreamAnswer {
  readonly kind: "stream";
  readonly headers: Readonly<Record<string, string>>;
  /** Destroyed with the connection. It is not redacted on its way. */
  readonly body: Readable;
}

/** Where an answer's body goes. */
export interface BodyWriter {
  /**
   * Resolves once the pieces have left, and their memory is the caller's again: one call at a time.
   *
   * @throws once nobody takes them any more
   */
  readonly write: (pieces: readonly Uint8Array[]) => Promise<void>;
  /** Aborts when the asker has gone. */
  readonly gone: AbortSignal;
}

/** An answer whose body is written from memory that is used over and over. */
export interface WrittenAnswer {
  readonly kind: "written";
  readonly headers: Readonly<Record<string, string>>;
  /** Cuts the answer off. */
  readonly signal: AbortSignal;
  /** Called once in any case; what it throws cuts the answer off. It is not redacted on its way. */
  readonly write: (body: BodyWriter) => Promise<void>;
}

/** What a request comes to. */
export type Answer = JsonAnswer | TextAnswer | FileAnswer | BytesAnswer | StreamAnswer | WrittenAnswer;

/** An endpoint and what answers there; what `handle` throws becomes a 500. */
export interface Route<Parts> extends Endpoint {
  readonly handle: (parts: Parts, asked: Asked) => Answer | Promise<Answer>;
}

/** One that answers with JSON of a known shape. */
export interface JsonRoute<Parts, Body> extends JsonEndpoint<Body> {
  readonly handle: (
    parts: Parts,
    asked: Asked,
  ) => JsonAnswer<Body> | TextAnswer | Promise<JsonAnswer<Body> | TextAnswer>;
}

/** What the routes of a table need all together. */
export type PartsOf<Table extends readonly Route<never>[]> = (
  Table[number] extends infer One ? (One extends Route<infer Parts> ? (parts: Parts) => void : never) : never
) extends (parts: infer All) => void
  ? All
  : never;

/** An answer in words, which is plain text. */
export function text(status: number, words: string): TextAnswer {
  return { kind: "text", status, text: words };
}
