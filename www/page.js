(() => {
  const lang = document.documentElement.lang;
  const find = (id) => document.getElementById(id);
  const showStatus = (text) => (find("live").textContent = text);
  // Not a reload: after a form that would send it again.
  const openAgain = () => location.replace(location.pathname + location.search);

  // The server writes times in UTC, as it does not know the reader's time zone.
  const local = new Intl.DateTimeFormat(lang, { dateStyle: "long", timeStyle: "short" });
  const showLocal = (time) => {
    time.title = time.dateTime.replace(/T(.{5}).*/, " $1 UTC");
    time.textContent = local.format(new Date(time.dateTime));
  };
  document.querySelectorAll("time[datetime]").forEach(showLocal);

  const form = document.querySelector("form");
  if (!form) return;

  // The countdown is hidden from screen readers. They read out ten, five and one minute. The time
  // is the server's, as this machine's clock may be wrong.
  const skew = Date.parse(document.body.dataset.now) - Date.now();
  const deadline = find("deadline");
  const label = deadline.parentNode.firstChild.textContent.trim();
  const relative = new Intl.RelativeTimeFormat(lang, { numeric: "always" });
  const nextMark = (seconds) => [1, 5, 10].find((minutes) => seconds <= minutes * 60) ?? Infinity;
  let due;
  let reminded;
  let countdown;
  const startCountdown = () => {
    clearTimeout(countdown);
    due = Date.parse(deadline.dateTime) - skew;
    reminded = nextMark((due - Date.now()) / 1000);
    if (due) count();
  };
  const count = () => {
    const seconds = Math.round((due - Date.now()) / 1000);
    if (seconds < 0) {
      find("left").textContent = "";
      return poll();
    }
    const units = [
      [86400, "day"],
      [3600, "hour"],
      [60, "minute"],
    ];
    const [size, unit] = units.find(([size]) => seconds >= 2 * size) ?? [1, "second"];
    const left = relative.format(Math.round(seconds / size), unit);
    find("left").textContent = left;
    if (nextMark(seconds) < reminded) find("reminder").textContent = `${label} ${left}`;
    reminded = nextMark(seconds);
    countdown = setTimeout(count, unit === "second" ? 1000 : 10000);
  };

  // Someone else may decide in the meantime, or the owner may move the deadline or withdraw the
  // token. The page asks rarely, and not while it is hidden.
  let pause = 4000;
  let timer;
  const poll = async () => {
    clearTimeout(timer);
    if (!document.hidden && navigator.onLine && !busy) {
      const response = await fetch(location.href, { method: "HEAD" }).catch(() => undefined);
      const header = (name) => response?.headers.get(`waitpoint-${name}`);
      const status = header("status");
      if (status && status !== "WAITING" && !busy) return onEnded(status, header("outcome"));
      const timeoutAt = header("timeout-at");
      if (timeoutAt && timeoutAt !== deadline.dateTime) moveDeadline(timeoutAt);
      pause = Math.min(pause * 1.3, 60000);
    }
    clearTimeout(timer);
    timer = setTimeout(poll, pause);
  };
  const moveDeadline = (timeoutAt) => {
    deadline.dateTime = timeoutAt;
    deadline.parentNode.hidden = false;
    showLocal(deadline);
    find("reminder").textContent = `${label} ${deadline.textContent}`;
    startCountdown();
  };
  const onEnded = (status, outcome) => {
    // Keep what the person has begun to write, also before the server asked to correct it.
    const isChanged = (control) =>
      control.options
        ? [...control.options].some((option) => option.selected !== option.defaultSelected)
        : control.checked !== control.defaultChecked ||
          control.validity.badInput ||
          (control.defaultValue !== undefined && control.value !== control.defaultValue);
    if (!find("alert") && ![...form.elements].some(isChanged)) return openAgain();
    const link = document.createElement("a");
    link.href = location.pathname + location.search;
    const { decidedElsewhere, show, withdrawn, deadlinePassed, showDetails } = form.dataset;
    // A decision after the deadline may be the default one, which nobody has made.
    const isLate = status === "TIMED_OUT" || due < Date.now();
    const isWithdrawn = outcome === "cancelled";
    const sentence = isWithdrawn ? withdrawn : isLate ? deadlinePassed : decidedElsewhere;
    link.textContent = isWithdrawn || isLate ? showDetails : show;
    find("live").replaceChildren(`${sentence} `, link);
    // What has ended has no deadline any more.
    clearTimeout(countdown);
    deadline.parentNode.hidden = true;
  };
  document.addEventListener("visibilitychange", () => (pause = 4000));

  // A form is sent once, and only while online. Of several presses while offline the last one
  // counts.
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
      // The person may have stopped it.
      return setTimeout(idle, 10000);
    }
    event.preventDefault();
    pending = event;
    showStatus(form.dataset.offline);
  });
  addEventListener("online", () => {
    if (!pending) return;
    const { submitter } = pending;
    pending = undefined;
    showStatus("");
    form.requestSubmit(submitter);
  });
  addEventListener("pageshow", idle);

  startCountdown();
  timer = setTimeout(poll, pause);
})();
