import { addon } from "../addon.ts";

const native = addon as { netlinkRequest(fd: number, messages: Uint8Array): Promise<Buffer> };

/**
 * Sends messages, which must all ask for an acknowledgement, to the kernel over a netlink socket
 * and resolves with all its answers, one after the other (at most 64 KiB). The socket must stay
 * open until then, and carries one request at a time.
 */
export function netlinkRequest(fd: number, messages: Uint8Array): Promise<Buffer> {
  return native.netlinkRequest(fd, messages);
}
