import { endianness } from "node:os";

// Netlink speaks the machine's own byte order.
const little = endianness() === "LE";

export function u8(value: number): Buffer {
  return Buffer.of(value);
}

export function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  if (little) bytes.writeUInt16LE(value);
  else bytes.writeUInt16BE(value);
  return bytes;
}

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  if (little) bytes.writeUInt32LE(value);
  else bytes.writeUInt32BE(value);
  return bytes;
}

export function text(value: string): Buffer {
  return Buffer.from(`${value}\0`);
}

export function readU16(bytes: Buffer, at: number): number {
  return little ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at);
}

export function readU32(bytes: Buffer, at: number): number {
  return little ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at);
}

export function readI32(bytes: Buffer, at: number): number {
  return little ? bytes.readInt32LE(at) : bytes.readInt32BE(at);
}

/** Lengths are multiples of four, padding not counted where a length is given. */
export function aligned(length: number): number {
  return (length + 3) & ~3;
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes], aligned(bytes.length));
}

/** An attribute (`struct rtattr`), which holds a value or further attributes. */
export function attribute(type: number, ...value: readonly Buffer[]): Buffer {
  const payload = Buffer.concat(value);
  return padded(Buffer.concat([u16(4 + payload.length), u16(type), payload]));
}

const nested = 0x8000;

/** An attribute that holds further attributes and says so: nfnetlink's do. */
export function nest(type: number, ...attributes: readonly Buffer[]): Buffer {
  return attribute(type | nested, ...attributes);
}

/** Flags of `struct nlmsghdr`. */
export const NLM_F = { REQUEST: 1, ACK: 4, REPLACE: 0x100, EXCL: 0x200, CREATE: 0x400 } as const;

/** A request (`struct nlmsghdr` and what follows it) that is always acknowledged. */
export function message(type: number, flags: number, ...body: readonly Buffer[]): Buffer {
  const payload = Buffer.concat(body);
  return padded(
    Buffer.concat([
      u32(16 + payload.length),
      u16(type),
      u16(NLM_F.REQUEST | NLM_F.ACK | flags),
      u32(0),
      u32(0),
      payload,
    ]),
  );
}

/** Numbers a message; the answer to it carries the same number. */
export function setSequence(request: Buffer, sequence: number): void {
  u32(sequence).copy(request, 8);
}
