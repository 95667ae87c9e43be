import * as pty from "node-pty";
import { until } from "../host/until.ts";
import type { Longshore } from "./longshore.ts";
import { tool } from "./tools.ts";

/** The stock docker CLI in a real terminal. */
export class Terminal {
  /** All that was printed so far, carriage returns included. */
  output = "";
  readonly exited: Promise<number>;
  readonly #pty: pty.IPty;

  constructor(
    longshore: Pick<Longshore, "clientEnv">,
    args: readonly string[],
    size: { columns: number; rows: number } = { columns: 80, rows: 24 },
  ) {
    this.#pty = pty.spawn(tool("docker"), [...args], {
      cols: size.columns,
      rows: size.rows,
      env: { ...process.env, ...longshore.clientEnv(), TERM: "xterm" },
    });
    this.#pty.onData((data) => (this.output += data));
    this.exited = new Promise((resolve) => this.#pty.onExit(({ exitCode }) => resolve(exitCode)));
  }

  type(text: string): void {
    this.#pty.write(text);
  }

  resize(columns: number, rows: number): void {
    this.#pty.resize(columns, rows);
  }

  /** Waits until `text` has been printed. */
  async prints(text: string | RegExp): Promise<void> {
    await until(`the terminal prints ${text}`, () =>
      typeof text === "string" ? this.output.includes(text) : text.test(this.output),
    ).catch((error: unknown) => {
      throw new Error(
        `${error instanceof Error ? error.message : String(error)}; it printed ${JSON.stringify(this.output)}`,
      );
    });
  }

  close(): void {
    this.#pty.kill();
  }
}
