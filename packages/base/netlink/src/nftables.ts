import { attribute, message, nest, NLM_F, text, u8 } from "./message.ts";
import type { Step } from "./rtnetlink.ts";

// Of linux/netfilter/nfnetlink.h and nf_tables.h.
const NFNL_MSG_BATCH = { BEGIN: 0x10, END: 0x11 } as const;
const subsystem = 10;
const NFT_MSG = { NEWTABLE: 0, DELTABLE: 2, NEWCHAIN: 3, NEWRULE: 6 } as const;
const TABLE_NAME = 1;
const CHAIN = { TABLE: 1, NAME: 3, HOOK: 4, TYPE: 7 } as const;
const HOOK = { NUMBER: 1, PRIORITY: 2 } as const;
const RULE = { TABLE: 1, CHAIN: 2, EXPRESSIONS: 4 } as const;
const LIST_ELEMENT = 1;
const EXPRESSION = { NAME: 1, DATA: 2 } as const;
const DATA_VALUE = 1;
const PAYLOAD = { REGISTER: 1, BASE: 2, OFFSET: 3, LENGTH: 4 } as const;
const META = { REGISTER: 1, KEY: 2, L4PROTO: 16 } as const;
const CMP = { REGISTER: 1, OPERATOR: 2, DATA: 3, EQUAL: 0 } as const;
const IMMEDIATE = { REGISTER: 1, DATA: 2 } as const;
const NAT = { TYPE: 1, FAMILY: 2, ADDRESS_REGISTER: 3, PORT_REGISTER: 5, DESTINATION: 1 } as const;
const NLM_F_APPEND = 0x800;
const ipv4 = 2;

/** Where a packet's headers begin. */
const base = { network: 1, transport: 2 } as const;

/** nf_tables speaks the network's byte order. */
function be32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function request(name: string, type: number, flags: number, ...attributes: readonly Buffer[]): Step {
  return { name, message: message((subsystem << 8) | type, flags, Buffer.of(ipv4, 0, 0, 0), ...attributes) };
}

/** One part of a rule, which compares or loads or acts. */
export type Expression = Buffer;

function expression(name: string, ...data: readonly Buffer[]): Expression {
  return nest(LIST_ELEMENT, attribute(EXPRESSION.NAME, text(name)), nest(EXPRESSION.DATA, ...data));
}

function equals(value: Buffer): Expression {
  return expression(
    "cmp",
    attribute(CMP.REGISTER, be32(1)),
    attribute(CMP.OPERATOR, be32(CMP.EQUAL)),
    nest(CMP.DATA, attribute(DATA_VALUE, value)),
  );
}

function load(header: keyof typeof base, offset: number, length: number): Expression {
  return expression(
    "payload",
    ...[attribute(PAYLOAD.REGISTER, be32(1)), attribute(PAYLOAD.BASE, be32(base[header]))],
    ...[attribute(PAYLOAD.OFFSET, be32(offset)), attribute(PAYLOAD.LENGTH, be32(length))],
  );
}

/** `ip daddr ADDRESS` @param address four bytes */
export function toAddress(address: Buffer): Expression[] {
  return [load("network", 16, 4), equals(address)];
}

/** `udp dport PORT` or `tcp dport PORT`: @param protocol its number in IP */
export function toPort(protocol: number, port: number): Expression[] {
  const isProtocol = [
    expression("meta", attribute(META.REGISTER, be32(1)), attribute(META.KEY, be32(META.L4PROTO))),
    equals(u8(protocol)),
  ];
  return [...isProtocol, load("transport", 2, 2), equals(Buffer.of(port >> 8, port & 0xff))];
}

/** `dnat to ADDRESS:PORT` */
export function destinationNat(address: Buffer, port: number): Expression[] {
  const put = (register: number, value: Buffer) =>
    expression(
      "immediate",
      attribute(IMMEDIATE.REGISTER, be32(register)),
      nest(IMMEDIATE.DATA, attribute(DATA_VALUE, value)),
    );
  const nat = [
    attribute(NAT.TYPE, be32(NAT.DESTINATION)),
    attribute(NAT.FAMILY, be32(ipv4)),
    attribute(NAT.ADDRESS_REGISTER, be32(1)),
    attribute(NAT.PORT_REGISTER, be32(2)),
  ];
  return [put(1, address), put(2, Buffer.of(port >> 8, port & 0xff)), expression("nat", ...nat)];
}

/** A table of IPv4; one that is there already stays. */
export function addTable(name: string): Step {
  return request(`adding the table ${name}`, NFT_MSG.NEWTABLE, NLM_F.CREATE, attribute(TABLE_NAME, text(name)));
}

/** A table and all that is in it. */
export function deleteTable(name: string): Step {
  return request(`deleting the table ${name}`, NFT_MSG.DELTABLE, 0, attribute(TABLE_NAME, text(name)));
}

/** A chain of type nat that sees what leaves the namespace's own programs, before it is routed. */
export function addOutputNatChain(table: string, name: string): Step {
  const hook = nest(CHAIN.HOOK, attribute(HOOK.NUMBER, be32(3)), attribute(HOOK.PRIORITY, be32(-100)));
  return request(
    `adding the chain ${name}`,
    NFT_MSG.NEWCHAIN,
    NLM_F.CREATE,
    attribute(CHAIN.TABLE, text(table)),
    attribute(CHAIN.NAME, text(name)),
    hook,
    attribute(CHAIN.TYPE, text("nat")),
  );
}

/** A rule at the end of a chain. */
export function addRule(table: string, chain: string, expressions: readonly Expression[]): Step {
  return request(
    `adding a rule to the chain ${chain}`,
    NFT_MSG.NEWRULE,
    NLM_F.CREATE | NLM_F_APPEND,
    attribute(RULE.TABLE, text(table)),
    attribute(RULE.CHAIN, text(chain)),
    nest(RULE.EXPRESSIONS, ...expressions),
  );
}

/** The steps as one transaction: all of them happen, or none. */
export function transaction(changes: readonly Step[]): Step[] {
  const mark = (name: string, type: number) => ({
    name,
    message: message(type, 0, Buffer.of(0, 0, 0, subsystem)),
    silent: true,
  });
  return [
    mark("beginning a transaction", NFNL_MSG_BATCH.BEGIN),
    ...changes,
    mark("ending a transaction", NFNL_MSG_BATCH.END),
  ];
}
