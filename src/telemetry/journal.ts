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

/** The ring. What is in it may hold secrets, as a line does before it is written: it leaves redacted. */
export class Journal {
  readonly #records: { readonly record: LogRecord; readonly characters: number }[] = [];
  #characters = 0;

  /** Keep a line. */
  add({ fields, ...rest }: LogRecord): void {
    const record = { ...rest, fields: shortened(fields) };
    const characters = charactersOf(record);
    this.#records.push({ record, characters });
    this.#characters += characters;
    while (this.#records.length > maxRecords || this.#characters > maxCharacters)
      this.#characters -= this.#records.shift()?.characters ?? 0;
  }

  /** Everything that is kept, oldest first. */
  records(): readonly LogRecord[] {
    return this.#records.map(({ record }) => record);
  }
}

function shortened(fields: LogFields): LogFields {
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]) => {
      if (value === undefined) return [];
      const isLong = typeof value === "string" && value.length > maxText;
      return [[name, isLong ? `${value.slice(0, maxText)}…` : value]];
    }),
  );
}

function charactersOf({ at, scope, message, fields }: LogRecord): number {
  let sum = at.length + scope.length + message.length;
  for (const [name, value] of Object.entries(fields)) sum += name.length + String(value).length;
  return sum;
}
