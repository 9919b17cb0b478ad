/**
 * The contents of files that others replace, and notice of each change.
 */
import { errorMessage } from "../lifecycle/error-message.ts";
import { TickWait } from "../lifecycle/tick.ts";
import { lookAtFiles, type Signatures, signaturesOf } from "./file-looks.ts";
import { readRegularText } from "./read-regular-file.ts";

/** What is in a file, or why that is not known. */
export type FileText =
  { readonly kind: "read"; readonly text: string } | { readonly kind: "unreadable"; readonly reason: string };

/** Contents by path. */
export type FileTexts = ReadonlyMap<string, FileText>;

interface Seen {
  readonly signature: string;
  readonly content: FileText;
}

/** Follows a set of files that may itself change. */
export class FileFollower {
  readonly #paths: () => Iterable<string>;
  readonly #onChange: (texts: FileTexts) => void;
  readonly #onUnwatched: (() => void) | undefined;
  #seen = new Map<string, Seen>();
  #published = new Map<string, FileText>();
  #unsettled: ReadonlyMap<string, FileText> | undefined;
  #looking: Promise<boolean> = Promise.resolve(true);
  readonly #wait = new TickWait();

  /**
   * @param paths asked at every look
   * @param onChange gets all contents: at the first look, when a path is added, and when a change has settled,
   *   which is when two looks in a row see the same
   * @param onUnwatched something of theirs is not watched, or no longer: looking is left
   */
  constructor(paths: () => Iterable<string>, onChange: (texts: FileTexts) => void, onUnwatched?: () => void) {
    this.#onUnwatched = onUnwatched;
    this.#paths = paths;
    this.#onChange = onChange;
  }

  /** Look now, at what `stat` says is new. Looks never overlap. */
  async look(): Promise<void> {
    this.#wait.hasten();
    await this.#lookInTurn(signaturesOf(this.#paths()), false);
  }

  /** Look at each notice, and now and then, until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const look = (signatures: Signatures): Promise<boolean> => this.#lookInTurn(signatures, true);
    await lookAtFiles({ paths: this.#paths, look, onUnwatched: this.#onUnwatched, wait: this.#wait }, signal);
  }

  #lookInTurn(signatures: Signatures, mustRead: boolean): Promise<boolean> {
    this.#looking = this.#looking.then(() => this.#look(signatures, mustRead));
    return this.#looking;
  }

  /** True when nothing is left to settle. */
  #look(signatures: Signatures, mustRead: boolean): boolean {
    const seen = [...signatures].map(([path, signature]) => {
      const previous = this.#seen.get(path);
      const isKnown = previous?.signature === signature && !mustRead;
      return [path, isKnown ? previous : { signature, content: contentOf(path) }] as const;
    });
    this.#seen = new Map(seen);
    const current = new Map(seen.map(([path, { content }]) => [path, content]));
    const isNew = seen.some(([path]) => !this.#published.has(path));
    if (!isNew && sameTexts(current, this.#published)) {
      this.#unsettled = undefined;
      this.#published = current;
      return true;
    }
    if (isNew || (this.#unsettled !== undefined && sameTexts(current, this.#unsettled))) {
      this.#unsettled = undefined;
      this.#published = current;
      this.#onChange(current);
      return true;
    }
    this.#unsettled = current;
    return false;
  }
}

function sameTexts(some: FileTexts, others: FileTexts): boolean {
  return [...some].every(([path, content]) => {
    const other = others.get(path);
    if (content.kind === "read") return other?.kind === "read" && content.text === other.text;
    return other?.kind === "unreadable" && content.reason === other.reason;
  });
}

/** Synchronous: regular files of a bounded size only, and nothing that a read could wait for. */
function contentOf(path: string): FileText {
  try {
    return { kind: "read", text: readRegularText(path) };
  } catch (error) {
    return { kind: "unreadable", reason: errorMessage(error) };
  }
}
