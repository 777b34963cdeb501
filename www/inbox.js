(() => {
  const lang = document.documentElement.lang;
  const { now, old, new: arrived, changed, show, out, signIn } = document.body.dataset;
  const find = (id) => document.getElementById(id);
  const all = (selector) => [...document.querySelectorAll(selector)];
  const setText = (node, text) => {
    if (node.textContent !== text) node.textContent = text;
  };
  const live = find("live");
  const place = location.pathname + location.search;
  // Who is signed in, and where: another tab may have changed that.
  const session = (page) => page.querySelector(".bar .chip")?.parentNode.textContent;

  // Times come in UTC. The server's clock counts: this machine's may be wrong.
  const skew = Date.parse(now) - Date.now();
  const local = new Intl.DateTimeFormat(lang, { dateStyle: "long", timeStyle: "short" });
  const relative = new Intl.RelativeTimeFormat(lang, { numeric: "auto" });
  const units = Object.entries({ day: 86400, hour: 3600, minute: 60 });
  const fromNow = (time) => {
    const seconds = (Date.parse(time.dateTime) - skew - Date.now()) / 1000;
    const [unit, size] = units.find(([, size]) => Math.abs(seconds) >= 2 * size) ?? ["second", 1];
    return relative.format(Math.round(seconds / size), unit);
  };
  const showTimes = () => {
    for (const time of all("time[datetime]")) {
      const text = local.format(new Date(time.dateTime));
      const isInRow = time.closest(".rows");
      time.title = isInRow ? text : time.dateTime.replace(/T(.{5}).*/, " $1 UTC");
      setText(time, isInRow ? fromNow(time) : text);
    }
    const deadline = find("deadline");
    if (deadline?.dateTime) setText(find("left"), fromNow(deadline));
  };

  // What was marked can be marked again after the list was replaced.
  const boxes = () => all("#list [name=id]");
  const showMarks = () => {
    const every = find("all");
    if (!every) return;
    const marked = boxes().filter((box) => box.checked).length;
    every.closest("p").hidden = false;
    every.checked = marked > 0 && marked === boxes().length;
    every.indeterminate = marked > 0 && !every.checked;
    setText(find("count"), marked > 0 ? ` (${marked})` : "");
  };
  find("marked")?.addEventListener("change", ({ target }) => {
    if (target.id === "all") for (const box of boxes()) box.checked = target.checked;
    showMarks();
  });

  // What the server last sent, before times were made relative.
  let region = find("list") ?? find("facts");
  let sent = region?.textContent;
  const isTyped = (it) =>
    it.options
      ? [...it.options].some((option) => option.selected !== option.defaultSelected)
      : it.checked !== it.defaultChecked || it.value !== (it.defaultValue ?? it.value);
  const isTouched = () => all("main form [name]").some(isTyped);
  const offer = (sentence, label, href, target = "") => {
    if (live.textContent === `${sentence} ${label}`) return;
    const link = Object.assign(document.createElement("a"), { href, target, textContent: label });
    live.replaceChildren(`${sentence} `, link);
  };
  const offerChanges = () => {
    if (!isTouched() && !find("alert")) return location.replace(location.pathname);
    offer(changed, show, location.pathname);
  };
  // What a person decides by.
  const state = ({ dataset }) => [dataset.status, dataset.deadline, dataset.votes].join();
  const replace = (fresh) => {
    if (fresh.textContent === sent) return;
    sent = fresh.textContent;
    const before = state(region);
    const had = new Set(boxes().map((box) => box.value));
    const marked = new Set(all("#list [name=id]:checked").map((box) => box.value));
    const focused = region.contains(document.activeElement) && document.activeElement.id;
    const top = scrollY;
    region.replaceWith(fresh);
    region = fresh;
    for (const box of boxes()) box.checked = marked.has(box.value);
    showTimes();
    showMarks();
    if (focused) find(focused)?.focus({ preventScroll: true });
    scrollTo(scrollX, top);
    const isNew = boxes().some((box) => !had.has(box.value));
    if (fresh.id === "list") setText(live, isNew ? arrived : "");
    else if (before !== state(fresh)) offerChanges();
  };

  // The page reads itself again, rarely, and not while it is hidden.
  let pause = 4000;
  let timer;
  const wait = () => {
    clearTimeout(timer);
    timer = setTimeout(poll, pause);
    pause = Math.min(pause * 1.3, 30000);
  };
  const poll = () => {
    if (document.hidden || !navigator.onLine || busy) return wait();
    const request = new XMLHttpRequest();
    request.open("GET", place);
    request.responseType = "document";
    request.timeout = 20000;
    request.onloadend = () => {
      if (busy) return wait();
      const page = request.response;
      const fresh = page?.getElementById(region.id);
      if (page?.getElementById("key")) {
        // What was written is kept: one signs in in another tab.
        if (isTouched()) offer(out, signIn, place, "_blank");
        else location.replace(place);
      } else if (fresh && session(page) !== session(document)) {
        if (isTouched()) offer(changed, show, place);
        else location.replace(place);
      } else if (fresh) {
        if ([old, `${out} ${signIn}`].includes(live.textContent)) setText(live, "");
        // What a form sends back is valid for hours, and for one session.
        const { value } = page.querySelector("[name=waitpoint_nonce]");
        for (const input of all("[name=waitpoint_nonce]")) input.value = value;
        replace(document.adoptNode(fresh));
      } else setText(live, old);
      wait();
    };
    request.send();
  };
  const pollSoon = () => {
    if (document.hidden || !region) return;
    clearTimeout(timer);
    pause = 4000;
    poll();
  };
  document.addEventListener("visibilitychange", pollSoon);
  addEventListener("online", pollSoon);

  // A form is sent once. The person may have stopped it.
  let busy = false;
  const idle = () => {
    busy = false;
    for (const form of all("form[aria-busy]")) form.removeAttribute("aria-busy");
  };
  document.addEventListener("submit", (event) => {
    if (event.target.method === "dialog") return;
    if (busy) return event.preventDefault();
    busy = true;
    event.target.setAttribute("aria-busy", "true");
    setTimeout(idle, 10000);
  });
  addEventListener("pageshow", () => {
    idle();
    showMarks();
  });

  // A deadline is edited in the time that the page shows. It is sent in UTC.
  const timeout = find("timeout");
  if (timeout) {
    const toLocal = (date) =>
      new Date(date - date.getTimezoneOffset() * 60000).toISOString().slice(0, 16);
    const given = new Date(`${timeout.value}Z`);
    if (!Number.isNaN(given.getTime())) timeout.defaultValue = toLocal(given);
    find("timeout-hint").hidden = true;
    timeout.form.addEventListener("formdata", ({ formData }) => {
      const wanted = new Date(timeout.value);
      if (!Number.isNaN(wanted.getTime())) formData.set("timeout", wanted.toISOString());
    });
  }

  // The way back leads to the filters that one came from.
  const stored = (storage, name, value) => {
    try {
      if (value !== undefined) window[storage].setItem(name, value);
      return window[storage].getItem(name);
    } catch {
      // Storage is blocked.
    }
  };
  const query = (value) => stored("sessionStorage", "inbox-query", value);
  if (find("list")) query(location.search);
  else find("back").search = query() ?? "";
  const setting = (value) => stored("localStorage", "inbox-keys", value);
  const [dialog, help, keysOn] = ["keys", "help", "keys-on"].map(find);
  keysOn.checked = setting() !== "off";
  keysOn.addEventListener("change", () => setting(keysOn.checked ? "on" : "off"));
  help.hidden = false;
  help.addEventListener("click", () => dialog.showModal());

  const row = () => document.activeElement?.closest(".rows li");
  const move = (by) => {
    const rows = all(".rows li");
    const at = rows.indexOf(row());
    rows[at < 0 ? 0 : Math.max(0, at + by)]?.querySelector("a").focus();
  };
  const begin = (style) => {
    if (!find("list")) return document.querySelector(`main button.${style}:not(.small)`)?.focus();
    // What is marked; without that, the row that has the focus.
    if (!boxes().some((box) => box.checked)) {
      const box = row()?.querySelector("[name=id]");
      if (!box) return;
      box.checked = true;
      showMarks();
    }
    find("marked").action = `/inbox/bulk#${style}`;
    find("marked").requestSubmit();
  };
  if (["#primary", "#danger"].includes(location.hash)) begin(location.hash.slice(1));
  const keys = {
    j: () => move(1),
    k: () => move(-1),
    x: () => row()?.querySelector("[name=id]")?.click(),
    o: () => row()?.querySelector("a").click(),
    a: () => begin("primary"),
    r: () => begin("danger"),
    "/": () => find("text")?.focus(),
    u: () => find("back").click(),
    "?": () => dialog.showModal(),
  };
  document.addEventListener("keydown", (event) => {
    const { key, target, ctrlKey, altKey, metaKey, isComposing } = event;
    const isTyping = target.closest?.("input:not([type=checkbox], [type=radio]), textarea, select");
    const isOurs = keysOn.checked && !dialog.open && Object.hasOwn(keys, key);
    if (!isOurs || isTyping || ctrlKey || altKey || metaKey || isComposing) return;
    event.preventDefault();
    keys[key]();
  });

  showTimes();
  showMarks();
  setInterval(showTimes, 10000);
  if (region) wait();
})();
