// How the mail looks that the Worker sends, as wrangler's simulation of the mail service wrote it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { SECRET_KEYS, temporaryFolder, until, useWorker } from "../support/harness.mjs";
import { configWithMail, writtenMail } from "../support/mail.mjs";
import { useBrowser } from "../support/package.mjs";
import { checkLook, stripped } from "./look.mjs";

const worker = useWorker({
  secrets: { SECRET_KEYS },
  vars: { EMAIL_FROM: "Approvals <approvals@example.com>", NOTIFY_DOMAINS: "example.com" },
  configPath: configWithMail(temporaryFolder()),
  hasMail: true,
});
const use = useBrowser();

/** For each language what is asked, and what stands around that. */
const MAILS = {
  en: {
    approval: {
      title: "Release 3.0 & “all the rest”?",
      description: `See <b>the plan</b>:\n${"a-name-without-any-break".repeat(6)}\n\n* and notes`,
      requestedBy: "CI <ci@example.com>",
    },
    direction: "ltr",
    requestedBy: "Requested by CI <ci@example.com>",
    decideBy: /^Decide by \d{1,2}\s\w+\s\d{4}, \d\d:\d\d\sUTC$/,
    button: "View request",
  },
  ar: {
    approval: {
      title: "هل ننشر الإصدار 3.0؟",
      description: "راجع الخطة «v3.0 (beta)» قبل القرار.\nSee the plan.",
      requestedBy: "فريق النشر",
    },
    direction: "rtl",
    requestedBy: "بطلب من فريق النشر",
    decideBy: /^آخر موعد للقرار .+ \d{4}، \d\d:\d\d\s\(UTC\)$/,
    button: "عرض الطلب",
  },
};

for (const [locale, { approval, direction, ...said }] of Object.entries(MAILS)) {
  test(`the mail in "${locale}" fits, is legible, and says the same as text`, async () => {
    const { id } = await worker.create({
      approval,
      timeout: "2h",
      notify: [{ email: "ann@example.com", locale }],
    });
    const { html, text } = await until(
      () => writtenMail().find(({ text }) => text.includes(approval.title)),
      (mail) => mail !== undefined,
    );
    await checkLook(use.browser, html);

    const lines = text.split("\n").filter(Boolean);
    assert.equal(lines[0], approval.title);
    assert.ok(text.includes(`\n\n${approval.description}\n\n`), "as it was written");
    assert.equal(lines[1], said.requestedBy);
    assert.match(lines[2], said.decideBy);
    assert.ok(
      lines.every((line) => Buffer.byteLength(line) <= 998),
      "mail has no longer lines",
    );
    const [link, ...others] = text.match(/https?:\S+/g);
    assert.deepEqual(others, []);
    assert.ok(link.startsWith(`${worker.url}/t/${id.replace("waitpoint_", "")}/`), link);
    assert.equal(lines.at(lines.indexOf(link) - 1), said.button);

    for (const kind of [html, stripped(html)]) {
      const page = await use.page();
      await page.setContent(kind);
      const shown = await page.evaluate(read);
      assert.deepEqual(shown.links, [{ href: link, text: said.button, direction }]);
      const missing = lines.filter((line) => !shown.lines.includes(line.trim()));
      assert.deepEqual(missing, [], "what stands in the text is shown");
      await page.context().close();
    }
  });
}

/** What a person sees. */
function read() {
  const links = [...document.querySelectorAll("a")].map((one) => ({
    href: one.href,
    text: one.innerText,
    direction: getComputedStyle(one).direction,
  }));
  const lines = document.body.innerText.split("\n").map((line) => line.trim());
  return { links, lines };
}
