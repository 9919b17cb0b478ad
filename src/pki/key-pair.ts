/**
 * A new private key for the workload.
 *
 * A large RSA key takes seconds of a processor, and minutes of a small share of one. Node's own threads cannot be
 * taken off it, and the process does not end before they are done: such a key is made by a child, which can be killed.
 */
import { createPrivateKey, generateKeyPair, type KeyObject } from "node:crypto";
import { promisify } from "node:util";
import { spawnChild } from "../process/child.ts";

/** The workload's key. */
export type KeyAlgorithm = (
  | { readonly algorithm: "RSA"; readonly bits: number }
  | { readonly algorithm: "ECDSA"; readonly curve: "P256" | "P384" }
) & {
  /** PEM of PKCS #8 (RFC 5958) instead of the algorithm's own structure. */
  readonly pkcs8?: boolean;
};

/** Largest RSA key that is a matter of a moment. */
const largestQuickBits = 3_072;

/**
 * Make a key.
 *
 * @param signal ends the wait, and a child
 * @throws the signal's reason, or Error when the child makes none
 */
export async function generatePrivateKey(key: KeyAlgorithm, signal?: AbortSignal): Promise<KeyObject> {
  const generate = promisify(generateKeyPair);
  if (key.algorithm === "ECDSA") {
    const namedCurve = key.curve === "P256" ? "prime256v1" : "secp384r1";
    return (await generate("ec", { namedCurve })).privateKey;
  }
  if (key.bits <= largestQuickBits) return (await generate("rsa", { modulusLength: key.bits })).privateKey;
  return generateInChild(key.bits, signal);
}

async function generateInChild(bits: number, signal: AbortSignal | undefined): Promise<KeyObject> {
  signal?.throwIfAborted();
  const lines: string[] = [];
  const program =
    `const { privateKey } = require("node:crypto").generateKeyPairSync("rsa", { modulusLength: ${bits} });` +
    'process.stdout.write(privateKey.export({ type: "pkcs8", format: "pem" }));';
  const child = spawnChild({
    file: process.execPath,
    args: ["-e", program],
    env: {},
    stdout: (line) => lines.push(line),
    stderr: "ignore",
  });
  const kill = (): void => {
    child.kill("SIGKILL");
  };
  signal?.addEventListener("abort", kill, { once: true });
  try {
    const exit = await child.exited;
    signal?.throwIfAborted();
    await child.closed;
    if (exit.kind === "exited" && exit.code === 0) return createPrivateKey(lines.join("\n"));
    const reason =
      exit.kind === "not-started"
        ? exit.message
        : exit.kind === "exited"
          ? `exit code ${exit.code}`
          : exit.signal;
    throw new Error(`the process that makes an RSA key of ${bits} bits failed: ${reason}`);
  } finally {
    signal?.removeEventListener("abort", kill);
  }
}
