export { createClient } from "./client.ts";
export { Connection, isConnectionLost } from "./connection.ts";
export { namespaceKey, type Metadata } from "./metadata.ts";
export { Server } from "./server.ts";
export type { CallContext, ServiceHandlers } from "./service.ts";
