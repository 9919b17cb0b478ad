/** Values of figures as they are measured, over runs that alternate between subjects. */
import type { Figure } from "./figure.ts";

/** Of one bench. */
export class Notes {
  readonly #figures = new Map<string, Figure & { readonly values: number[] }>();

  /** @param aim what it should not miss, if anything */
  add(name: string, subject: string, unit: Figure["unit"], value: number, aim?: number): void {
    const key = JSON.stringify([name, subject]);
    const figure = this.#figures.get(key) ?? {
      ...{ name, subject, unit, values: [] },
      ...(aim === undefined ? {} : { aim }),
    };
    figure.values.push(value);
    this.#figures.set(key, figure);
  }

  /** Those of one run. */
  addAll(figures: readonly Figure[]): void {
    for (const { name, subject, unit, values, aim } of figures)
      for (const value of values) this.add(name, subject, unit, value, aim);
  }

  get figures(): readonly Figure[] {
    return [...this.#figures.values()];
  }
}
