import { randomBytes, randomInt } from "node:crypto";
import { InvalidArgument } from "@longshore/errdefs";

const namePattern = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;

/** @returns the name without its optional slash. @throws InvalidArgument */
export function checkName(name: string): string {
  const bare = name.replace(/^\//, "");
  if (!namePattern.test(bare))
    throw new InvalidArgument(`Invalid container name (${name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`);
  return bare;
}

/** 64 hex digits whose short form is not all decimal, since it would read as a number in scripts. */
export function newContainerId(): string {
  for (;;) {
    const id = randomBytes(32).toString("hex");
    if (!/^\d{12}/.test(id)) return id;
  }
}

const moods =
  "able agile amber ample apt artful avid basic bold brave breezy brief bright brisk calm candid careful cheery civil clear clever cosy crisp curious daring deft eager earnest easy epic even fair fancy fast fine firm fond frank fresh gentle glad golden grand happy hardy honest humble ideal jolly keen kind lively loyal lucid lucky merry mild modest neat nimble noble patient placid polite proud quick quiet rapid ready regal robust serene sharp silent sincere smart snug sober solid spry stable steady stoic sturdy sunny swift tidy tranquil trusty upbeat vivid warm wise witty zesty".split(
    " ",
  );
const mariners =
  "amundsen anson barents baret behring bligh bougainville cabot cartier chapman cook dampier davis diaz drake earhart eriksson flinders franklin frobisher fuchs gama hawkins heyerdahl hudson joshua knox krusenstern laperouse lind magellan maury mawson moitessier nansen nelson pytheas raleigh ross scoresby scott shackleton slocum tabarly tasman vancouver vespucci villiers wilkes worsley zheng".split(
    " ",
  );

/** A readable name that nobody has: `adjective_surname`, with a digit when chance was unkind. */
export function generateName(isTaken: (name: string) => boolean): string {
  for (let round = 0; ; round++) {
    const name = `${moods[randomInt(moods.length)]}_${mariners[randomInt(mariners.length)]}${round > 5 ? randomInt(10 ** Math.min(round - 5, 9)) : ""}`;
    if (!isTaken(name)) return name;
  }
}
