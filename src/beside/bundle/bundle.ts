/**
 * The files of a diagnosis, and the list of what could not be had. Whatever is added is redacted here, in one place.
 */
import { redactInSlices } from "../../envoy/exits/admin-snapshot.ts";
import { errorMessage } from "../../lifecycle/error-message.ts";
import { redactText } from "../../telemetry/redact.ts";
import { redactDocument } from "../../telemetry/redact-json.ts";

/** One file of the archive. */
export interface BundleFile {
  readonly name: string;
  readonly content: Buffer;
}

/** Something that is not in the archive. */
export interface Missing {
  readonly name: string;
  readonly reason: string;
}

/** Up to this size a document is redacted as a whole, in characters. */
const wholeDocument = 64 * 1024;

/** Collects files. */
export class Bundle {
  readonly #secrets: readonly string[];
  readonly #files: BundleFile[] = [];
  readonly #missing: Missing[] = [];

  /** @param secrets known values that are secrets */
  constructor(secrets: readonly string[]) {
    this.#secrets = secrets;
  }

  /** Add a text without its secrets. */
  async add(name: string, text: string): Promise<void> {
    const clean =
      text.length <= wholeDocument
        ? redactDocument(text, this.#secrets)
        : await redactInSlices(text, this.#secrets);
    this.#files.push({ name, content: Buffer.from(clean) });
  }

  /** Note why something is not there. */
  miss(name: string, reason: string): void {
    this.#missing.push({ name, reason: redactText(reason, this.#secrets) });
  }

  /** Add what `read` gives; what it throws is the reason why it is missing. */
  async tryAdd(name: string, read: () => Promise<string> | string): Promise<void> {
    try {
      await this.add(name, await read());
    } catch (error) {
      this.miss(name, errorMessage(error));
    }
  }

  /** What has been added so far, in bytes. */
  get size(): number {
    return this.#files.reduce((sum, { content }) => sum + content.length, 0);
  }

  /** Names of what is there, and what is not, with the reason. */
  get contents(): { readonly names: readonly string[]; readonly missing: readonly Missing[] } {
    return { names: this.#files.map(({ name }) => name), missing: this.#missing };
  }

  /** Everything, the manifest first. */
  files(madeBy: string, at: Date): readonly BundleFile[] {
    const lines = [
      `made by ${madeBy} at ${at.toISOString()}`,
      "",
      ...this.#files.map(({ name, content }) => `${String(content.length).padStart(10)}  ${name}`),
      "",
      this.#missing.length === 0 ? "nothing is missing" : "missing:",
      ...this.#missing.map(({ name, reason }) => `  ${name}: ${reason}`),
    ];
    const manifest = { name: "MANIFEST", content: Buffer.from(`${lines.join("\n")}\n`) };
    return [manifest, ...this.#files];
  }
}
