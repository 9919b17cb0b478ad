/**
 * Lines to one descriptor, by which nobody who writes is ever held up.
 *
 * A line goes out at once where that is certain not to block. What the other side does not take is kept up to a bound,
 * and beyond it lost and counted; a whole line is lost or none of it.
 */
import { closeSync, write, writeSync } from "node:fs";
import { errorCode } from "../lifecycle/error-message.ts";
import { sleep } from "../lifecycle/sleep.ts";
import { Timer } from "../lifecycle/timer.ts";

/**
 * How a descriptor is written to: `direct` is one that says EAGAIN or cannot block, `threaded` one whose writes may
 * block a thread of libuv's pool, one at a time.
 */
export type WriteMode = "direct" | "threaded";

/** How long a flush may take, in milliseconds. */
export interface FlushLimits {
  /** Without anything being taken. */
  readonly stallMs: number;
  /** In all. */
  readonly mostMs: number;
}

/** Bytes that wait for the other side at most. */
const maxWaiting = 2 ** 20;

/** Bytes that one write takes at most. */
const maxWrite = 2 ** 16;

/** Between two tries at a descriptor that takes nothing, in milliseconds: doubled each time. */
const retryMs = { first: 50, most: 1_000 } as const;

/** Writes lines to a descriptor. */
export class LineWriter {
  readonly #descriptor: number;
  readonly #mode: WriteMode;
  readonly #onLoss: (lines: number) => void;
  readonly #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #isWriting = false;
  #retry: Timer | undefined;
  #retryMs: number = retryMs.first;
  /** The last write has failed: to tell of it there would fail as well. */
  #isBroken = false;
  #lostSince = 0;
  #lost = 0;

  /** @param onLoss told how many lines were lost, once lines are taken again */
  constructor(descriptor: number, mode: WriteMode, onLoss: (lines: number) => void) {
    this.#descriptor = descriptor;
    this.#mode = mode;
    this.#onLoss = onLoss;
  }

  /** Lines that were lost so far. */
  get lost(): number {
    return this.#lost;
  }

  /** Write a line with its end. Never waits, never throws. */
  write(line: string): void {
    const bytes = Buffer.from(line);
    if (this.#waitingBytes > 0 && this.#waitingBytes + bytes.length > maxWaiting) {
      this.#lose(1);
      return;
    }
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    if (this.#isWriting || this.#retry !== undefined) return;
    this.#next();
  }

  /** Resolves when everything was taken, or when its time is over. True when nothing waits. */
  async flush({ stallMs, mostMs }: FlushLimits): Promise<boolean> {
    let [waiting, since] = [this.#waitingBytes, performance.now()];
    const end = since + mostMs;
    while (this.#waitingBytes > 0) {
      const now = performance.now();
      if (this.#waitingBytes !== waiting) [waiting, since] = [this.#waitingBytes, now];
      if (now - since > stallMs || now > end) break;
      await sleep(flushLookMs);
      if (!this.#isWriting) this.#next();
    }
    return this.#waitingBytes === 0;
  }

  /** Give up what waits, and the descriptor. */
  close(): void {
    this.#giveUp();
    closeSync(this.#descriptor);
  }

  #next(): void {
    this.#retry?.cancel();
    this.#retry = undefined;
    if (this.#mode === "threaded") this.#writeThreaded();
    else this.#writeDirect();
    if (this.#waitingBytes === 0) this.#tellLoss();
  }

  #writeDirect(): void {
    try {
      while (this.#waitingBytes > 0) this.#took(writeSync(this.#descriptor, this.#piece()));
    } catch (error) {
      if (errorCode(error) !== "EAGAIN") {
        // A closed pipe or a full disk.
        this.#giveUp();
        return;
      }
      this.#retry = new Timer(
        this.#retryMs,
        () => {
          this.#next();
        },
        { isBackground: true },
      );
      this.#retryMs = Math.min(2 * this.#retryMs, retryMs.most);
    }
  }

  #writeThreaded(): void {
    if (this.#waitingBytes === 0 || this.#isWriting) return;
    this.#isWriting = true;
    write(this.#descriptor, this.#piece(), (error, bytes) => {
      this.#isWriting = false;
      if (error === null) this.#took(bytes);
      else if (errorCode(error) !== "EAGAIN") this.#giveUp();
      this.#next();
    });
  }

  /** What one write is to take: lines that wait, as one. */
  #piece(): Buffer {
    const [first = Buffer.alloc(0), second] = this.#waiting;
    if (second === undefined || first.length >= maxWrite) return first;
    let bytes = 0;
    const count = this.#waiting.findIndex((line) => (bytes += line.length) > maxWrite);
    const lines = this.#waiting.splice(0, count === -1 ? this.#waiting.length : Math.max(1, count));
    const piece = Buffer.concat(lines);
    this.#waiting.unshift(piece);
    return piece;
  }

  #took(bytes: number): void {
    this.#isBroken = false;
    this.#retryMs = retryMs.first;
    this.#waitingBytes -= bytes;
    const [first] = this.#waiting;
    if (first === undefined) return;
    if (bytes >= first.length) this.#waiting.shift();
    else this.#waiting[0] = first.subarray(bytes);
  }

  #giveUp(): void {
    const lines = this.#waiting.reduce(
      (sum, bytes) => sum + bytes.toString("latin1").split("\n").length - 1,
      0,
    );
    this.#waiting.length = 0;
    this.#waitingBytes = 0;
    this.#retry?.cancel();
    this.#retry = undefined;
    this.#isBroken = true;
    this.#lose(lines);
  }

  #lose(lines: number): void {
    this.#lost += lines;
    this.#lostSince += lines;
  }

  #tellLoss(): void {
    const lines = this.#lostSince;
    if (lines === 0 || this.#isBroken) return;
    this.#lostSince = 0;
    this.#onLoss(lines);
  }
}

/** Between two looks of a flush, in milliseconds. */
const flushLookMs = 5;
