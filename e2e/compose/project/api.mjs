// Counts visits in PostgreSQL and in Redis, and says what it was configured with.
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { connect } from "node:net";
import { hostname } from "node:os";
import { promisify } from "node:util";

const run = promisify(execFile);

async function sql(query) {
  const { stdout } = await run("psql", ["-h", "db", "-U", "postgres", "-qAtc", query]);
  return Number(stdout);
}

function redis(...words) {
  return new Promise((resolve, reject) => {
    const socket = connect(6379, "cache", () =>
      socket.write(`*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join("")}`),
    );
    socket.once("data", (answer) => {
      socket.end();
      resolve(Number(String(answer).slice(1)));
    });
    socket.once("error", reject);
  });
}

createServer(async (request, response) => {
  if (request.url === "/health") return response.end("well\n");
  const [rows, hits] = await Promise.all([
    sql("insert into visits default values; select count(*) from visits"),
    redis("INCR", "hits"),
  ]);
  const word = readFileSync("/run/secrets/word", "utf8").trim();
  process.stdout.write(`visit ${hits}\n`);
  response.end(JSON.stringify({ greeting: process.env.GREETING, rows, hits, word, host: hostname() }));
}).listen(3000, () => process.stdout.write("api is up\n"));
