/** What targets that speak HTTP/1 have in common. */
import assert from "node:assert/strict";
import type { FuzzTarget, OpenTarget } from "./target.ts";

const words = [
  "\r\n",
  "\r\n\r\n",
  "\n",
  "GET ",
  "POST ",
  "HEAD ",
  "PUT ",
  "OPTIONS * HTTP/1.1\r\n",
  " HTTP/1.1\r\n",
  " HTTP/1.0\r\n",
  "/quitquitquit",
  "/drain",
  "/drain_listeners",
  "/reload",
  "/healthcheck/fail",
  "/logging?level=trace",
  "/%71uitquitquit",
  "/./",
  "/../",
  "//",
  "?",
  "#",
  "%00",
  "%2f",
  ";",
  "\\",
  "\0",
  "Host: localhost\r\n",
  "Host: evil.example\r\n",
  "Origin: null\r\n",
  "Origin: http://evil.example\r\n",
  "Connection: keep-alive\r\n",
  "Connection: close\r\n",
  "Content-Length: 5\r\n",
  "Transfer-Encoding: chunked\r\n",
  "Trailer: Content-Length\r\n",
  "TE: trailers\r\n",
  "Expect: 100-continue\r\n",
  "Upgrade: websocket\r\n",
  "Proxy-Connection: x\r\n",
  ": x\r\n",
  "X: \u00ff\r\n",
  "0\r\n\r\n",
  "ffffffff\r\n",
];

/** A target that is fed raw connections of HTTP/1. */
export function httpTarget(name: string, open: () => Promise<OpenTarget>): FuzzTarget {
  return { name, corpus: "http", words, concurrency: 16, maxBytes: 16_384, open };
}

/** @throws AssertionError when it is no HTTP, or says that a handler failed */
export function checkHttpAnswer(answer: Buffer): void {
  if (answer.length === 0) return;
  const status = /^HTTP\/1\.[01] (\d{3}) /.exec(answer.toString("latin1"))?.[1];
  assert.ok(status !== undefined, `no HTTP: ${answer.subarray(0, 80).toString("latin1")}`);
  assert.doesNotMatch(answer.toString("latin1"), /^HTTP\/1\.1 500 /m);
}

/** A whole request, after which the server closes. */
export function getRequest(path: string): Buffer {
  return Buffer.from(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
}
