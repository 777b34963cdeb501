// What the tests of the npm package share: the package as npm installs it, and a browser.
import { execFileSync } from "node:child_process";
import {
  cpSync,
  createReadStream,
  existsSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { after, before } from "node:test";
import { chromium } from "playwright-core";
import { FLAGS } from "../../scripts/lib/browser.mjs";
import { root, temporaryFolder } from "./harness.mjs";

/** A folder with the packed package, installed by npm. `files` are written beside it. */
export function installed(files = {}) {
  const folder = temporaryFolder();
  const npm = (...args) =>
    execFileSync("npm", [...args, "--loglevel", "error"], { cwd: folder, encoding: "utf8" });
  const [{ filename }] = JSON.parse(npm("pack", "--json", join(root, "pkg")));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }));
  npm("install", "--offline", "--no-audit", "--no-fund", join(folder, filename));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(folder, name, ".."), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return { folder, tarball: join(folder, filename) };
}

/**
 * A folder with a copy of an example, the packed package, and the other packages it needs from this
 * project.
 */
export function example(name) {
  const { folder } = installed();
  cpSync(join(root, "examples", name), folder, { recursive: true });
  const { dependencies } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  for (const other of Object.keys(dependencies).filter((name) => name !== "waitpoint")) {
    const place = join(folder, "node_modules", other);
    mkdirSync(join(place, ".."), { recursive: true });
    symlinkSync(join(root, "node_modules", other), place);
  }
  return folder;
}

const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".json": "application/json",
};

/**
 * Serves a folder for the tests of a file, with `headers` in each response. `site.url` is its
 * origin while they run.
 */
export function useSite(folder, headers = {}) {
  const site = { url: "" };
  const server = createServer((request, response) => {
    const path = join(folder, normalize(new URL(request.url, "http://x").pathname));
    if (!existsSync(path)) return response.writeHead(404).end();
    response.writeHead(200, {
      "content-type": TYPES[extname(path)] ?? "application/octet-stream",
      ...headers,
    });
    createReadStream(path).pipe(response);
  });
  before(async () => {
    await new Promise((resolve) => server.listen(0, "localhost", resolve));
    site.url = `http://localhost:${server.address().port}`;
  });
  after(() => server.close());
  return site;
}

/** A browser for the tests of a file. `use.page()` opens a page in a context of its own. */
export function useBrowser() {
  const use = { browser: undefined };
  before(async () => {
    use.browser = await chromium.launch({ executablePath: process.env.CHROME, args: FLAGS });
  });
  after(() => use.browser?.close());
  use.page = async (options) => {
    const page = await (await use.browser.newContext(options)).newPage();
    page.errors = [];
    page.on("pageerror", (error) => page.errors.push(String(error)));
    return page;
  };
  return use;
}
