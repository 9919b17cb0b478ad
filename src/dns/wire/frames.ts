/**
 * Messages on a TCP connection, each after its length (RFC 1035, 4.2.2).
 */

/** The message with its length before it. */
export function framed(message: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(2 + message.length);
  frame.writeUInt16BE(message.length, 0);
  message.copy(frame, 2);
  return frame;
}

/** Puts messages together from what arrives. */
export class FrameReader {
  #rest: Buffer = Buffer.alloc(0);

  /** The messages that are complete now. */
  *take(bytes: Buffer): Generator<Buffer, void, undefined> {
    this.add(bytes);
    for (let message = this.next(); message !== undefined; message = this.next()) yield message;
  }

  /** Something arrived. */
  add(bytes: Buffer): void {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
  }

  /** The next message; undefined while none is complete. */
  next(): Buffer | undefined {
    if (this.#rest.length < 2) return undefined;
    const end = 2 + this.#rest.readUInt16BE(0);
    if (this.#rest.length < end) return undefined;
    const message = this.#rest.subarray(2, end);
    this.#rest = this.#rest.subarray(end);
    return message;
  }
}
