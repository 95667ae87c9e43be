import assert from "node:assert/strict";
import { isKind } from "@longshore/errdefs";
import { type Adaptor, mapField, parse, parseAll } from "./index.ts";

const labels = { "com.example.tier": "front", "a/b": "slash", empty: "" };
const object: Adaptor = ([field, ...rest]) => {
  if (field === "name") return "docker.io/library/nginx:1.2";
  if (field === "digits") return "a1";
  if (field === "labels") return mapField(labels, rest);
  return undefined;
};
const matches = (filter: string): boolean => parse(filter)(object);

describe("filters", () => {
  const wanted = [
    "",
    "name",
    "name==docker.io/library/nginx:1.2",
    "name == docker.io/library/nginx:1.2",
    'name=="docker.io/library/nginx:1.2"',
    "name!=other",
    "name~=nginx",
    "name~=/nginx:[[:digit:]]/",
    "name~=|^docker.io/library/|",
    String.raw`name~=/^docker\\.io\/library/`,
    'name~="(?i)NGINX"',
    String.raw`digits=="\x61\061"`,
    String.raw`digits=="\u0061\U00000031"`,
    "labels.com.example.tier==front",
    'labels."com.example.tier"==front',
    'labels."a/b"==slash',
    "labels.empty",
    'labels.empty==""',
    "labels.absent!=x",
    "labels.absent~=^$",
    "unknown!=x",
    "name,labels.com.example.tier==front,digits~=1$",
  ];
  for (const filter of wanted) it(`matches ${filter || "(empty)"}`, () => assert.ok(matches(filter)));

  const unwanted = [
    "unknown",
    "labels",
    "labels.absent",
    'labels.absent==""',
    "name==x",
    "name!=docker.io/library/nginx:1.2",
    "name~=^library",
    "name~=[",
    "name,unknown",
    "name=='docker.io/library/nginx:1.2'",
  ];
  for (const filter of unwanted) it(`does not match ${filter}`, () => assert.ok(!matches(filter)));

  it("takes any of several, and all when there are none", () => {
    assert.ok(parseAll([])(object));
    assert.ok(parseAll(["name==x", "digits==a1"])(object));
    assert.ok(!parseAll(["name==x", "digits==b"])(object));
    assert.ok(parseAll(["name==x", ""])(object));
  });

  it("matches in linear time", () => {
    assert.ok(!parse("name~=(a+)+$")(() => `${"a".repeat(5000)}b`));
  });

  // The texts are those of containerd 2.1.
  const errors: [filter: string, message: string][] = [
    ["name=foo", '[name >|=|< foo]: unsupported operator "="'],
    ["name==", "[name==]: expected value or quoted"],
    ["name!foo", '[name >|!|< foo]: unsupported operator "!"'],
    ["name===a", '[name >|=|< ==a]: unsupported operator "==="'],
    ["name~=/a", "[name~= >|/|< a]: quoted literal not terminated"],
    [String.raw`name~=/a\d/`, String.raw`[name~= >|/|< a\d/]: illegal escape sequence`],
    [String.raw`name=="a\x4"`, String.raw`[name== >|"|< a\x4"]: illegal numeric escape sequence`],
    ["name==/a/", "[name== >|/|< a/]: invalid quote encountered"],
    ["=", "[ >|=|< ]: expected field or quoted"],
    ["name,", "[name,]: expected field or quoted"],
    ["name.", "[name.]: expected field or quoted"],
    [",", "[ >|,|< ]: expected field or quoted"],
    ["name==a,,b", "[name==a, >|,|< b]: expected field or quoted"],
    ["name==a b", "[name==a >| |< b]: unexpected input:  "],
    ["a b", '[a  >|b|< ]: expected an operator ("=="|"!="|"~=")'],
    ['name=="a"b', '[name=="a" >|b|< ]: unexpected input: b'],
    ['labels."a==b', '[labels. >|"|< a==b]: quoted literal not terminated'],
  ];
  for (const [filter, text] of errors) {
    it(`refuses ${filter}`, () => {
      assert.throws(
        () => parse(filter),
        (error: Error) => {
          assert.equal(error.message, `filters: parse error: ${text}: invalid argument`);
          return isKind(error, "InvalidArgument");
        },
      );
    });
  }
});
