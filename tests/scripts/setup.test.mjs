// The set-up verifies what it downloads, and runs no program that nobody looked at.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { CHECKSUMS, unpackVerified } from "../../scripts/lib/archive.mjs";
import { INSTALL_SCRIPTS, unlistedScripts } from "../../scripts/lib/tools.mjs";
import { root, temporaryFolder } from "../support/harness.mjs";

const json = (...path) => JSON.parse(readFileSync(join(root, ...path), "utf8"));
const LOCKS = {
  "package-lock.json": json("package-lock.json"),
  ...Object.fromEntries(
    readdirSync(join(root, "scripts", "locked")).map((name) => [
      name,
      json("scripts", "locked", name, "package-lock.json"),
    ]),
  ),
};

// Packages that are bundled inside another are covered by its integrity.
test("every package of every lock file has its integrity", () => {
  for (const [name, { packages }] of Object.entries(LOCKS)) {
    const lacking = Object.entries(packages).filter(
      ([place, entry]) =>
        place && !entry.link && !entry.inBundle && !/^sha512-[\w+/]{86}==$/.test(entry.integrity),
    );
    assert.deepEqual(
      lacking.map(([place]) => place),
      [],
      name,
    );
  }
});

test("a lock file fits what it locks", () => {
  for (const [name, { packages }] of Object.entries(LOCKS)) {
    const wanted =
      name === "package-lock.json"
        ? json("package.json")
        : json("scripts", "locked", name, "package.json");
    for (const kind of ["dependencies", "optionalDependencies", "devDependencies"]) {
      assert.deepEqual(packages[""][kind], wanted[kind], `${name}, ${kind}`);
      for (const [dependency, version] of Object.entries(wanted[kind] ?? {})) {
        assert.equal(
          packages[`node_modules/${dependency}`].version,
          version.replace(/^npm:.*@/, ""),
          dependency,
        );
      }
    }
  }
});

test("no package runs a program when installed, and a new one that would is reported", () => {
  for (const [name, lock] of Object.entries(LOCKS))
    assert.deepEqual(unlistedScripts(lock), [], name);
  // The list has no package that is not installed.
  const all = Object.values(LOCKS).flatMap(({ packages }) => Object.entries(packages));
  const asking = all.filter(([, { hasInstallScript }]) => hasInstallScript);
  assert.deepEqual(
    [...new Set(asking.map(([place]) => place.split("node_modules/").at(-1)))].sort(),
    Object.keys(INSTALL_SCRIPTS),
  );
  for (const place of [
    "node_modules/new",
    "node_modules/a/node_modules/@b/new",
    "node_modules/toString",
  ]) {
    const lock = structuredClone(LOCKS["package-lock.json"]);
    lock.packages[place] = { version: "1.0.0", integrity: "sha512-…", hasInstallScript: true };
    assert.deepEqual(unlistedScripts(lock), [place.split("node_modules/").at(-1)]);
  }
  // Also when somebody runs npm by hand.
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  const setting = execFileSync(npm, ["config", "get", "ignore-scripts"], {
    cwd: root,
    encoding: "utf8",
    shell: npm.endsWith("cmd"),
  });
  assert.equal(setting.trim(), "true");
});

test("a checksum is a SHA-256, of the version that Cargo.lock names", () => {
  const [, version] = readFileSync(join(root, "Cargo.lock"), "utf8").match(
    /name = "wasm-bindgen"\nversion = "([^"]+)"/,
  );
  assert.deepEqual(Object.keys(CHECKSUMS), [version]);
  for (const [target, sum] of Object.entries(CHECKSUMS[version]))
    assert.match(sum, /^[0-9a-f]{64}$/, target);
});

/** An archive with a program, like a release. */
const folder = temporaryFolder();
const archive = (text) => {
  mkdirSync(join(folder, "tool-1.0"), { recursive: true });
  writeFileSync(join(folder, "tool-1.0", "tool"), text, { mode: 0o755 });
  execFileSync("tar", ["czf", join(folder, "tool.tar.gz"), "-C", folder, "tool-1.0"]);
  return readFileSync(join(folder, "tool.tar.gz"));
};
const good = archive("#!/bin/sh\necho good\n");
const bad = archive("#!/bin/sh\necho bad\n");
const sha256 = createHash("sha256").update(good).digest("hex");
let asked = 0;
const served = {
  "/good": good,
  "/bad": bad,
  "/cut": good.subarray(0, -1),
  "/longer": Buffer.concat([good, Buffer.from("x")]),
  "/empty": Buffer.alloc(0),
};
const server = createServer(({ url }, response) => {
  asked++;
  if (!served[url]) return response.writeHead(404).end();
  response.end(served[url]);
});
let origin;
before(async () => {
  await once(server.listen(0, "127.0.0.1"), "listening");
  origin = `http://127.0.0.1:${server.address().port}`;
});
after(() => server.close());

const unpack = async (path, sum) => {
  const scratch = mkdtempSync(join(folder, "scratch-"));
  const into = join(scratch, "bin");
  const refused = await unpackVerified(`${origin}${path}`, {
    sha256: sum,
    inside: "tool-1.0",
    programs: ["tool"],
    scratch,
    into,
  });
  return { refused, program: join(into, "tool"), left: readdirSync(scratch) };
};

test("an archive whose checksum is right is unpacked, and nothing else is left", async () => {
  const { refused, program, left } = await unpack("/good", sha256);
  assert.deepEqual([refused, left], [undefined, ["bin"]]);
  assert.equal(execFileSync(program, { encoding: "utf8" }), "good\n");
});

test("a changed archive is refused in a sentence, and nothing of it is written", async () => {
  for (const path of ["/bad", "/cut", "/longer", "/empty"]) {
    const { refused, program, left } = await unpack(path, sha256);
    assert.match(refused, /^its SHA-256 is [0-9a-f]{64} instead of [0-9a-f]{64}$/, path);
    assert.deepEqual([existsSync(program), left], [false, []], path);
  }
  assert.equal((await unpack("/missing", sha256)).refused, "the download answered 404");
});

test("an archive without a checksum is not even asked for", async () => {
  const before = asked;
  for (const sum of [undefined, "", "0", sha256.toUpperCase(), `${sha256}0`]) {
    assert.equal((await unpack("/good", sum)).refused, "archive.mjs has no checksum of it");
  }
  assert.equal(asked, before);
});

test("a server that is away is told in a sentence", async () => {
  const options = {
    sha256,
    inside: "tool-1.0",
    programs: ["tool"],
    scratch: folder,
    into: join(folder, "bin"),
  };
  assert.match(
    await unpackVerified("http://127.0.0.1:1/", options),
    /^it could not be downloaded \(.+\)$/,
  );
});
