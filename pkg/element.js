// The entry `waitpoint/element`: <waitpoint-approval>, on top of `waitpoint`. Importing it defines
// it.
import { completeToken, retrieveToken, WaitpointError } from "./index.js";

// The sentence of each state is a slot, so that a page can replace it.
const SENTENCES = {
  idle: "",
  sending: "Sending your decision…",
  done: "Your decision was recorded.",
  decided: "This was already decided.",
  expired: "Time is up. This can no longer be decided.",
  withdrawn: "This was withdrawn. Nothing is left to decide.",
  failed: "Your decision could not be sent.",
};

const STYLES = `
:host { display: block; font: inherit; --gap: var(--waitpoint-gap, 0.75rem); }
:host([hidden]), [hidden] { display: none !important; }
label { display: block; margin-bottom: var(--gap); }
textarea { box-sizing: border-box; display: block; width: 100%; min-height: 4.5em; }
textarea { margin-top: 0.25rem; padding: 0.5rem; background: transparent; }
button, textarea { font: inherit; color: inherit; border-radius: var(--waitpoint-radius, 0.5rem); }
textarea, .plain { border: 1px solid color-mix(in srgb, currentColor 55%, transparent); }
.plain { background: transparent; }
button { min-height: 2.75rem; padding: 0.5rem 1.25rem; cursor: pointer; font-weight: 600; }
.primary { border: 1px solid transparent; }
.primary { background: var(--waitpoint-accent, #1a5fb4); color: var(--waitpoint-on-accent, #fff); }
:is(button, textarea, p):focus-visible { outline: 3px solid var(--waitpoint-focus, currentColor); }
:is(button, textarea, p):focus-visible { outline-offset: 2px; }
button[aria-disabled="true"] { opacity: 0.6; cursor: progress; }
.row { display: flex; flex-wrap: wrap; gap: var(--gap); }
p { margin: 0; }
.row:not([hidden]) + p:not([data-state="idle"]) { margin-top: var(--gap); }
`;

// The state for what a completion or a reading tells.
const ENDS = {
  "already-completed": "decided",
  COMPLETED: "decided",
  "timed-out": "expired",
  TIMED_OUT: "expired",
  cancelled: "withdrawn",
};

const TOKEN = ["token-url", "token-id", "access-token", "base-url"];

const DECISIONS = {
  approve: { label: "Approve", data: { status: "approved" }, style: "primary" },
  reject: { label: "Reject", data: { status: "rejected" }, style: "plain" },
};

