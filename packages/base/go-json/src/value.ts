/** What a JSON text holds, as it was written: what a struct of the API makes of it, `decode` tells. */
export type Json = null | boolean | string | number | JsonNumber | JsonObject | Json[];

interface Member {
  readonly name: string;
  readonly value: Json;
  next: Member | undefined;
}

/** Members in their order, names that come twice and all. A chain, since most objects have few: an array takes room for 16. */
export class JsonObject {
  #first: Member | undefined;
  #last: Member | undefined;

  add(name: string, value: Json): void {
    const member: Member = { name, value, next: undefined };
    if (this.#last === undefined) this.#first = member;
    else this.#last.next = member;
    this.#last = member;
  }

  *[Symbol.iterator](): Generator<[name: string, value: Json]> {
    for (let member = this.#first; member !== undefined; member = member.next) yield [member.name, member.value];
  }
}

/** A number that is no plain integer of at most 15 digits. */
export class JsonNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}
