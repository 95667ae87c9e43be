import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Unknown } from "@longshore/errdefs";
import { AnySchema, create, toBinary } from "@longshore/proto/message";
import type { ServiceClient } from "@longshore/proto";
import { Events } from "@longshore/proto/containerd/services/events/ttrpc/v1/events";
import { Connection, createClient, namespaceKey } from "@longshore/ttrpc";
import type { Children } from "../task/children.ts";
import type { Deliver } from "./events.ts";
import { plainEnvironment } from "../self.ts";
import { timestamp } from "./timestamp.ts";

/** Delivers over ttrpc to containerd's events service at `address`, on one connection kept open. */
export function ttrpcDelivery(address: string, namespace: string): Deliver {
  let client: Promise<ServiceClient<typeof Events>> | undefined;
  const connect = async (): Promise<ServiceClient<typeof Events>> => {
    const connection = await Connection.open(address);
    void connection.closed.then(() => (client = undefined));
    return createClient(Events, connection, { metadata: { [namespaceKey]: namespace }, timeoutMs: 5000 });
  };
  return async ({ topic, time, event }) => {
    client ??= connect().catch((error: unknown) => {
      client = undefined;
      throw error;
    });
    const events = await client;
    await events.forward({ envelope: { timestamp: timestamp(time), namespace, topic, event } });
  };
}

/** Delivers by `containerd publish`, for a containerd that named no ttrpc socket. */
export function publishDelivery(children: Children, binary: string, address: string, namespace: string): Deliver {
  return async ({ topic, event }) => {
    const folder = mkdtempSync(join(process.env["TMPDIR"] || "/tmp", "longshore-event-"));
    try {
      writeFileSync(join(folder, "event"), toBinary(AnySchema, create(AnySchema, event)));
      const stdin = openSync(join(folder, "event"), "r");
      try {
        const argv = [binary, "--address", address, "publish", "--topic", topic, "--namespace", namespace];
        const { status } = await children.spawn(binary, { argv, fds: [stdin, -1, -1], env: plainEnvironment() }).exit;
        if (status !== 0) throw new Unknown(`${binary} publish: exit status ${status}`);
      } finally {
        closeSync(stdin);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  };
}
