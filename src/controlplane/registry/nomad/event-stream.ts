/**
 * Nomad's event stream: what becomes of services and allocations, as lines of JSON, for as long as it is open.
 */
import { type IncomingMessage, request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { jsonValue } from "../../../document/json.ts";
import { isMapping } from "../../../document/mapping.ts";
import { Timer } from "../../../lifecycle/timer.ts";
import { authenticated } from "../../../net/server-authentication.ts";
import { NomadError, type NomadTarget, refusal, requestOf, unreachable } from "./nomad-api.ts";

/** One event, as it is read further by who wants it. */
export interface NomadEvent {
  readonly topic: string;
  readonly type: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** An open stream; disposed when nobody listens any more. */
export interface EventStream extends Disposable {
  /** Each line's events. Ends when the stream has been open for long enough, so that all is listed anew. @throws NomadError */
  batches(): AsyncGenerator<readonly NomadEvent[], void, undefined>;
}

/** Nomad says that it is there every ten seconds; one that does not is gone, in milliseconds. */
const silentMs = 40_000;

/** What was missed all the same is found after this long, in milliseconds, give or take a tenth. */
const lastsMs = 600_000;

/** How long Nomad may take to open it, in milliseconds. */
const openMs = 15_000;

/** One line has the events of one change, which may be a large job. */
const limits = { maxBytes: 2 ** 24, maxDepth: 64, maxParts: Infinity };

/** Resolves when Nomad has taken it: what changes from then on is in it. @throws NomadError, or the signal's reason */
export async function openEvents(target: NomadTarget, signal: AbortSignal): Promise<EventStream> {
  const ended = new AbortController();
  const all = AbortSignal.any([signal, ended.signal]);
  const query = { namespace: target.namespace, topic: "Service" };
  let response: IncomingMessage;
  using _late = new Timer(openMs, () => {
    ended.abort(new Error(`the event stream was not opened within ${openMs} ms`));
  });
  try {
    const { isSecure, host, port, url, headers, tls } = requestOf(target, "/v1/event/stream", query);
    const options = {
      ...(isSecure ? { ...tls, ...authenticated } : {}),
      ...{ host, port, headers, signal: all, agent: false },
      path: `${url}&topic=Allocation`,
    };
    response = await new Promise<IncomingMessage>((resolve, reject) => {
      (isSecure ? httpsRequest : httpRequest)(options, resolve).on("error", reject).end();
    });
    if (response.statusCode !== 200) throw refusal(response.statusCode ?? 0, await beginningOf(response));
  } catch (error) {
    signal.throwIfAborted();
    throw unreachable(ended.signal.aborted ? ended.signal.reason : error);
  }
  return {
    batches: () => batchesOf(response, signal),
    [Symbol.dispose]: () => {
      response.destroy();
    },
  };
}

async function* batchesOf(
  response: IncomingMessage,
  signal: AbortSignal,
): AsyncGenerator<readonly NomadEvent[], void, undefined> {
  let isOver = false;
  const silence = new Timer(silentMs, () => {
    response.destroy(new Error(`the event stream was silent for ${silentMs} ms`));
  });
  const end = new Timer(lastsMs * (0.9 + Math.random() / 5), () => {
    isOver = true;
    response.destroy();
  });
  try {
    for await (const line of linesOf(response)) {
      silence.restart();
      const events = eventsOf(line);
      if (events.length > 0) yield events;
    }
    if (!isOver) throw new NomadError("UNREACHABLE", "has ended the event stream");
  } catch (error) {
    signal.throwIfAborted();
    if (!isOver) throw unreachable(error);
  } finally {
    silence.cancel();
    end.cancel();
    response.destroy();
  }
}

/** None in a sign of life. */
function eventsOf(line: string): readonly NomadEvent[] {
  const value = jsonValue(line, limits);
  if (!isMapping(value)) throw new NomadError("UNUSABLE", "sent what is no event. Is this Nomad?");
  // What went wrong on its side comes as a line, too.
  if (typeof value["Error"] === "string" || isMapping(value["Error"]))
    throw new NomadError(
      "UNUSABLE",
      `has ended the event stream: ${JSON.stringify(value["Error"]).slice(0, 200)}`,
    );
  const events = Array.isArray(value["Events"]) ? (value["Events"] as readonly unknown[]) : [];
  return events.filter(isMapping).map(({ Topic, Type, Payload }) => ({
    topic: String(Topic),
    type: String(Type),
    payload: isMapping(Payload) ? Payload : {},
  }));
}

async function* linesOf(response: IncomingMessage): AsyncGenerator<string, void, undefined> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of response as AsyncIterable<Buffer>) {
    let bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10)) {
      const line = bytes.subarray(0, end).toString("utf8").trim();
      bytes = bytes.subarray(end + 1);
      if (line !== "") yield line;
    }
    rest = bytes;
    if (rest.length > limits.maxBytes)
      throw new NomadError("UNUSABLE", "sent an event that is longer than any job");
  }
}

async function beginningOf(response: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of response as AsyncIterable<Buffer>) {
    text += chunk.toString("utf8");
    if (text.length > 1_000) break;
  }
  response.destroy();
  return text;
}
