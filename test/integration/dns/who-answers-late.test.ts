import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { askWhoAnswers } from "../../../src/dns/report/who-answers.ts";
import { holdUp } from "../../support/hold-up.ts";

/** A name server in a thread of its own, which is not held up: it answers with the query itself, and without a record. */
const server = `
const { createSocket } = require("node:dgram");
const { parentPort, workerData } = require("node:worker_threads");
const socket = createSocket("udp4");
socket.on("message", (message, from) => {
  message[2] |= 0x80;
  parentPort.postMessage("asked");
  Atomics.wait(workerData, 0, 0);
  socket.send(message, from.port, from.address, () => {
    Atomics.store(workerData, 1, 1);
    Atomics.notify(workerData, 1);
  });
});
socket.bind(0, "127.0.0.1", () => parentPort.postMessage(socket.address().port));
`;

const withinMs = 3_000;

test("an answer that is there is taken by a process that was held up for longer than it waits", async () => {
  const [held, answered] = [0, 1];
  const state = new Int32Array(new SharedArrayBuffer(8));
  const worker = new Worker(server, { eval: true, workerData: state });
  try {
    const [port] = (await once(worker, "message")) as [number];
    const asked = askWhoAnswers({ host: "127.0.0.1", port }, "udp", withinMs);
    await once(worker, "message");
    // From here on timers come before what has been received.
    await setImmediate();
    Atomics.store(state, held, 1);
    Atomics.notify(state, held);
    Atomics.wait(state, answered, 0);
    holdUp(withinMs);
    assert.deepEqual(await asked, { kind: "answered", id: "" });
  } finally {
    await worker.terminate();
  }
});
