// What the tests of the page in a real browser share.

/** Opens a link in a page of its own. */
export const opener = (browser) => async (url, options) => {
  const page = await browser.page({ locale: "en-GB", ...options });
  await page.goto(url);
  return page;
};

/** A time as the page writes it in English. */
export const inEnglish = (at, timeZone) =>
  new Intl.DateTimeFormat("en", { dateStyle: "long", timeStyle: "short", timeZone }).format(
    new Date(at),
  );
export const button = (page, name) => page.getByRole("button", { name });
export const heading = (page, name) =>
  page.getByRole("heading", { level: 1, name, exact: true }).waitFor();
