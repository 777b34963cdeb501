(() => {
  const lang = document.documentElement.lang;
  const find = (id) => document.getElementById(id);
  const say = (text) => (find("live").textContent = text);

  // The server knows UTC alone.
  const local = new Intl.DateTimeFormat(lang, { dateStyle: "long", timeStyle: "short" });
  for (const time of document.querySelectorAll("time")) {
    time.title = time.textContent;
    time.textContent = local.format(new Date(time.dateTime));
  }

  const form = document.querySelector("form");
  if (!form) return;

  // The countdown is seen by eyes alone; ears are told at ten, five and one minute.
  const due = Date.parse(find("deadline")?.dateTime);
  const words = new Intl.RelativeTimeFormat(lang, { numeric: "always" });
  let told = Infinity;
  const count = () => {
    const seconds = Math.round((due - Date.now()) / 1000);
    if (seconds < 0) return location.reload();
    const [size, unit] = [[86400, "day"], [3600, "hour"], [60, "minute"]].find(([size]) => seconds >= 2 * size) ?? [1, "second"];
    const left = words.format(Math.round(seconds / size), unit);
    find("left").textContent = left;
    const mark = [1, 5, 10].find((minutes) => seconds <= minutes * 60);
    if (mark < told) say(left);
    told = mark ?? told;
    setTimeout(count, unit === "second" ? 1000 : 10000);
  };
  if (due) count();

  // Somebody else may decide meanwhile. Asked seldom, and not while nobody looks.
  let pause = 4000;
  const look = async () => {
    if (!document.hidden && navigator.onLine) {
      const answer = await fetch(location.href, { method: "HEAD" }).catch(() => undefined);
      const status = answer?.headers.get("waitpoint-status");
      if (status && status !== "WAITING") return location.reload();
      pause = Math.min(pause * 1.3, 60000);
    }
    setTimeout(look, pause);
  };
  setTimeout(look, pause);
  document.addEventListener("visibilitychange", () => (pause = 4000));

  // Once, and only with a network to carry it.
  let busy = false;
  form.addEventListener("submit", (event) => {
    if (busy) return event.preventDefault();
    if (navigator.onLine) {
      busy = true;
      return form.setAttribute("aria-busy", "true");
    }
    event.preventDefault();
    say(form.dataset.offline);
    addEventListener("online", () => (say(""), form.requestSubmit(event.submitter)), { once: true });
  });
  addEventListener("pageshow", () => ((busy = false), form.removeAttribute("aria-busy")));
})();
