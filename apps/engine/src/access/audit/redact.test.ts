import assert from "node:assert/strict";
import { redact, redactQuery, redactText } from "./redact.ts";

const secret = "hunter2";

describe("redact", () => {
  it("keeps what is no secret", () => {
    const body = {
      Image: "h:5000/auth:1.2",
      Cmd: ["x=y", "--author", "me"],
      HostConfig: { Privileged: true, Binds: ["/secrets:/run/secrets:ro"], Memory: 1, Mounts: null },
      Labels: { team: "web", url: "http://host:80/x?y#z" },
      Empty: "",
    };
    assert.deepEqual(redact({ ...body, Env: ["A=1", "B"] }), {
      ...body,
      Cmd: ["x=y", "--author", "[hidden]"],
      Env: ["A=[hidden]", "B"],
    });
    assert.equal(
      redactQuery("name=a&fromImage=b%2Ftoken%3A1&t=1&filters=%7B%22label%22%3A%5B%22a%3Db%22%5D%7D"),
      "name=a&fromImage=b%2Ftoken%3A1&t=1&filters=%7B%22label%22%3A%5B%22a%3Db%22%5D%7D",
    );
  });

  // Each with the secret in a place where clients put one.
  const bodies: unknown[] = [
    { Env: [`A=${secret}`] },
    { env: [`A=${secret}`], ENV: [`B=${secret}`] },
    { password: secret },
    { Password: secret, identitytoken: secret, Auth: secret },
    { HostConfig: { LogConfig: { Config: { "splunk-token": secret, "splunk-url": `https://u:${secret}@h/` } } } },
    { DriverOpts: { type: "cifs", o: `username=u,password=${secret},vers=3`, device: "//h/s" } },
    { HostConfig: { Mounts: [{ VolumeOptions: { DriverConfig: { Options: { o: `addr=h,pass=${secret}` } } } }] } },
    { Cmd: ["mysqld", `--password=${secret}`] },
    { Cmd: ["mysqld", "--password", secret] },
    { Entrypoint: ["sh", "-c", `curl https://u:${secret}@h/ && x --token ${secret}; API_KEY="${secret}" y`] },
    { Healthcheck: { Test: ["CMD-SHELL", `redis-cli -a x; PGPASSWORD=${secret} pg`] } },
    { Labels: { "traefik.http.middlewares.x.basicauth.users": `u:${secret}` } },
    { Options: [`http://${secret}@h`] },
    { BuildArgs: { A: secret } },
    { buildargs: { A: secret } },
    { Secrets: [{ Data: secret }, secret] },
    { Cmd: ["curl", "-H", `Authorization: Bearer ${secret}`, "h"] },
    { Config: `{"registry_password": "${secret}"}` },
  ];
  for (const body of bodies)
    it(`hides it in ${JSON.stringify(body)}`, () => assert.doesNotMatch(JSON.stringify(redact(body)), /hunter2/));

  const queries: [name: string, value: string][] = [
    ["changes", `ENV A=${secret}`],
    ["changes", `env A ${secret} and more`],
    ["changes", `ENV A="x ${secret}" B='${secret}' C=x\\ ${secret}`],
    ["changes", `CMD x\nEnv A=\\\n${secret}`],
    ["changes", `ARG TOKEN=${secret}`],
    ["changes", `CMD ["x","--password=${secret}"]`],
    ["Changes", `ENV A=${secret}`],
    ["buildargs", JSON.stringify({ A: secret })],
    ["fromSrc", `http://u:${secret}@h/x.tar`],
    ["remote", `https://${secret}@github.com/a/b.git`],
    ["message", `token=${secret}`],
    ["authToken", secret],
    ["filters", JSON.stringify({ label: [`password=${secret}`] })],
  ];
  for (const [name, value] of queries)
    it(`hides it in ${name}=${JSON.stringify(value)}`, () =>
      assert.doesNotMatch(
        decodeURIComponent(redactQuery(new URLSearchParams({ [name]: value }).toString())),
        /hunter2/,
      ));

  it("tells of an instruction what it names", () =>
    assert.equal(
      new URLSearchParams(
        redactQuery(new URLSearchParams({ changes: `ENV A=${secret} B="x y"\nCMD sh` }).toString()),
      ).get("changes"),
      "ENV A=[hidden] B=[hidden]\nCMD sh",
    ));

  it("takes no longer than the text is long", () => {
    for (const text of [
      "a".repeat(200_000),
      "-pass".repeat(40_000),
      "a://".repeat(50_000),
      "token ".repeat(40_000),
      "x-".repeat(100_000),
    ]) {
      const began = process.cpuUsage();
      redactText(text);
      assert.ok(process.cpuUsage(began).user < 1_000_000, `${text.slice(0, 10)}: ${process.cpuUsage(began).user}`);
    }
  });
});