export class WaitpointApproval extends (globalThis.HTMLElement ?? Object) {
  static observedAttributes = [...TOKEN, "comment", ...Object.keys(DECISIONS)];
  #parts = {};
  #state = "idle";
  #chosen = "approve";
  /** Aborted when the element shows another token, or none. */
  #shown = new AbortController();

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLES);
    root.adoptedStyleSheets = [sheet];
    const add = (parent, tag, part, fields = {}) => {
      const element = Object.assign(document.createElement(tag), fields);
      if (part) {
        this.#parts[part] = element;
        element.setAttribute("part", part);
      }
      return parent.appendChild(element);
    };
    add(root, "slot");
    const label = add(root, "label", "label", { hidden: true });
    add(label, "slot", "", { name: "comment" }).append("Comment");
    add(label, "span", "required", { textContent: " *", ariaHidden: "true" });
    add(label, "textarea", "comment", { maxLength: 2000 });
    const row = add(root, "div", "buttons", { className: "row" });
    for (const [name, { style }] of Object.entries(DECISIONS)) {
      add(row, "button", name, {
        type: "button",
        className: style,
        onclick: () => this.decide(name),
      });
    }
    const status = add(root, "p", "status", { tabIndex: -1 });
    status.setAttribute("role", "status");
    add(root, "div", "again", { className: "row", hidden: true });
    add(this.#parts.again, "button", "retry", {
      className: "plain",
      type: "button",
      onclick: () => this.decide(this.#chosen),
    });
    add(this.#parts.retry, "slot", "", { name: "retry" }).append("Try again");
    add(root, "a", "link", { hidden: true });
    add(this.#parts.link, "slot", "", { name: "link" }).append("Decide on the page");
    this.#label();
  }

  connectedCallback() {
    // If it is moved within the page while it sends, it goes on.
    if (this.#state !== "sending") this.#restart();
  }

  disconnectedCallback() {
    if (this.#state !== "sending") this.#shown.abort();
  }

  attributeChangedCallback(name, before, after) {
    if (before === after) return;
    this.#label();
    if (!TOKEN.includes(name) || !this.isConnected) return;
    this.#parts.comment.value = "";
    this.#restart();
  }

  /** One of those of SENTENCES. The attribute `state` follows it. */
  get state() {
    return this.#state;
  }

  /** Decides as the button does. Resolves when the state is final or failed. */
  async decide(name) {
    if (!Object.hasOwn(DECISIONS, name)) {
      throw new TypeError(`${name} is not a decision. Use ${Object.keys(DECISIONS).join(" or ")}.`);
    }
    if (!["idle", "failed"].includes(this.#state)) return;
    const { comment } = this.#parts;
    // White space does not count as a comment.
    comment.value = comment.value.trim();
    if (!comment.reportValidity()) return;
    this.#chosen = name;
    this.#show("sending");
    const { signal: other } = this.#shown;
    try {
      const data = this.#data(name);
      const { outcome } = await completeToken(this.#token(), data, this.#options());
      if (other.aborted) return;
      this.#show(ENDS[outcome] ?? "done");
      this.#dispatch("waitpoint-complete", { outcome, data, decision: name });
    } catch (error) {
      if (other.aborted) return;
      this.#show(error.code === "public_token_expired" ? "expired" : "failed", error.retryable);
      // Where even the request without WebAssembly failed, the server's own page may work.
      this.#offerPage([error.code, error.cause?.code].includes("wasm_unavailable"));
      // A mistake in the markup is reported to its author.
      if (error.code === "invalid_argument") console.error(error);
      this.#dispatch("waitpoint-error", { error });
    }
  }

  /** Shows another token, once, however many attributes change together. */
  #restart() {
    this.#shown.abort();
    this.#shown = new AbortController();
    const { signal } = this.#shown;
    this.#show("idle");
    queueMicrotask(() => signal.aborted || this.#checkState(signal));
  }

  /**
   * Asks whether the token was decided before. If the credential may not read, only its expiry is
   * checked.
   */
  async #checkState(signal) {
    const token = this.#token();
    if (!token) return;
    const options = this.#options();
    let state;
    try {
      const { status, cancelledAt } = await retrieveToken(token, { ...options, signal });
      state = ENDS[cancelledAt ? "cancelled" : status];
    } catch (error) {
      if (error.code === "public_token_expired") state = "expired";
    }
    if (state && !signal.aborted && this.#state === "idle") this.#show(state);
  }

  #label() {
    const { label, comment, required, ...parts } = this.#parts;
    for (const [decision, { label }] of Object.entries(DECISIONS)) {
      const given = this.getAttribute(decision);
      parts[decision].textContent = given || label;
      parts[decision].hidden = given === "";
    }
    const asked = this.getAttribute("comment");
    label.hidden =
      !["optional", "required"].includes(asked) ||
      !["idle", "sending", "failed"].includes(this.#state);
    required.hidden = asked !== "required";
    comment.required = asked === "required";
  }

  #offerPage(isBroken) {
    const { link } = this.#parts;
    const url = this.getAttribute("token-url") ?? "";
    link.hidden = !isBroken || this.#state !== "failed" || !/^https?:/.test(url);
    if (!link.hidden) link.href = url;
  }

  #data(name) {
    const text = this.getAttribute(`${name}-data`);
    let data = DECISIONS[name].data;
    try {
      if (text !== null) data = JSON.parse(text);
    } catch (cause) {
      const message = `${name}-data is not valid JSON: ${text}`;
      throw new WaitpointError(message, { code: "invalid_argument", cause });
    }
    const comment = this.#parts.label.hidden ? "" : this.#parts.comment.value;
    if (!comment) return data;
    return Object(data) === data && !Array.isArray(data) ? { ...data, comment } : { data, comment };
  }

  #token() {
    return this.getAttribute("token-url") ?? this.getAttribute("token-id") ?? "";
  }

  #options() {
    const of = (name) => this.getAttribute(name) ?? undefined;
    return { accessToken: of("access-token"), baseURL: of("base-url") };
  }

  #show(state, retryable) {
    const { buttons, again, retry, status, label, comment, required, link, ...parts } = this.#parts;
    link.hidden = true;
    // Focus moves on only if it was here.
    const focused = this.shadowRoot.activeElement;
    this.#state = state;
    this.setAttribute("state", state);
    buttons.hidden = !["idle", "sending"].includes(state) || focused === retry;
    // While it is sent again its button stays, and keeps the focus.
    again.hidden = !(retryable || (state === "sending" && focused === retry));
    for (const button of [...Object.keys(DECISIONS).map((name) => parts[name]), retry]) {
      button.setAttribute("aria-disabled", state === "sending");
    }
    comment.readOnly = state === "sending";
    this.#label();
    const slot = Object.assign(document.createElement("slot"), {
      name: state,
      textContent: SENTENCES[state],
    });
    status.dataset.state = state;
    status.replaceChildren(slot);
    if (focused && !["idle", "sending"].includes(state)) (retryable ? retry : status).focus();
  }

  #dispatch(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }
}

if (globalThis.customElements && !customElements.get("waitpoint-approval")) {
  customElements.define("waitpoint-approval", WaitpointApproval);
}
