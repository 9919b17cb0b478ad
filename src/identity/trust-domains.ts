/**
 * Which trust domains a source vouches for over time: it has the last word on its own name.
 *
 * A mesh that moves from one to another has peers in both until every certificate was renewed. The source's root has
 * vouched for the former ones, so it goes on doing so.
 */

/** The source's trust domain of the moment first, then its aliases. */
export type TrustDomainNames = readonly string[];

/** Enough for a migration and its way back: a source that changes with each certificate fills no memory. */
const maxNames = 4;

/** Follows what a source says. */
export class TrustDomains {
  #names: TrustDomainNames = [];
  #told: string | undefined;

  /** The newest certificate is of `own`, and `configured` was asked for, if anything was. */
  take(own: string, configured: string | undefined): TrustDomainNames {
    const names = [own, ...this.#names, ...(configured === undefined ? [] : [configured])];
    this.#names = [...new Set(names)].filter((name) => name !== "").slice(0, maxNames);
    return this.#names;
  }

  /** True once for each pair of names that differ. */
  isNews(own: string, configured: string): boolean {
    const pair = `${own} ${configured}`;
    if (this.#told === pair) return false;
    this.#told = pair;
    return own !== configured;
  }
}
