// <waitpoint-approval> of the packed package on a page of its own, for the tests of a file.
import { installed, useBrowser, useSite } from "./package.mjs";

/** `folder` holds the page and `site` serves it, which says no more than it must. */
export function useElement() {
  const { folder } = installed({
    "index.html": `<!doctype html><html lang="en"><title>Approve</title>
      <script type="module" src="/node_modules/waitpoint/element.js"></script><main></main></html>`,
  });
  const browser = useBrowser();
  const site = useSite(folder, {
    "content-security-policy":
      "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src *",
  });
  return { folder, browser, site, show: (...args) => show(browser, site, ...args) };
}

/** A page with the element. Its events are kept in `window.events`. */
async function show(browser, site, attributes, inner = "Publish the report?", options) {
  const page = await browser.page({ bypassCSP: false, ...options });
  await page.goto(`${site.url}/index.html`);
  await page.evaluate(
    ([attributes, inner]) => {
      window.events = [];
      for (const type of ["waitpoint-complete", "waitpoint-error"]) {
        addEventListener(type, ({ detail }) =>
          window.events.push([type, detail.outcome ?? detail.error.code]),
        );
      }
      const element = document.createElement("waitpoint-approval");
      for (const name in attributes) element.setAttribute(name, attributes[name]);
      element.innerHTML = inner;
      document.querySelector("main").append(element);
    },
    [attributes, inner],
  );
  page.element = page.locator("waitpoint-approval");
  page.state = (state) => page.locator(`waitpoint-approval[state=${state}]`).waitFor();
  return page;
}

export const button = (page, name) => page.getByRole("button", { name });
