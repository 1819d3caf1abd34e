// The search page: pages in order of their score, under each the sections that match.
(() => {
  const pages = window.jachessPages;
  const root = document.documentElement.dataset.content_root;
  const boost = { keywords: 5, title: 6, headings: 3, text: 1 };
  const STOP = new Set("a an and are as at be by for how in is it of on or the to what why".split(" "));
  // A word and its plural, or its other endings, are one.
  const processTerm = (term) => {
    const word = term.toLowerCase().replace(/['’]s$/, "");
    if (STOP.has(word)) return null;
    return word.length > 4 ? word.replace(/(?:ies|es|s)$/, (e) => (e === "ies" ? "y" : "")) : word;
  };
  const tokenize = (text) => text.split(/[^\p{L}\p{N}]+/u).filter(Boolean);
  const options = { tokenize, processTerm, searchOptions: { boost, prefix: true, fuzzy: 0.15 } };
  const whole = new MiniSearch({ ...options, fields: ["title", "keywords", "headings", "text"] });
  const parts = new MiniSearch({
    ...options, fields: ["title", "text"], storeFields: ["page"],
  });
  const sections = [];
  pages.forEach((page, id) => {
    const headings = page.sections.map((s) => s[1]).join(" · ");
    const text = page.about + " " + page.sections.map((s) => s[2]).join(" ");
    whole.add({ id, title: page.title, keywords: page.keywords, headings, text });
    for (const [anchor, title, text] of page.sections) {
      parts.add({ id: sections.length, page: id, title, text });
      sections.push({ anchor, title, text });
    }
  });

  const marked = (text, terms) => {
    const holder = document.createElement("span");
    const found = new RegExp(`(?<![\\p{L}\\p{N}])(?:${terms.join("|")})[\\p{L}\\p{N}]*`, "giu");
    let done = 0;
    for (const match of text.matchAll(found)) {
      holder.append(text.slice(done, match.index));
      const mark = document.createElement("mark");
      mark.className = "highlighted";
      mark.textContent = match[0];
      holder.append(mark);
      done = match.index + match[0].length;
    }
    holder.append(text.slice(done));
    return holder;
  };
  const excerpt = (text, terms) => {
    const at = Math.max(0, text.search(new RegExp(`(?<![\\p{L}\\p{N}])(?:${terms.join("|")})`, "iu")));
    const from = at < 70 ? 0 : text.indexOf(" ", at - 70) + 1;
    const to = from + 190 > text.length ? text.length : text.lastIndexOf(" ", from + 190);
    return (from ? "… " : "") + text.slice(from, to) + (to < text.length ? " …" : "");
  };
  const link = (href, content) => {
    const a = document.createElement("a");
    a.href = href;
    a.append(content);
    return a;
  };
  const escaped = (term) => term.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

  const show = (query) => {
    const list = document.getElementById("search-results");
    const status = document.getElementById("search-status");
    const boostDocument = (id) => (pages[id].chapter ? 1.3 : 1);
    let hits = whole.search(query, { combineWith: "AND", boostDocument });
    if (!hits.length) hits = whole.search(query, { boostDocument });
    const inside = parts.search(query, { boost: { title: 3 } });
    const asked = tokenize(query).map((t) => processTerm(t)).filter(Boolean);
    const terms = [...new Set([...asked, ...hits.slice(0, 3).flatMap((h) => h.terms)])].map(escaped);
    // The page that opens next marks the same words.
    try { localStorage.setItem("sphinx_highlight_terms", asked.join(" ")); } catch { /* private */ }
    list.replaceChildren();
    for (const hit of hits.slice(0, 12)) {
      const page = pages[hit.id];
      const item = document.createElement("li");
      item.append(link(root + page.url, marked(page.title, terms)));
      const about = document.createElement("p");
      about.append(marked(page.about, terms));
      item.append(about);
      const found = document.createElement("ul");
      let matches = inside.filter((part) => part.page === hit.id);
      // Found by a word that it does not use: the sections about its other names.
      const filter = (part) => part.page === hit.id;
      if (!matches.length) matches = parts.search(page.keywords, { filter });
      for (const part of matches.slice(0, 3)) {
        const { anchor, title, text } = sections[part.id];
        const row = document.createElement("li");
        row.append(link(`${root}${page.url}#${anchor}`, marked(title, terms)));
        const some = document.createElement("p");
        some.append(marked(excerpt(text, terms), terms));
        row.append(some);
        found.append(row);
      }
      item.append(found);
      list.append(item);
    }
    status.textContent = hits.length
      ? `${hits.length === 1 ? "One page" : `${hits.length} pages`} for “${query}”`
      : `Nothing found for “${query}”. Try a name of the field, or a function's.`;
  };

  const query = new URLSearchParams(location.search).get("q");
  if (query) {
    for (const box of document.querySelectorAll("input[type=search]")) box.value = query;
    show(query);
  }
})();
