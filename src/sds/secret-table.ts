/**
 * Every secret that some stream wants, encoded once however many streams there are.
 *
 * A secret whose files are missing or do not fit stays as it was: the old pair is better than none.
 */
import { FileFollower, type FileTexts } from "../files/file-follower.ts";
import { clockJumps } from "../lifecycle/wall-clock.ts";
import { type ReadonlyWatch, Watch } from "../lifecycle/watch.ts";
import { keyFitsCertificate, readableCertificates, readCertificate } from "../pki/certificate.ts";
import { errorMessage } from "../lifecycle/error-message.ts";
import { joinPem, splitPem } from "../pki/pem.ts";
import { systemRootPaths } from "../pki/system-roots.ts";
import type { Logger } from "../telemetry/log.ts";
import { filesOf, parseSecretName, type SecretName } from "./secret-name.ts";
import {
  encodeFederatedRoots,
  encodeKeyPair,
  encodeRoots,
  type PrivateKeyProviderOptions,
  type SdsSecrets,
} from "./secrets.ts";

/** Encoded secrets by name. */
export type EncodedSecrets = ReadonlyMap<string, Buffer>;

/** What the secrets are made with. */
export interface SecretTableOptions {
  /** PEM file of revoked certificates, which goes with every root while it exists; undefined looks for none. */
  readonly crlPath: string | undefined;
  readonly privateKeyProvider: PrivateKeyProviderOptions | undefined;
}

/** The table; `run` keeps it up to date. */
export class SecretTable {
  readonly #options: SecretTableOptions;
  readonly #secrets: ReadonlyWatch<SdsSecrets>;
  readonly #log: Logger;
  readonly #files: FileFollower;
  readonly #encoded = new Watch<EncodedSecrets>(new Map());
  /** Names of files that streams want, with their number. */
  readonly #wanted = new Map<string, { readonly secret: SecretName; streams: number }>();
  #texts: FileTexts = new Map();
  /** What is wrong with a name, so that it is said once. */
  readonly #problems = new Map<string, string>();

