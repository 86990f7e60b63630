// Sorts, filters and draws. Every page is complete without it.
(() => {
  'use strict';

  for (const table of document.querySelectorAll('table.sortable')) {
    const heads = [...table.querySelectorAll('thead th')];
    heads.forEach((head, column) => {
      head.querySelector('button').addEventListener('click', () => {
        const numeric = head.dataset.kind === 'number';
        const before = head.getAttribute('aria-sort');
        const order = before === 'ascending' ? 'descending' : 'ascending';
        for (const other of heads) other.removeAttribute('aria-sort');
        head.setAttribute('aria-sort', order);
        const sign = order === 'ascending' ? 1 : -1;
        const value = (row) => row.cells[column].dataset.value ?? row.cells[column].textContent;
        const compare = numeric
          ? (a, b) => Number(value(a)) - Number(value(b))
          : (a, b) => value(a).localeCompare(value(b), 'en');
        const body = table.tBodies[0];
        body.append(...[...body.rows].sort((a, b) => sign * compare(a, b)));
      });
    });
  }

  for (const bar of document.querySelectorAll('[data-filters]')) {
    const table = document.getElementById(bar.dataset.filters);
    const text = bar.querySelector('[data-filter=text]');
    const selects = [...bar.querySelectorAll('select')];
    const output = bar.querySelector('[data-count]');
    const apply = () => {
      const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      for (const row of table.tBodies[0].rows) {
        const fits =
          words.every((word) =>
            (row.dataset.text ?? row.cells[0].textContent.toLowerCase()).includes(word),
          ) && selects.every(({ value, dataset }) => value === '' || row.dataset[dataset.filter] === value);
        row.hidden = !fits;
        if (fits) shown += 1;
      }
      output.textContent = `${shown} ${table.dataset.noun}${shown === 1 ? '' : 's'}`;
    };
    text.addEventListener('input', apply);
    for (const select of selects) select.addEventListener('change', apply);
    // A browser may have kept what was typed when the page is opened again.
    apply();
  }

  const source = document.getElementById('charts');
  if (source === null || typeof Chart === 'undefined') return;
  const charts = JSON.parse(source.textContent);
  const dark = matchMedia('(prefers-color-scheme: dark)');
  // A cell of a heat map is told by its names.
  const cell = { label: ({ raw, dataset }) => `${raw.y}, ${raw.x}: ${dataset.label}` };
  let drawn = [];
  const draw = () => {
    for (const chart of drawn) chart.destroy();
    const themed = structuredClone(dark.matches ? charts.dark : charts.light);
    drawn = themed.map(({ id, height, config }) => {
      const canvas = document.querySelector(`canvas[data-chart="${id}"]`);
      canvas.parentElement.style.height = `${height}px`;
      config.options.font = { family: 'system-ui, sans-serif' };
      config.options.plugins.tooltip.callbacks = config.type === 'scatter' ? cell : {};
      return new Chart(canvas, config);
    });
  };
  draw();
  dark.addEventListener('change', draw);
})();
