/**
 * The last lines of the agent's own log, kept in memory: for whoever comes when the log itself is out of reach, and for
 * whoever wants to know what has happened rather than what is.
 */
import type { LogFields, LogLevel } from "./log.ts";

/** One line of the log. */
export interface LogRecord {
  /** ISO 8601. */
  readonly at: string;
  readonly level: LogLevel;
  readonly scope: string;
  readonly message: string;
  /** Undefined ones are left out. */
  readonly fields: LogFields;
}

/** Lines that are kept at most. */
const maxRecords = 400;
/** Characters of all that are kept; the oldest give way. */
const maxCharacters = 131_072;
/** Longest text of a field. */
const maxText = 1_024;

/** The ring. */
export class Journal {
  readonly #redact: (text: string) => string;
  readonly #records: { readonly record: LogRecord; readonly characters: number }[] = [];
  #characters = 0;

  /** @param redact takes known secrets out of a text; what becomes known later is taken out when a line leaves */
  constructor(redact: (text: string) => string) {
    this.#redact = redact;
  }

  /** Keep a line. */
  add({ fields, ...rest }: LogRecord): void {
    const record = { ...rest, fields: this.#shortened(fields) };
    const characters = charactersOf(record);
    this.#records.push({ record, characters });
    this.#characters += characters;
    while (this.#records.length > maxRecords || this.#characters > maxCharacters)
      this.#characters -= this.#records.shift()?.characters ?? 0;
  }

  /** A secret that is cut is known to nobody any more: it goes before anything is cut. */
  #shortened(fields: LogFields): LogFields {
    return Object.fromEntries(
      Object.entries(fields).flatMap(([name, value]) => {
        if (value === undefined) return [];
        const isLong = typeof value === "string" && value.length > maxText;
        return [[name, isLong ? `${this.#redact(value).slice(0, maxText)}…` : value]];
      }),
    );
  }

  /** Everything that is kept, oldest first. */
  records(): readonly LogRecord[] {
    return this.#records.map(({ record }) => record);
  }
}

function charactersOf({ at, scope, message, fields }: LogRecord): number {
  let sum = at.length + scope.length + message.length;
  for (const [name, value] of Object.entries(fields)) sum += name.length + String(value).length;
  return sum;
}
