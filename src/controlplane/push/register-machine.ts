/**
 * Registers the machine of a proxy that asks for it, before it is served.
 */
import { GrpcError } from "../../grpc/grpc-error.ts";
import { Deadline } from "../../lifecycle/timer.ts";
import { type MachineRegistry, machineOf, type RegisteredMachine } from "../model/machine-of.ts";
import type { Proxy } from "../model/proxy.ts";
import type { BindingContext } from "./bound-snapshot.ts";

/** How long a new machine waits to be in the model, so that what it is told first is whole, in milliseconds. */
const modelledWithinMs = 5_000;

/**
 * Resolves once others are told of it; with undefined for a proxy that does not ask.
 *
 * @throws GrpcError for one that may not
 */
export async function registerMachine(
  said: Proxy,
  context: BindingContext,
  machines: MachineRegistry,
): Promise<RegisteredMachine | undefined> {
  const { models, peer, policy } = context;
  const outcome = machineOf(said, peer, models.current.model, policy);
  if (outcome === undefined) return undefined;
  const registering = outcome.kind === "refused" ? outcome : machines.connect(outcome.machine);
  if (registering.kind === "refused") throw new GrpcError(registering.code, registering.reason);
  const { connection } = registering;
  if (connection.isServed) await modelled(said, connection, context);
  return connection;
}

/** What a machine is told follows from what stands for it; without it, it is told once more. */
async function modelled(
  { namespace }: Proxy,
  { name }: RegisteredMachine,
  { models }: BindingContext,
): Promise<void> {
  using deadline = new Deadline(modelledWithinMs);
  for await (const { model } of models.changes(deadline.signal))
    if (model.workloads.some((workload) => workload.name === name && workload.namespace === namespace))
      return;
}
