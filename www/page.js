(() => {
  const lang = document.documentElement.lang;
  const find = (id) => document.getElementById(id);
  const say = (text) => (find("live").textContent = text);
  // Never a reload: that would send again what was sent last.
  const show = () => location.replace(location.pathname + location.search);

  // The server knows UTC alone.
  const local = new Intl.DateTimeFormat(lang, { dateStyle: "long", timeStyle: "short" });
  for (const time of document.querySelectorAll("time")) {
    time.title = time.textContent;
    time.textContent = local.format(new Date(time.dateTime));
  }

  const form = document.querySelector("form");
  if (!form) return;

  // The countdown is seen by eyes alone; ears are told at ten, five and one minute. The clock is
  // the server's, as this machine's may be wrong.
  const skew = Date.parse(document.body.dataset.now) - Date.now();
  const deadline = find("deadline");
  const due = Date.parse(deadline?.dateTime) - skew;
  const words = new Intl.RelativeTimeFormat(lang, { numeric: "always" });
  const markOf = (seconds) => [1, 5, 10].find((minutes) => seconds <= minutes * 60) ?? Infinity;
  let told = markOf((due - Date.now()) / 1000);
  const count = () => {
    const seconds = Math.round((due - Date.now()) / 1000);
    if (seconds < 0) {
      find("left").textContent = "";
      return look();
    }
    const units = [
      [86400, "day"],
      [3600, "hour"],
      [60, "minute"],
    ];
    const [size, unit] = units.find(([size]) => seconds >= 2 * size) ?? [1, "second"];
    const left = words.format(Math.round(seconds / size), unit);
    find("left").textContent = left;
    if (markOf(seconds) < told)
      find("ears").textContent = `${deadline.parentNode.firstChild.textContent} ${left}`;
    told = markOf(seconds);
    setTimeout(count, unit === "second" ? 1000 : 10000);
  };

  // Somebody else may decide meanwhile. Asked seldom, and not while nobody looks.
  let pause = 4000;
  let timer;
  const look = async () => {
    clearTimeout(timer);
    if (!document.hidden && navigator.onLine && !busy) {
      const answer = await fetch(location.href, { method: "HEAD" }).catch(() => undefined);
      const status = answer?.headers.get("waitpoint-status");
      if (status && status !== "WAITING" && !busy) return over();
      pause = Math.min(pause * 1.3, 60000);
    }
    timer = setTimeout(look, pause);
  };
  const over = () => {
    // What somebody has begun to write stays.
    if (
      ![...form.elements].some(
        (field) =>
          field.defaultValue !== undefined &&
          field.type !== "hidden" &&
          field.value !== field.defaultValue,
      )
    )
      return show();
    const link = document.createElement("a");
    link.href = location.pathname + location.search;
    link.textContent = form.dataset.show;
    find("live").replaceChildren(`${form.dataset.meanwhile} `, link);
  };
  document.addEventListener("visibilitychange", () => (pause = 4000));

  // Once, and only with a network to carry it; of several presses without one the last counts.
  let busy = false;
  let pending;
  const idle = () => {
    busy = false;
    form.removeAttribute("aria-busy");
  };
  form.addEventListener("submit", (event) => {
    if (busy) return event.preventDefault();
    if (navigator.onLine) {
      busy = true;
      form.setAttribute("aria-busy", "true");
      // It may have been stopped.
      return setTimeout(idle, 10000);
    }
    event.preventDefault();
    pending = event;
    say(form.dataset.offline);
  });
  addEventListener("online", () => {
    if (!pending) return;
    const { submitter } = pending;
    pending = undefined;
    say("");
    form.requestSubmit(submitter);
  });
  addEventListener("pageshow", idle);

  if (due) count();
  timer = setTimeout(look, pause);
})();
