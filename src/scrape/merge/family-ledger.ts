/**
 * Which families have been written in one scrape, and what is to be done with one that comes again.
 *
 * The first source that has a family says what it is. Prometheus takes samples of it from others in the text format, as long
 * as nobody says twice what it is; OpenMetrics wants a family in one piece, and no two whose samples could be confused.
 */
import {
  type Family,
  type FamilyType,
  type Format,
  openMetricsName,
  sampleNames,
} from "../formats/family.ts";
import type { ConflictKind, DropReason } from "./tally.ts";

/** What a family comes to. */
export type Verdict =
  /** Its lines of metadata, and its samples; `type` is as what. */
  | { readonly kind: "first"; readonly type: FamilyType }
  /** Its samples alone. */
  | { readonly kind: "again"; readonly conflict: ConflictKind | undefined }
  | { readonly kind: "drop"; readonly reason: DropReason; readonly conflict: ConflictKind | undefined };

/** Names that are kept, each of them once or several times. */
const mostNames = 65_536;

const reserved: Pick<Family, "type" | "help"> = { type: "gauge", help: undefined };

/** For one scrape. */
export class FamilyLedger {
  readonly #format: Format;
  readonly #isWanted: (name: string) => boolean;
  readonly #families = new Map<string, Pick<Family, "type" | "help">>();
  /** Of OpenMetrics' families and samples. */
  readonly #taken = new Set<string>();

  /** @param isWanted false for a family that is to be left out */
  constructor(format: Format, isWanted: (name: string) => boolean) {
    this.#format = format;
    this.#isWanted = isWanted;
  }

  /** @param sample name of its first sample, if it is known */
  begin(family: Family, sample: string = family.name): Verdict {
    const { name, type, help } = family;
    const known = this.#families.get(name);
    if (known !== undefined) return this.#again(known, family);
    if (!this.#isWanted(name)) return { kind: "drop", reason: "filtered", conflict: undefined };
    if (this.#families.size >= mostNames || this.#taken.size >= mostNames * 4)
      return { kind: "drop", reason: "family_limit", conflict: undefined };
    const written = this.#format === "text" ? type : this.#take(family, sample);
    if (written === undefined) return { kind: "drop", reason: "repeated_family", conflict: "family" };
    this.#families.set(name, { type, help });
    return { kind: "first", type: written };
  }

  /** A name that is for nobody. */
  reserve(name: string): void {
    this.#families.set(name, reserved);
    this.#taken.add(name);
  }

  #again(known: Pick<Family, "type" | "help">, { type, help }: Family): Verdict {
    if (known === reserved) return { kind: "drop", reason: "repeated_family", conflict: "family" };
    if (known.type !== type && known.type !== "unknown" && type !== "unknown")
      return { kind: "drop", reason: "type_conflict", conflict: "type" };
    const isOther = help !== undefined && known.help !== undefined && help !== known.help;
    if (this.#format === "openmetrics")
      return { kind: "drop", reason: "repeated_family", conflict: "family" };
    return { kind: "again", conflict: isOther ? "help" : undefined };
  }

  /** As what OpenMetrics may have it; undefined where all its names would be confused with others. */
  #take(family: Family, sample: string): FamilyType | undefined {
    const types: readonly FamilyType[] =
      openMetricsName(family) === undefined ? ["unknown"] : [family.type, "unknown"];
    return types.find((type) => {
      const names = [
        openMetricsName({ ...family, type }) ?? family.name,
        ...sampleNames({ ...family, type }),
      ];
      if (names.some((name) => this.#taken.has(name))) return false;
      // As something else it would have samples of other names.
      if (type !== family.type && (family.type !== "counter" || sample !== family.name)) return false;
      for (const name of names) this.#taken.add(name);
      return true;
    });
  }
}
