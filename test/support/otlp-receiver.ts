/** A collector of OTLP over HTTP, which keeps what it gets. */
import type { IncomingHttpHeaders, ServerResponse } from "node:http";
import { buffer } from "node:stream/consumers";
import { gunzipSync } from "node:zlib";
import { HttpServer } from "../../src/net/http-server.ts";
import { at, listAt, textAt } from "../../src/lifecycle/json-path.ts";

/** One export. */
export interface OtlpExport {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** A span as the collector reads it. */
export interface ReceivedSpan {
  readonly name: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly seconds: number;
  readonly attributes: Readonly<Record<string, unknown>>;
  /** Undefined for one that succeeded. */
  readonly error: string | undefined;
}

export interface OtlpReceiver extends AsyncDisposable {
  readonly url: string;
  readonly exports: readonly OtlpExport[];
  /** Of every export in JSON so far. */
  spans(): readonly ReceivedSpan[];
  /** The last export of metrics in JSON: families by name. */
  metrics(): ReadonlyMap<string, unknown>;
  /** Attributes of the resource of the last export in JSON. */
  resource(): Readonly<Record<string, unknown>>;
}

/** @param answer how an export is answered; 200 unless told */
export async function startOtlpReceiver(
  answer: (response: ServerResponse) => void = (response) => response.writeHead(200).end("{}"),
): Promise<OtlpReceiver> {
  const exports: OtlpExport[] = [];
  const server = await HttpServer.listen({ host: "127.0.0.1", port: 0 }, async (request, response) => {
    const body = await buffer(request);
    const isCompressed = request.headers["content-encoding"] === "gzip";
    exports.push({
      path: request.url ?? "",
      headers: request.headers,
      body: isCompressed ? gunzipSync(body) : body,
    });
    answer(response);
  });
  const inJson = (path: string): readonly unknown[] =>
    exports.flatMap(({ path: to, body, headers }) =>
      to.endsWith(path) && headers["content-type"] === "application/json"
        ? [JSON.parse(body.toString("utf8"))]
        : [],
    );
  return {
    url: `http://127.0.0.1:${server.port}`,
    exports,
    spans: () =>
      inJson("/v1/traces")
        .flatMap((value) => listAt(value, "resourceSpans"))
        .flatMap((value) => listAt(value, "scopeSpans"))
        .flatMap((value) => listAt(value, "spans"))
        .map(spanOf),
    metrics: () =>
      new Map(
        listAt(inJson("/v1/metrics").at(-1), "resourceMetrics")
          .flatMap((value) => listAt(value, "scopeMetrics"))
          .flatMap((value) => listAt(value, "metrics"))
          .map((value) => [textAt(value, "name") ?? "", value]),
      ),
    resource: () => {
      const last = inJson("").at(-1);
      const [first] = [...listAt(last, "resourceSpans"), ...listAt(last, "resourceMetrics")];
      return attributesOf(listAt(first, "resource", "attributes"));
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

function spanOf(value: unknown): ReceivedSpan {
  const status = at(value, "status");
  return {
    name: textAt(value, "name") ?? "",
    spanId: textAt(value, "spanId") ?? "",
    parentSpanId: textAt(value, "parentSpanId"),
    seconds: Number(BigInt(nano(value, "end")) - BigInt(nano(value, "start"))) / 1e9,
    attributes: attributesOf(listAt(value, "attributes")),
    error: at(status, "code") === 2 ? (textAt(status, "message") ?? "") : undefined,
  };
}

function nano(value: unknown, which: "start" | "end"): string {
  return String(at(value, `${which}TimeUnixNano`));
}

function attributesOf(entries: readonly unknown[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    entries.map((entry) => [textAt(entry, "key"), Object.values(Object(at(entry, "value")))[0]]),
  );
}
