// The page's only script: filters, sorting, links into closed or filtered parts, copying. Nothing depends on it.
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  for (const element of all('form.filter, .script-only')) element.hidden = false;

  // Filters: a part is shown where each of its corpus, view and metric is the chosen one, or all are chosen.
  const chosen = (form) => Object.fromEntries(all('select', form).map((select) => [select.name, select.value]));
  const matches = (element, choice) =>
    Object.entries(choice).every(([name, value]) => {
      const own = element.dataset[name];
      return value === '' || own === undefined || own === value;
    });

  const forms = {
    panel(form) {
      const choice = chosen(form);
      for (const panel of all('.panel')) panel.hidden = !matches(panel, choice);
      for (const section of all('main > section')) {
        const panels = all('.panel', section);
        if (panels.length === 0) continue;
        const empty = panels.every((panel) => panel.hidden);
        let note = section.querySelector('.nothing');
        if (empty && note === null) {
          note = document.createElement('p');
          note.className = 'nothing quiet';
          note.textContent = 'Nothing for this choice.';
          section.append(note);
        }
        if (note !== null) note.hidden = !empty;
      }
    },
    board(form, changed) {
      const { corpus = '', view = '', metric } = chosen(form);
      for (const board of all('.board')) {
        board.hidden = !matches(board, { corpus });
        for (const row of all('tbody tr', board)) row.hidden = !matches(row, { view });
        if (metric === undefined) continue;
        for (const cell of all('[data-metric]', board)) cell.hidden = cell.dataset.metric !== metric;
        const button = board.querySelector(`th[data-metric="${CSS.escape(metric)}"] button`);
        if (changed === 'metric' && button !== null) sort(button, 'descending');
      }
    },
  };
  for (const form of all('form.filter')) {
    const apply = forms[form.dataset.for];
    form.addEventListener('submit', (event) => event.preventDefault());
    form.addEventListener('change', (event) => apply(form, event.target.name));
    apply(form);
  }

  // Sorting: by the number in data-sort or in the text, else by the text; what has no value stays last.
  function sort(button, wanted) {
    const head = button.closest('th');
    const table = button.closest('table');
    const body = table.tBodies[0];
    const column = [...head.parentElement.children].indexOf(head);
    const number = head.classList.contains('num');
    const before = head.getAttribute('aria-sort');
    const direction =
      wanted ?? (before === 'descending' || (before !== 'ascending' && !number) ? 'ascending' : 'descending');
    const sign = direction === 'ascending' ? 1 : -1;
    const key = (row) => {
      const cell = row.children[column];
      const text = (cell.dataset.sort ?? cell.textContent).trim();
      if (!number) return text;
      const value = Number.parseFloat(text.replace(/\u2212/g, '-').replace(/[^0-9.eE+-]/g, ''));
      return Number.isNaN(value) ? undefined : value;
    };
    const rows = [...body.rows].map((row) => ({ row, key: key(row) }));
    rows.sort((a, b) => {
      if (a.key === undefined || b.key === undefined) return (a.key === undefined) - (b.key === undefined);
      return sign * (number ? a.key - b.key : a.key.localeCompare(b.key, 'en', { numeric: true }));
    });
    body.append(...rows.map(({ row }) => row));
    for (const other of all('th[aria-sort]', table)) other.setAttribute('aria-sort', 'none');
    head.setAttribute('aria-sort', direction);
  }
  document.addEventListener('click', (event) => {
    const button = event.target.closest('table.sortable thead button');
    if (button !== null) sort(button);
    const copy = event.target.closest('button.copy');
    if (copy !== null) copyText(copy);
  });

  // Links: what they lead to is shown, whatever the filters say, and opened.
  function reveal() {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target === null) return;
    const panel = target.closest('.panel');
    const form = document.querySelector('form[data-for="panel"]');
    if (panel?.hidden && form !== null) {
      for (const select of all('select', form)) {
        const own = panel.dataset[select.name];
        if (own !== undefined && select.value !== own) select.value = own;
      }
      forms.panel(form);
    }
    const details = target.closest('details');
    if (details !== null) details.open = true;
    target.scrollIntoView();
  }
  window.addEventListener('hashchange', reveal);
  document.addEventListener('click', (event) => {
    // The same link twice changes no hash.
    const link = event.target.closest('a[href^="#"]');
    if (link !== null && link.getAttribute('href') === location.hash) reveal();
  });
  if (location.hash !== '') reveal();

  function copyText(button) {
    const source = document.getElementById(button.dataset.copy);
    const text = source.textContent.trim();
    const done = () => {
      button.textContent = 'Copied';
    };
    const select = () => {
      getSelection().selectAllChildren(source);
      button.textContent = 'Selected: copy with Ctrl+C';
    };
    if (navigator.clipboard === undefined) select();
    else navigator.clipboard.writeText(text).then(done, select);
  }
})();
