/* Greenroom's behaviour in the browser. Every page works without it, except that it then
   doesn't refresh itself. No inline handlers and no eval: the content policy refuses both. */
(() => {
  "use strict";
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const on = (type, listener) => document.addEventListener(type, listener);

  /* Theme: system, light, dark. The server reads the cookie, so no page flashes. */
  const root = document.documentElement;
  on("submit", (event) => {
    if (!event.target.matches("[data-theme-form]")) return;
    event.preventDefault();
    const next = { light: "dark", dark: "system" }[root.dataset.theme] || "light";
    if (next === "system") delete root.dataset.theme;
    else root.dataset.theme = next;
    const secure = location.protocol === "https:" ? "; secure" : "";
    document.cookie = `theme=${next}; path=/; max-age=31536000; samesite=lax${secure}`;
    $$("[data-theme-label]").forEach((label) => (label.textContent = `Theme: ${next}`));
  });

  /* Toasts: the server's answer to what a person did, in the one status region. */
  const toasts = $("#toasts");
  const symbol = (name) => {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("class", "icon");
    svg.setAttribute("aria-hidden", "true");
    svg.append(document.createElementNS("http://www.w3.org/2000/svg", "use"));
    svg.firstChild.setAttribute("href", `#i-${name}`);
    return svg;
  };
  const toast = (text, kind = "ready") => {
    const box = document.createElement("div");
    const words = document.createElement("span");
    const dismiss = document.createElement("button");
    box.className = `toast ${kind}`;
    words.textContent = text;
    dismiss.className = "btn ghost icon-only s";
    dismiss.type = "button";
    dismiss.setAttribute("aria-label", "Dismiss");
    dismiss.append(symbol("x"));
    dismiss.addEventListener("click", () => box.remove());
    box.append(symbol(kind === "error" ? "error" : "ready"), words, dismiss);
    while (toasts.children.length > 2) toasts.firstChild.remove();
    toasts.append(box);
    if (kind === "error") return;
    const timer = setTimeout(() => box.remove(), 6000);
    ["mouseenter", "focusin"].forEach((type) => box.addEventListener(type, () => clearTimeout(timer)));
  };
  /* What the server put there while the page loaded is said again, so that it is announced. */
  $$(".toast", toasts).forEach((early) => {
    toast(early.textContent.trim(), early.classList.contains("error") ? "error" : "ready");
    early.remove();
  });
  on("toast", (event) => toast(event.detail.text, event.detail.kind));

  /* Menus: one open at a time; Escape and a click elsewhere close; focus goes back. */
  const menus = "details.menu[open], .topbar details[open]";
  document.addEventListener("toggle", (event) => {
    if (event.target.matches?.("details.menu[open]"))
      $$("details.menu[open]").forEach((menu) => (menu.open = menu === event.target));
  }, true);
  on("click", (event) => $$(menus).forEach((menu) => menu.contains(event.target) || (menu.open = false)));
  on("keydown", (event) => {
    if (event.key === "Escape")
      $$(menus).forEach((menu) => {
        menu.open = false;
        $("summary", menu).focus();
      });
    if (event.key === "/" && !event.target.closest("input, textarea, select") && $("#q")) {
      event.preventDefault();
      $("#q").focus();
    }
  });

  /* A confirmation opens in its row, with the focus on the harmless answer. */
  const opener = (box) => $(`[data-confirm="${box.id}"]`);
  const close = (box) => {
    box.hidden = true;
    opener(box)?.setAttribute("aria-expanded", "false");
    opener(box)?.focus();
  };
  on("click", (event) => {
    const asked = event.target.closest("[data-confirm]");
    const kept = event.target.closest("[data-keep]");
    if (asked) {
      event.preventDefault();
      const box = document.getElementById(asked.dataset.confirm);
      box.hidden = false;
      asked.setAttribute("aria-expanded", "true");
      $("[data-keep]", box).focus();
    }
    if (kept) {
      event.preventDefault();
      close(kept.closest(".confirm"));
    }
  });
  on("keydown", (event) => {
    const box = event.key === "Escape" && event.target.closest(".confirm");
    if (box) close(box);
  });

  /* What a reader had opened stays open when its part is swapped. */
  on("htmx:oobBeforeSwap", (event) => {
    const { target, fragment } = event.detail;
    const known = $$("details[id]", target);
    known.forEach((old) => {
      const fresh = fragment.querySelector(`#${CSS.escape(old.id)}`);
      if (fresh) fresh.open = old.open;
    });
  });

  /* The server may say where the focus goes when what had it is gone. */
  on("focusOn", (event) => $(event.detail.selector)?.focus());

  /* Off to a platform: one at a time, and said so. */
  on("click", (event) => {
    const chosen = event.target.closest("[data-connect]");
    if (!chosen || event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey) return;
    $("small", chosen).textContent = `Opening ${chosen.dataset.connect}…`;
    $$("[data-connect]").forEach((link) => link.setAttribute("aria-disabled", "true"));
  });
  window.addEventListener("pageshow", (event) => event.persisted && $("[data-connect]") && location.reload());

  /* A form that takes its time is sent once. */
  on("submit", (event) => {
    const button = $("[data-once]", event.target);
    if (button) setTimeout(() => button.setAttribute("aria-disabled", "true"));
  });
  window.addEventListener("pageshow", () => $$("[data-once]").forEach((button) => button.removeAttribute("aria-disabled")));

  /* A second press on a slow line is not a second order. */
  on("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post" || form.id === "bulk" || form.matches("[hx-post]")) return;
    if (form.dataset.sent) return event.preventDefault();
    form.dataset.sent = "1";
    setTimeout(() => delete form.dataset.sent, 5000);
  });

  /* A button that can't be used now stays in the tab order, and does nothing. */
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[aria-disabled=true]")) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }, true);

  on("click", (event) => {
    const button = event.target.closest("[data-reveal]");
    if (!button) return;
    const field = document.getElementById(button.dataset.reveal);
    const shown = field.type === "text";
    field.type = shown ? "password" : "text";
    button.firstChild.textContent = shown ? "Show" : "Hide";
    button.setAttribute("aria-pressed", String(!shown));
  });

  on("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const field = document.getElementById(button.dataset.copy);
    field.select();
    navigator.clipboard.writeText(field.value).then(
      () => toast("Copied"),
      () => toast("The browser refused to copy. It is selected: press Ctrl C.", "error"),
    );
  });

  on("click", (event) => event.target.closest("[data-print]") && window.print());

  /* Rows that are ticked. The bar itself shows and hides by the stylesheet alone. */
  const rows = () => $$("td .check[form=bulk]");
  const count = () => {
    const every = $("[data-every]");
    if (!every) return;
    const ticked = rows().filter((row) => row.checked).length;
    const whole = $("[data-whole]");
    every.hidden = false;
    every.checked = ticked > 0 && ticked === rows().length;
    every.indeterminate = ticked > 0 && !every.checked;
    if (whole && !every.checked) whole.checked = false;
    const told = whole?.checked ? Number(whole.dataset.whole) : ticked;
    const words = ticked ? `${told.toLocaleString("en")} selected` : "";
    if ($("[data-count]").textContent !== words) $("[data-count]").textContent = words;
  };
  on("change", (event) => {
    if (event.target.matches("[data-every]")) rows().forEach((row) => (row.checked = event.target.checked));
    if (event.target.matches(".check")) count();
  });
  on("reset", (event) => {
    if (event.target.id !== "bulk") return;
    $("[data-every]").focus();
    setTimeout(count);
  });
  on("submit", (event) => {
    if (event.target.id !== "bulk" || event.submitter?.value.startsWith("export")) return;
    setTimeout(() => $$("button", event.target).forEach((button) => button.setAttribute("aria-disabled", "true")));
  });

  /* Live parts. A poll waits while its tab is hidden and while its reader has pressed Pause,
     which is remembered for this page. */
  const poll = () => $("[data-poll]");
  const key = () => `paused:${$("[data-live]")?.dataset.live}`;
  const remembered = () => {
    try {
      return localStorage.getItem(key()) === "1";
    } catch {
      return false;
    }
  };
  const remember = (paused) => {
    try {
      if (paused) localStorage.setItem(key(), "1");
      else localStorage.removeItem(key());
    } catch {
      /* a browser without storage forgets at the next page */
    }
  };
  let paused = false;
  const say = (words) => $$("[data-live-text]").forEach((live) => (live.textContent = words));
  const pace = () => (paused ? "Updates paused" : `Live, every ${poll()?.dataset.poll || 10} s`);
  const show = () => {
    say(pace());
    $$("[data-live-pause]").forEach((button) => (button.textContent = paused ? "Resume" : "Pause"));
  };
  const refresh = () => poll() && window.htmx.trigger(poll(), "refresh");
  const dress = (part) => {
    $$("[data-reveal], [data-live], [data-copy], [data-print]", part).forEach((scripted) => (scripted.hidden = false));
    paused = remembered();
    show();
    count();
  };
  on("click", (event) => {
    if (!event.target.closest("[data-live-pause]")) return;
    paused = !paused;
    remember(paused);
    show();
    if (!paused) refresh();
  });
  on("visibilitychange", () => document.hidden || paused || refresh());
  on("htmx:beforeRequest", (event) => {
    if (event.detail.elt.matches("[data-poll]") && (document.hidden || paused)) event.preventDefault();
    if (event.detail.elt.matches("[data-batch]") && document.hidden) event.preventDefault();
  });
  on("htmx:afterRequest", (event) => {
    const { elt, successful, xhr } = event.detail;
    if (elt.matches("[data-poll]")) return say(successful ? pace() : "Can't reach Greenroom, trying again");
    if (successful || xhr.status === 422 || xhr.getResponseHeader("HX-Trigger") || elt.matches("[data-batch]")) return;
    toast(
      xhr.status === 403
        ? "That needs a manager. If you are one, reload the page."
        : xhr.status === 404
          ? "This is gone. Reload the page to see what's there now."
          : "Greenroom didn't answer. Nothing was changed; try again.",
      "error",
    );
  });
  /* What a poll brings for a list that was just replaced is out of date. */
  on("htmx:beforeSwap", (event) => event.detail.target.id === "list" && poll() && window.htmx.trigger(poll(), "htmx:abort"));
  on("htmx:afterRequest", (event) => {
    const menu = event.detail.elt.closest("details.menu");
    if (!menu) return;
    menu.open = false;
    $("summary", menu).focus();
  });
  on("htmx:afterSettle", show);
  dress(document);
  on("htmx:load", (event) => dress(event.detail.elt));

  /* The current tab is in view on a narrow screen. */
  const tab = $(".tabs [aria-current]");
  if (tab && tab.parentNode.scrollWidth > tab.parentNode.clientWidth) tab.parentNode.scrollLeft = tab.offsetLeft - 24;
})();
