import type { MessageInitShape } from "@bufbuild/protobuf";
import type { AnySchema } from "@bufbuild/protobuf/wkt";
import { silent } from "@longshore/logger";
import type { MountSchema } from "@longshore/proto/containerd/types/types";
import type { ClientContext } from "../../connection/context.ts";
import type { ContainerdClient } from "../../connection/client.ts";

/** A containerd that the contract is held against. */
export interface ContractSubject {
  /** In a namespace that nobody else uses. */
  readonly client: ContainerdClient;
  readonly namespace: string;
  readonly snapshotter: string;
  /** The name of the shim that runs its tasks. */
  readonly runtime: string;
  /** An OCI spec of a container that runs `args` in `rootfs`; its init is to obey SIGTERM with code 7 when `args` are `obeys`. */
  spec(id: string, args: readonly string[]): MessageInitShape<typeof AnySchema>;
  /** An OCI process that runs `args` in such a container. */
  process(args: readonly string[]): MessageInitShape<typeof AnySchema>;
  rootfs(): MessageInitShape<typeof MountSchema>[];
  close(): Promise<void>;
}

/** What an init runs that ends with 7 when it is told to, and runs on until then. */
export const obeys = ["sh", "-c", "trap 'exit 7' TERM; while :; do sleep 0.02; done"];
/** What runs for long. */
export const lasts = ["sleep", "600"];

/** How a subject is reached by the tests of a part. */
export type Subject = () => ContractSubject;

export const contextOf = ({ client }: ContractSubject): ClientContext & { owner: string } => ({
  containerd: client,
  log: silent,
  owner: "contract",
});

/** Collects a stream of lists. */
export async function all<T, U>(stream: AsyncIterable<T>, pick: (message: T) => readonly U[]): Promise<U[]> {
  const found: U[] = [];
  for await (const message of stream) found.push(...pick(message));
  return found;
}
