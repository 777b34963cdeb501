// The links in the Markdown lead somewhere: to files, to headings, or to well-formed URLs.
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { test } from "node:test";
import { root } from "../../scripts/lib/process.mjs";

/** The Markdown below a folder of the project. */
const markdownIn = (folder) =>
  readdirSync(join(root, folder), { recursive: true })
    .filter((name) => name.endsWith(".md") && !name.includes("node_modules"))
    .map((name) => join(folder, name));

const PAGES = [
  ...["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "pkg/README.md"],
  ...markdownIn("docs"),
  ...markdownIn("examples"),
];

/** The text without its code, where brackets and `#` mean something else. */
const withoutCode = (text) =>
  text
    .replace(/^( *)(```|~~~).*\n[\s\S]*?^\1\2.*$/gm, "")
    .replace(/(`+)[^`][\s\S]*?\1/g, (code) => code.replace(/[[\]()<>#]/g, "_"));

/** Where the links and images lead: `[text](target)`, `[text]: target`, `href="…"`, `src="…"`. */
function targets(text) {
  const plain = withoutCode(text);
  const inline = plain.matchAll(/\]\(\s*<?([^\s)>]+)>?(?:\s+"[^"]*")?\s*\)/g);
  const references = plain.matchAll(/^ {0,3}\[[^\]]+\]:\s*<?(\S+?)>?(?:\s+".*")?$/gm);
  const attributes = plain.matchAll(/\b(?:href|src)="([^"]*)"/g);
  return [...inline, ...references, ...attributes].map(([, target]) => target);
}

/** The anchors of a page as GitHub makes them: of each heading, and those that HTML names. */
function anchors(text) {
  const counts = new Map();
  const headings = text
    .replace(/^( *)(```|~~~).*\n[\s\S]*?^\1\2.*$/gm, "")
    .matchAll(/^#{1,6} +(.+?) *#*$/gm);
  const slugs = [...headings].map(([, heading]) => {
    const slug = heading
      .replace(/!?\[([^\]]*)\]\([^)]*\)/g, "$1")
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\p{M}_ -]/gu, "")
      .replaceAll(" ", "-");
    const count = counts.get(slug) ?? 0;
    counts.set(slug, count + 1);
    return count === 0 ? slug : `${slug}-${count}`;
  });
  const named = [...text.matchAll(/\b(?:id|name)="([^"]+)"/g)].map(([, name]) => name);
  return new Set([...slugs, ...named]);
}

/** What is wrong with a link on this page, or undefined. */
function fault(page, target) {
  if (/^[a-z][a-z+.-]*:/i.test(target)) {
    const isFit = URL.canParse(target) && /^(https?|mailto):/.test(target);
    return isFit ? undefined : "not a URL of the web";
  }
  const [path, anchor] = target.split("#", 2);
  const file = path ? resolve(root, dirname(page), decodeURIComponent(path)) : join(root, page);
  if (relative(root, file).startsWith("..")) return "outside of the project";
  if (!existsSync(file)) return "no such file";
  if (anchor === undefined || !file.endsWith(".md")) return undefined;
  return anchors(readFileSync(file, "utf8")).has(anchor) ? undefined : "no such heading";
}

test("every link in the Markdown leads somewhere", () => {
  let count = 0;
  for (const page of PAGES) {
    for (const target of targets(readFileSync(join(root, page), "utf8"))) {
      assert.equal(fault(page, target), undefined, `${page}: ${target}`);
      count += 1;
    }
  }
  assert.ok(count > 10);
});

test("a link that leads nowhere is found", () => {
  const text = `[a](docs/figures.md) ![b](<x.png> "t") \`[c](code)\` [d](#e)
[f]: https://example.com/
\`\`\`sh
[g](code)
\`\`\`
<a href="h.md">`;
  const found = ["docs/figures.md", "x.png", "#e", "https://example.com/", "h.md"];
  assert.deepEqual(targets(text), found);
  const headings = '# A *b* `c`: d\n## Two\n## Two\n```sh\n# no\n```\n<a id="own"></a>';
  assert.deepEqual([...anchors(headings)], ["a-b-c-d", "two", "two-1", "own"]);
  assert.deepEqual(
    found.map((target) => fault("README.md", target)),
    [undefined, "no such file", "no such heading", undefined, "no such file"],
  );
  assert.equal(fault("docs/figures.md", "../README.md"), undefined);
  assert.equal(fault("README.md", "../x"), "outside of the project");
  assert.equal(fault("README.md", "https://"), "not a URL of the web");
});
