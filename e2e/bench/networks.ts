import { compare, seconds, twoEngines } from "./engines.ts";

// 50 bridge networks created and removed over the API, one after the other, on two engines in turn:
//   node e2e/bench/networks.ts [--rounds 5] OURS PEER
const { engines, rounds } = twoEngines(5);
const name = (i: number): string => `networks-${process.pid}-${i}`;
const numbers = Array.from({ length: 50 }, (_, i) => i);
try {
  await compare(engines, rounds, async (engine) => ({
    create: await seconds(async () => {
      // Of RFC 2544's range for benchmarks, other subnets for each engine: both may be on one machine.
      for (const i of numbers)
        await engine.call("POST", "/networks/create", {
          Name: name(i),
          IPAM: { Config: [{ Subnet: `198.${engine === engines[0] ? 18 : 19}.${i}.0/24` }] },
        });
    }),
    rm: await seconds(async () => {
      for (const i of numbers) await engine.call("DELETE", `/networks/${name(i)}`);
    }),
  }));
} finally {
  for (const engine of engines)
    for (const i of numbers) await engine.call("DELETE", `/networks/${name(i)}`).catch(() => undefined);
}
