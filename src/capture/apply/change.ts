/**
 * From what the kernel holds to what is wanted, as one input of `iptables-restore --noflush`: each table changes at
 * once, and rules of others stay where they are.
 */
import { meanwhile } from "./meanwhile.ts";
import { isEmpty, isSame, type TableState } from "./table-state.ts";

/** One table as it is and as it is to be. */
export interface TableChange {
  readonly held: TableState;
  readonly wanted: TableState;
}

/** Empty when nothing has to change. */
export function changeInput(changes: readonly TableChange[], force = false): string {
  const due = changes.filter(
    ({ held, wanted }) => !isSame(held, wanted) || (force && !(isEmpty(held) && isEmpty(wanted))),
  );
  const [losing, gaining] = [due.filter(isLoss), due.filter((change) => !isLoss(change))];
  // Tables that capture less than before come last: what they captured is captured elsewhere by then.
  const steps =
    gaining.length === 0
      ? losing
      : [
          ...losing.map(({ held, wanted }) => ({ held, wanted: meanwhile(held, wanted) })),
          ...gaining,
          ...losing.map(({ held, wanted }) => ({ held: meanwhile(held, wanted), wanted })),
        ];
  return steps
    .filter((step) => force || !isSame(step.held, step.wanted))
    .flatMap(tableLines)
    .map((line) => `${line}\n`)
    .join("");
}

function isLoss({ held, wanted }: TableChange): boolean {
  return wanted.guests.length < held.guests.length;
}

function tableLines({ held, wanted }: TableChange): readonly string[] {
  const gone = [...held.chains.keys()].filter((chain) => !wanted.chains.has(chain));
  return [
    `*${wanted.table}`,
    // A chain that is there is emptied.
    ...[...wanted.chains.keys(), ...gone].map((chain) => `:${chain} - [0:0]`),
    ...held.guests.map(({ chain, specification }) => `-D ${chain} ${specification}`),
    ...[...wanted.chains].flatMap(([chain, rules]) => rules.map((rule) => `-A ${chain} ${rule}`.trimEnd())),
    ...wanted.guests.map(({ chain, at, specification }) =>
      at === undefined ? `-A ${chain} ${specification}` : `-I ${chain} ${at} ${specification}`,
    ),
    ...gone.map((chain) => `-X ${chain}`),
    "COMMIT",
  ];
}
