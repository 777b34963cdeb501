// The lives of tokens that are measured: a plain one, and one with everything.
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { COUNTING, LISTING } from "../../tests/support/counting.mjs";
import { webhookSecret } from "../../tests/support/receiver.mjs";
import { KEY, serve, waitpoint } from "../../tests/support/workerd.mjs";
import * as measure from "./measure.mjs";

const { add, counts, each, measured, send, untilForgotten } = measure;

// Live objects hold memory and files, so their number is limited.
const BATCH = 1_000;
/** How often a link is opened before its person decides: by two scanners and the person. */
export const PAGES = 3;
const TOKENS = "/api/v1/waitpoints/tokens";
const HTML = { accept: "text/html" };
const FORM = {
  type: "object",
  properties: {
    amount: { type: "number", title: "Amount", minimum: 0 },
    team: { type: "string", title: "Team", enum: ["Operations", "Legal", "Finance"] },
    urgent: { type: "boolean", title: "Urgent" },
  },
  required: ["amount", "team"],
};
const ANSWERS = { choice: "0", comment: "Fine.", "field-0": "120.5", "field-1": "1" };

// As by default, a token is purged after its timeout, however early it is decided: the alarm of the
// timeout rings too. Before each alarm the object is evicted, which takes ten seconds without work.
const PLAIN = { timeout: "25s", retention: "50s" };
const FULL = { remindedAfter: "25s", timeout: "75s", retention: "100s" };
// Of many tokens: the object stays in memory.
const MANY = { timeout: "4s", retention: "5s" };

const start = (vars, wrap = COUNTING) =>
  serve(waitpoint({ WEBHOOK_SECRET: webhookSecret(), ...vars }, wrap), { cpu: 0 });

async function create(server, fields) {
  const body = JSON.stringify({ tags: ["cost"], ...fields });
  const { text, headers } = await send(server, "POST", TOKENS, { key: KEY, body });
  const { id, url, links } = JSON.parse(text);
  const pathOf = (url) => new URL(url).pathname;
  return {
    path: `${TOKENS}/${id}`,
    page: pathOf(url),
    links: links?.map(({ url }) => pathOf(url)),
    jwt: headers["x-trigger-jwt"],
  };
}

const complete = (server, { path, jwt }) =>
  send(server, "POST", `${path}/complete`, {
    key: jwt,
    body: '{"data":{"status":"approved","by":"cost"}}',
  });

const read = async (server, { path }) =>
  JSON.parse((await send(server, "GET", path, { key: KEY })).text);

const openPage = async (server, page) => {
  let text;
  for (let n = 0; n < PAGES; n++) ({ text } = await send(server, "GET", page, { headers: HTML }));
  return text;
};

/** The kinds of tokens: how one lives, and how many of them at once. */
export const kindsOf = (receiver) => {
  let tokens = 0;
  return {
    plain: {
      together: 1,
      retention: PLAIN.retention,
      async live(server) {
        const token = await create(server, { timeout: PLAIN.timeout });
        await openPage(server, token.page);
        await complete(server, token);
        await read(server, token);
      },
    },
    full: {
      // It waits for its reminder, so others live meanwhile.
      together: 50,
      retention: FULL.retention,
      async live(server) {
        const recipients = ["a", "b"].map((name) => `/${tokens}/${name}`);
        tokens++;
        const token = await create(server, {
          timeout: FULL.timeout,
          approval: {
            title: "Deploy 1.4.2?",
            description: "All checks have passed.",
            approvers: [
              { id: "ann", name: "Ann Miller" },
              { id: "bob", name: "Bob Jones" },
            ],
            required: 2,
            form: FORM,
          },
          notify: recipients.map((path) => ({ webhook: receiver.url + path })),
          reminders: [{ after: FULL.remindedAfter }],
        });
        await Promise.all(recipients.map((path) => receiver.answered(path, 2)));
        for (const link of token.links) await vote(server, link);
        const { status, votes } = await read(server, token);
        if (status !== "COMPLETED" || votes.length !== 2)
          throw new Error(`${token.path} is ${status} with ${votes?.length} votes`);
      },
    },
  };
};

