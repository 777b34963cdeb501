// examples/email: the mails that it writes, and the one that it sends.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { KEY, useWorker } from "../support/harness.mjs";
import { example } from "../support/package.mjs";

const worker = useWorker();
const folder = example("email");

/** Runs the example; `printed(text)` resolves when a line begins so. */
function run(...args) {
  const env = { ...process.env, SECRET_KEY: KEY, BASE_URL: worker.url };
  const child = spawn(process.execPath, ["send.mjs", ...args], { cwd: folder, env });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    printed: async (start) => {
      for (;;) {
        const { value, done } = await lines.next();
        assert.ok(!done, `it ended before it printed ${start}`);
        if (value.startsWith(start)) return value;
      }
    },
  };
}

/** The text and the HTML of a message. */
function parts(message) {
  const [, boundary] = /boundary="([^"]+)"/.exec(message);
  return message
    .split(`--${boundary}`)
    .slice(1, 3)
    .map((part) => Buffer.from(part.split("\r\n\r\n")[1], "base64").toString());
}

const link = (text) => /http:\/\/\S+\/t\/[\w~/-]+/.exec(text)[0];

/** Approves on the page, as its form does. */
async function vote(url, comment) {
  const [, nonce] = /name="waitpoint_nonce" value="([^"]*)"/.exec(await (await fetch(url)).text());
  const body = new URLSearchParams({ waitpoint_nonce: nonce, choice: "0", comment });
  const answer = await fetch(url, { method: "POST", body });
  assert.equal(answer.status, 200);
}

test("text and button of each mail open one page, and two equal votes end the wait", async () => {
  const example = run();
  for (const name of ["ann", "bob"]) {
    await example.printed(`wrote approval-${name}_example_com.eml`);
    const [text, html] = parts(
      readFileSync(join(folder, `approval-${name}_example_com.eml`), "latin1"),
    );
    assert.equal(link(text), link(html));
    const page = await (await fetch(link(text))).text();
    assert.match(page, /Publish the Q3 report\?/);
    assert.match(page, new RegExp(`Voting as.*${name}`, "s"));
    await vote(link(html), `fine, says ${name}`);
  }
  const lines = [
    "ann@example.com voted Approve: fine, says ann",
    "bob@example.com voted Approve: fine, says bob",
    `COMPLETED {"status":"approved"}`,
  ];
  for (const line of lines) assert.equal(await example.printed(line), line);
});

test("a local catcher gets the message whole", async () => {
  let message = "";
  const catcher = createServer((socket) => {
    let inData = false;
    socket.write("220 ready\r\n");
    createInterface({ input: socket }).on("line", (line) => {
      if (!inData) {
        inData = line === "DATA";
        return socket.write(
          inData ? "354 go on\r\n" : line === "QUIT" ? "221 bye\r\n" : "250-fine\r\n250 fine\r\n",
        );
      }
      if (line !== ".") {
        message += `${line}\r\n`;
        return;
      }
      inData = false;
      socket.write("250 kept\r\n");
    });
  }).listen(0, "localhost");
  await once(catcher, "listening");
  const example = run("--smtp", `localhost:${catcher.address().port}`, "--to", "ann@example.com");
  await example.printed("sent to ann@example.com");
  catcher.close();
  const [text] = parts(message);
  assert.match(message, /^To: <ann@example\.com>\r$/m);
  await vote(link(text), "");
  await example.printed("COMPLETED");
});