  constructor(options: SecretTableOptions, secrets: ReadonlyWatch<SdsSecrets>, log: Logger) {
    this.#options = options;
    this.#secrets = secrets;
    this.#log = log;
    this.#files = new FileFollower(
      () => this.#paths(),
      (texts) => {
        this.#texts = texts;
        this.#update();
      },
    );
  }

  get encoded(): ReadonlyWatch<EncodedSecrets> {
    return this.#encoded;
  }

  /** Follow the workload's secret and all files, until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#files.run(signal), this.#followSecrets(signal), this.#followClock(signal)]);
  }

  /** A file that was refused for its time may be good once the clock is set. */
  async #followClock(signal: AbortSignal): Promise<void> {
    for await (const _ of clockJumps(() => new Date(), signal)) this.#update();
  }

  /** A stream wants these known names as well. Resolves when those that there are have been read. */
  async want(names: Iterable<string>): Promise<void> {
    let isNew = false;
    for (const name of names) {
      const secret = parseSecretName(name);
      if (secret === undefined || filesOf(secret).length === 0) continue;
      const entry = this.#wanted.get(name) ?? { secret, streams: 0 };
      isNew ||= entry.streams === 0;
      entry.streams += 1;
      this.#wanted.set(name, entry);
    }
    if (isNew) await this.#files.look();
  }

  /** A stream no longer wants these. */
  letGo(names: Iterable<string>): void {
    for (const name of names) {
      const entry = this.#wanted.get(name);
      if (entry === undefined) continue;
      entry.streams -= 1;
      if (entry.streams === 0) {
        this.#wanted.delete(name);
        this.#problems.delete(name);
      }
    }
  }

  async #followSecrets(signal: AbortSignal): Promise<void> {
    for await (const _ of this.#secrets.changes(signal)) this.#update();
  }

  *#paths(): Generator<string> {
    if (this.#options.crlPath !== undefined) yield this.#options.crlPath;
    for (const { secret } of this.#wanted.values()) yield* filesOf(secret);
  }

  #update(): void {
    const before = this.#encoded.current;
    const { workload, rootPem, crlPem, federation } = this.#secrets.current;
    const crl = this.#textOf(this.#options.crlPath ?? "");
    const lists = [crl, crlPem].filter((list) => list !== undefined);
    const revoked = lists.length === 0 ? undefined : lists.join("\n");
    const after = new Map<string, Buffer>();
    const put = (name: string, bytes: Buffer): void => {
      // The same bytes stay the same object, which makes comparing them cheap for every stream.
      const old = before.get(name);
      after.set(name, old?.equals(bytes) === true ? old : bytes);
    };
    if (workload !== undefined)
      put("default", encodeKeyPair("default", workload, this.#options.privateKeyProvider));
    if (rootPem !== undefined && federation !== undefined)
      put("ROOTCA", encodeFederatedRoots("ROOTCA", rootPem, federation, revoked));
    else if (rootPem !== undefined) put("ROOTCA", encodeRoots("ROOTCA", rootPem, revoked));
    for (const [name, { secret }] of this.#wanted) {
      const bytes = this.#encodeFiles(name, secret, crl) ?? before.get(name);
      if (bytes !== undefined) put(name, bytes);
    }
    if (after.size === before.size && [...after].every(([name, bytes]) => before.get(name) === bytes)) return;
    this.#encoded.set(after);
  }

  #encodeFiles(name: string, secret: SecretName, crl: string | undefined): Buffer | undefined {
    try {
      const bytes = this.#readFiles(name, secret, crl);
      if (this.#problems.delete(name)) this.#log.info("secret from files is good again", { resource: name });
      return bytes;
    } catch (error) {
      const reason = errorMessage(error);
      if (this.#problems.get(name) !== reason)
        this.#log.warn("secret from files cannot be served as they are now", { resource: name, reason });
      this.#problems.set(name, reason);
      return undefined;
    }
  }

  #readFiles(name: string, secret: SecretName, crl: string | undefined): Buffer | undefined {
    switch (secret.kind) {
      case "file-pair": {
        const certificateChainPem = this.#read(secret.certificateChainPath);
        const privateKeyPem = this.#read(secret.privateKeyPath);
        const [leaf = ""] = splitPem(certificateChainPem);
        if (!keyFitsCertificate(privateKeyPem, leaf))
          throw new Error("the key and the certificate are not a pair");
        const { notAfter } = readCertificate(leaf);
        // What was served before may be good still; where nothing was, some clients do not look at the time.
        if (this.#encoded.current.has(name) && notAfter.getTime() <= Date.now())
          throw new Error(`the certificate expired at ${notAfter.toISOString()}`);
        return encodeKeyPair(name, { certificateChainPem, privateKeyPem }, this.#options.privateKeyProvider);
      }
      case "file-root":
        return encodeRoots(name, this.#roots(secret.path), crl);
      case "system-roots": {
        const path = systemRootPaths.find((candidate) => this.#textOf(candidate) !== undefined);
        if (path === undefined) throw new Error("this system has no roots in any of the usual places");
        return encodeRoots(name, this.#roots(path), crl);
      }
      case "workload":
      case "root":
        return undefined;
    }
  }

  #roots(path: string): string {
    const roots = readableCertificates(this.#read(path));
    if (roots.length === 0) throw new Error(`${path} holds no certificate`);
    return joinPem(roots);
  }

  #textOf(path: string): string | undefined {
    const text = this.#texts.get(path);
    return text?.kind === "read" && text.text.trim() !== "" ? text.text : undefined;
  }

  #read(path: string): string {
    const text = this.#texts.get(path);
    if (text?.kind === "unreadable") throw new Error(`${path} cannot be read: ${text.reason}`);
    const content = this.#textOf(path);
    if (content === undefined) throw new Error(`${path} is empty`);
    return content;
  }
}
