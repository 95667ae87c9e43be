import { randomBytes } from "node:crypto";

/** 64 hex digits. */
export function newId(): string {
  return randomBytes(32).toString("hex");
}

/** RFC 3339 with nine digits, as Docker writes times. */
export function now(): string {
  return new Date().toISOString().replace("Z", "000000Z");
}
