// Requests to token.url as a browser sends them.
import { request } from "node:http";

const HTML = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8";

/** Opens a link as a browser does. */
export const open = (url, { headers = {}, ...options } = {}) =>
  fetch(url, { redirect: "manual", ...options, headers: { accept: HTML, ...headers } });

export const nonceOf = (page) => /name="waitpoint_nonce" value="([^"]*)"/.exec(page)?.[1];

/** Sends the page's form; `fields` go before the nonce of the page as it is now. */
export async function send(url, fields, options = {}) {
  const nonce = nonceOf(await (await open(url)).text()) ?? "";
  const body = new URLSearchParams({ waitpoint_nonce: nonce, ...fields });
  return open(url, { method: "POST", body, ...options });
}

/** Posts a form with a header that fetch does not let one set. */
export function navigate(url, body, more = {}) {
  const headers = {
    accept: HTML,
    "sec-fetch-mode": "navigate",
    "content-type": "application/x-www-form-urlencoded",
    ...more,
  };
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: "POST", headers }, async (answer) => {
      resolve({
        status: answer.statusCode,
        page: (await answer.setEncoding("utf8").toArray()).join(""),
      });
    });
    sent.once("error", reject).end(String(body));
  });
}

export const text = async (response) => (await response.text()).replace(/\s+/g, " ");
