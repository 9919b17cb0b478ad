/** One try of an export, whatever protocol it goes by. */
import { readRegularFile } from "../files/read-regular-file.ts";
import type { OtlpTls } from "./options.ts";

/** What is sent. */
export interface Exchange {
  /** Compressed as the target wants it. */
  readonly body: Uint8Array;
  /** Until the end of all tries, in milliseconds. */
  readonly leftMs: number;
  readonly signal: AbortSignal;
}

/** A try that failed for good. */
export class RefusedError extends Error {
  override readonly name = "RefusedError";
}

/** Largest answer that is read: an OTLP collector has little to say, in bytes. */
export const maxAnswerBytes = 65_536;

/** PEM that authenticates both sides. */
export interface TlsFiles {
  /** Undefined for the roots of Node.js. */
  readonly roots: Buffer | undefined;
  readonly certificate: Buffer | undefined;
  readonly key: Buffer | undefined;
}

/** Read for each try: certificates are replaced while the agent runs. @throws Error for a file that cannot be read */
export function readTls({ rootPath, certificatePath, keyPath }: OtlpTls): TlsFiles {
  const read = (path: string | undefined): Buffer | undefined =>
    path === undefined ? undefined : readRegularFile(path);
  return { roots: read(rootPath), certificate: read(certificatePath), key: read(keyPath) };
}
