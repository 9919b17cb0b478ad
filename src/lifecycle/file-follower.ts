/**
 * The contents of files that others replace, and notice of each change.
 *
 * A Kubernetes volume changes by swapping a symbolic link far from the file, and a watch may be lost without a
 * word. What `stat` says at the end of all links tells each time, for some microseconds; a file that was written
 * twice within one tick of the file system's clock is found by reading it again now and then.
 */
import { statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { errorCode, errorMessage } from "./error-message.ts";
import { sleep } from "./sleep.ts";

/** What is in a file, or why that is not known. */
export type FileText =
  { readonly kind: "read"; readonly text: string } | { readonly kind: "unreadable"; readonly reason: string };

/** Contents by path. */
export type FileTexts = ReadonlyMap<string, FileText>;

/** A file is read at every so many looks even if `stat` says that it is the same. */
const looksBetweenReads = 20;

interface Seen {
  readonly signature: string;
  readonly content: FileText;
}

/** Follows a set of files that may itself change. */
export class FileFollower {
  readonly #paths: () => Iterable<string>;
  readonly #onChange: (texts: FileTexts) => void;
  #seen = new Map<string, Seen>();
  #published = new Map<string, FileText>();
  #unsettled: ReadonlyMap<string, FileText> | undefined;
  #looks = 0;
  #looking: Promise<void> = Promise.resolve();

  /**
   * @param paths asked at every look
   * @param onChange gets all contents: at the first look, when a path is added, and when a change has settled,
   *   which is when two looks in a row see the same
   */
  constructor(paths: () => Iterable<string>, onChange: (texts: FileTexts) => void) {
    this.#paths = paths;
    this.#onChange = onChange;
  }

  /** Look now. Looks never overlap. */
  look(): Promise<void> {
    this.#looking = this.#looking.then(() => this.#look());
    return this.#looking;
  }

  /** Look every `everyMs` milliseconds until `signal` aborts: a change is told after twice that at most. */
  async run(everyMs: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.look();
      await sleep(everyMs, signal);
    }
  }

  async #look(): Promise<void> {
    this.#looks += 1;
    const mustRead = this.#looks % looksBetweenReads === 0;
    const paths = [...new Set(this.#paths())];
    const seen = await Promise.all(paths.map((path) => this.#read(path, mustRead)));
    this.#seen = new Map(paths.map((path, index) => [path, seen[index] as Seen]));
    const current = new Map([...this.#seen].map(([path, { content }]) => [path, content]));
    const isNew = paths.some((path) => !this.#published.has(path));
    if (!isNew && sameTexts(current, this.#published)) {
      this.#unsettled = undefined;
      this.#published = current;
      return;
    }
    if (isNew || (this.#unsettled !== undefined && sameTexts(current, this.#unsettled))) {
      this.#unsettled = undefined;
      this.#published = current;
      this.#onChange(current);
    } else {
      this.#unsettled = current;
    }
  }

  async #read(path: string, mustRead: boolean): Promise<Seen> {
    const previous = this.#seen.get(path);
    const signature = await signatureOf(path);
    if (previous !== undefined && previous.signature === signature && !mustRead) return previous;
    return { signature, content: await contentOf(path) };
  }
}

function sameTexts(some: FileTexts, others: FileTexts): boolean {
  return [...some].every(([path, content]) => {
    const other = others.get(path);
    if (content.kind === "read") return other?.kind === "read" && content.text === other.text;
    return other?.kind === "unreadable" && content.reason === other.reason;
  });
}

async function signatureOf(path: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join(" ");
  } catch (error) {
    return errorCode(error) ?? "unknown";
  }
}

async function contentOf(path: string): Promise<FileText> {
  try {
    return { kind: "read", text: await readFile(path, "utf8") };
  } catch (error) {
    return { kind: "unreadable", reason: errorMessage(error) };
  }
}
