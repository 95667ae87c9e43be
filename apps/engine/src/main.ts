import { messageOf } from "@longshore/errdefs";
import { type Config, loadConfig } from "./config/config.ts";
import { deprecations, parseFlags, usage } from "./config/flags.ts";
import type { Given } from "./config/options/table.ts";
import { run } from "./run.ts";
import { verifyStart } from "./verify.ts";
import { engineVersion } from "./server/version/api-version.ts";

async function configure(flags: Given): Promise<Config | undefined> {
  if (flags.get("help") === true) return void process.stdout.write(usage());
  if (flags.get("version") === true)
    return void process.stdout.write(`Docker version ${engineVersion}, build longshore\n`);
  const config = await loadConfig(flags);
  if (flags.get("validate") !== true) return config;
  verifyStart(config, { activated: false });
  for (const warning of config.warnings) process.stderr.write(`WARNING: ${warning}\n`);
  for (const note of config.notes) process.stderr.write(`NOTE: ${note}\n`);
  return void process.stderr.write("configuration OK\n");
}

try {
  const flags = parseFlags(process.argv.slice(2));
  for (const line of deprecations(flags)) process.stderr.write(`${line}\n`);
  const config = await configure(flags);
  if (config !== undefined) await run(config, flags);
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exit(1);
}
