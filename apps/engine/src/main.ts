import { messageOf } from "@longshore/errdefs";
import { type Config, loadConfig } from "./config/config.ts";
import { type Given, parseFlags, usage } from "./config/flags.ts";
import { run } from "./run.ts";
import { engineVersion } from "./server/api-version.ts";

async function configure(flags: Given): Promise<Config | undefined> {
  if (flags.get("help") === true) return void process.stdout.write(usage());
  if (flags.get("version") === true) return void process.stdout.write(`Docker version ${engineVersion}, build longshore\n`);
  const config = await loadConfig(flags);
  if (flags.get("validate") === true) return void process.stdout.write("configuration OK\n");
  return config;
}

try {
  const flags = parseFlags(process.argv.slice(2));
  const config = await configure(flags);
  if (config !== undefined) await run(config, flags);
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exit(1);
}