/** An approver opens their link, decides, and sees the page once more. */
async function vote(server, link) {
  const html = await openPage(server, link);
  const [, nonce] = /name="waitpoint_nonce" value="([^"]*)"/.exec(html);
  const { headers } = await send(server, "POST", link, {
    headers: { ...HTML, "content-type": "application/x-www-form-urlencoded" },
    body: String(new URLSearchParams({ waitpoint_nonce: nonce, ...ANSWERS })),
    status: 303,
  });
  await send(server, "GET", new URL(headers.location, server.url + link).pathname, {
    headers: HTML,
  });
}

/** Runs so many whole lives without reads and returns what they took. */
export async function manyLives(size) {
  // Tokens are kept long enough that the last of a batch is completed before the first is purged.
  const server = await start({ RETENTION: MANY.retention });
  const live = async () => complete(server, await create(server, { timeout: MANY.timeout }));
  // The first calls include compilation, so they are not measured.
  const warm = async () => {
    await each(100, live);
    await untilForgotten(server, 100);
  };
  await warm();
  const total = measure.nothing();
  const batches = [];
  for (let done = 0; done < size; done += BATCH) {
    const count = Math.min(BATCH, size - done);
    if (done > 0) {
      await server.restart(() => {
        const folder = join(server.folder, "TokenObject");
        for (const name of readdirSync(folder))
          if (/^[0-9a-f]{64}/.test(name)) rmSync(join(folder, name));
      });
      await warm();
    }
    const { forgotten } = (await counts(server)).token;
    const batch = await measured(server, async () => {
      await each(count, live);
      await untilForgotten(server, forgotten + count);
    });
    add(total, batch.sums);
    batches.push(batch.cpu / count);
    process.stderr.write(`${done + count} of ${size} \r`);
  }
  await server.stop();
  const tenth = Math.max(1, Math.floor(batches.length / 10));
  const mean = (numbers) => numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
  return {
    size,
    total,
    cpu: mean(batches),
    first: mean(batches.slice(0, tenth)),
    last: mean(batches.slice(-tenth)),
  };
}

/** A Worker that purges soon. It has one token that stays, so its index is never empty. */
async function startPurging({ retention }, wrap) {
  const server = await start({ RETENTION: retention }, wrap);
  await create(server, {});
  return server;
}

/** What one token of a kind takes, of so many that live and are purged. */
export async function oneLife(kind, count) {
  const { live, together } = kind;
  const server = await startPurging(kind);
  const run = async (times) => {
    const { forgotten } = (await counts(server)).token;
    await each(times, () => live(server), together);
    await untilForgotten(server, forgotten + times);
  };
  await run(Math.min(count, 50));
  const found = await measured(server, () => run(count));
  await server.stop();
  return found;
}

/** The bytes of a finished token's object and of its row in the index, of so many that are kept. */
export async function bytesStored({ live }, count) {
  const server = await start();
  await each(100, () => live(server), 100);
  const found = await measured(server, () => each(count, () => live(server), 100));
  await server.stop();
  return { token: found.bytes.token, index: (found.bytes.index - found.bytesBefore.index) / count };
}

/** Each write of one life, with what SQLite counted. */
export async function writesOf(kind) {
  const { live } = kind;
  const server = await startPurging(kind, LISTING);
  const writes = async () => (await fetch(`${server.url}/writes`)).json();
  // Until the table is made and the token that stays is in it.
  await measure.untilIdle(server);
  const { length } = await writes();
  await live(server);
  await untilForgotten(server, 1);
  await measure.untilIdle(server);
  const found = (await writes()).slice(length);
  await server.stop();
  return found;
}
