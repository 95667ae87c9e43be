import { Random } from "./random.ts";

/**
 * Tries `round` with random input, `rounds` times or as often as LONGSHORE_FUZZ_ROUNDS says (`npm run soak` asks for
 * more). Each round has its own numbers, which follow from LONGSHORE_FUZZ_SEED; without one, the same ones every time.
 * @throws what a round throws, with the seed that repeats it first
 */
export async function fuzz(rounds: number, round: (random: Random) => void | Promise<void>): Promise<void> {
  const count = Number(process.env["LONGSHORE_FUZZ_ROUNDS"] ?? rounds);
  const seed = process.env["LONGSHORE_FUZZ_SEED"] ?? "longshore";
  for (let at = 0; at < count; at++) {
    const own = at === 0 ? seed : `${seed}/${at}`;
    try {
      await round(new Random(own));
    } catch (error) {
      if (error instanceof Error)
        error.message = `${error.message}\n(repeat with LONGSHORE_FUZZ_SEED=${own} LONGSHORE_FUZZ_ROUNDS=1)`;
      throw error;
    }
  }
}
