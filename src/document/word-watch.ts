/**
 * Looks at the words of a YAML text as they come, and stops what the library would go on and on about: brackets that
 * close nothing, anchors and tags of nothing, directives without end. Each costs it an error with a stack of its own.
 */
import { type DocumentLimits, partsFault } from "./limits.ts";

/** YAML knows two directives. */
const mostDirectives = 10;

/** Of one text. */
export class WordWatch {
  readonly #limits: DocumentLimits;
  readonly #mostStarts: number;
  #words = 0;
  #open = 0;
  #properties = 0;
  #directives = 0;
  #starts = 0;

  constructor(limits: DocumentLimits, mostStarts: number) {
    this.#limits = limits;
    this.#mostStarts = mostStarts;
  }

  /** What is wrong with the text once `word` has come; each of these is told of again and again by the library. */
  fault(word: string): string | undefined {
    this.#words += 1;
    if (this.#words > this.#limits.maxParts) return partsFault(this.#limits);
    switch (word[0]) {
      case "[":
      case "{":
        if (word.length === 1) this.#open += 1;
        break;
      case "]":
      case "}":
        this.#open -= 1;
        if (this.#open < 0) return "not valid YAML: a bracket closes nothing";
        break;
      case "&":
      case "!":
        this.#properties += 1;
        // An anchor and a tag belong to one value.
        return this.#properties > 2 * this.#limits.maxDepth
          ? "not valid YAML: anchors and tags of nothing"
          : undefined;
      case "%":
        this.#directives += 1;
        if (this.#directives > mostDirectives) return "not valid YAML: too many directives";
        break;
      case "-":
        if (word === "---") this.#starts += 1;
        if (this.#starts > this.#mostStarts) return manyDocuments;
        break;
      case " ":
      case "\n":
      case "\r":
        return undefined;
      default:
    }
    this.#properties = 0;
    return undefined;
  }
}

/** More than one where one is wanted. */
export const manyDocuments = "holds more than one document";
