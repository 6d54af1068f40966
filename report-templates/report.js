// SPDX-License-Identifier: Apache-2.0
// What a reader of the page can do with it: find, filter, sort, fold, copy. Nothing is
// fetched and nothing is stored, and all there is to read is there without this file. It is
// read by XML and HTML parsers alike, so it holds no less-than sign and no ampersand.
'use strict';
(function () {
  const root = document.documentElement;
  const one = (selector, from) => (from || document).querySelector(selector);
  const all = (selector, from) => Array.from((from || document).querySelectorAll(selector));
  const make = (name, words, className) => {
    const element = document.createElement(name);
    element.textContent = words;
    if (className) element.className = className;
    if (name === 'button') element.type = 'button';
    return element;
  };
  root.classList.add('js');

  // --- copying: a value exactly as recorded, a row as its text
  const said = one('#said');
  const say = (words) => {
    said.textContent = words;
    setTimeout(() => { said.textContent = ''; }, 3000);
  };
  const exact = (value) => value.dataset.value === undefined
    ? value.textContent : JSON.parse('"' + value.dataset.value + '"');
  const oldCopy = (text) => {
    const area = make('textarea', text);
    document.body.append(area);
    area.select();
    document.execCommand('copy');
    area.remove();
  };
  const copy = (text, what) => {
    const done = () => say('Copied: ' + what);
    if (navigator.clipboard) navigator.clipboard.writeText(text).then(done, () => { oldCopy(text); done(); });
    else { oldCopy(text); done(); }
  };
  const textOf = (element) => {
    const copied = element.cloneNode(true);
    all('button', copied).forEach((b) => b.remove());
    all('code.value', copied).forEach((v) => { v.textContent = exact(v); });
    all('br', copied).forEach((b) => b.replaceWith('\n'));
    return copied.textContent.trim();
  };
  const rowText = (row) => Array.from(row.cells).map((cell) => textOf(cell).replace(/\s*\n\s*/g, ' ')).join('\t');

  // --- in a narrow window the cells of a row stand one below the other and the header is
  // out of sight: each cell then begins with the name of its column
  const narrow = matchMedia('(max-width: 46rem)');
  const nameCells = () => {
    if (!narrow.matches) return;
    all('table.stack:not(.timeline)').forEach((table) => {
      const names = all('thead th', table).map((header) => header.textContent.trim());
      all('tbody tr', table).forEach((row) => Array.from(row.cells).forEach((cell, i) => {
        if (names[i]) cell.dataset.column = names[i];
      }));
    });
  };
  narrow.addEventListener('change', nameCells);
  nameCells();

  // Buttons come when what they belong to comes near: a page can have many thousands.
  // Of rows, one in so many is watched for all that follow it.
  const rowsAtOnce = 25;
  const decorateRow = (row) => {
    if (one('button.copy', row)) return;
    row.cells[row.cells.length - 1].append(' ', make('button', 'Copy row', 'copy'));
  };
  const decorateRows = (first) => {
    let row = first;
    for (let n = 0; row ? rowsAtOnce > n : false; n++, row = row.nextElementSibling)
      if (row.matches('.item')) decorateRow(row);
  };
  const decorate = (element) => {
    all('code.value', element).filter((value) => value.closest('dl.facts')).forEach((value) => {
      const name = value.closest('dd').previousElementSibling;
      const button = make('button', 'Copy', 'copy');
      button.setAttribute('aria-label', 'Copy the exact value: ' + (name ? name.textContent : 'value'));
      value.after(' ', button);
    });
    if (element.matches('tr.item')) decorateRows(element);
  };
  const watcher = new IntersectionObserver((entries) => {
    entries.filter((entry) => entry.isIntersecting).forEach((entry) => {
      watcher.unobserve(entry.target);
      decorate(entry.target);
    });
  }, { rootMargin: '600px' });
  all('.creation, .host-facts, tr.item:nth-child(' + rowsAtOnce + 'n+1)')
    .forEach((element) => watcher.observe(element));
  document.addEventListener('toggle', (event) => {
    const details = event.target;
    if (details.open) if (details.matches('.node details')) if (!one('.copy', details)) decorate(details);
  }, true);
  document.addEventListener('click', (event) => {
    const button = event.target.closest('button.copy');
    if (!button) return;
    const row = button.closest('tr.item');
    const value = button.previousElementSibling;
    if (row) copy(rowText(row), 'the row');
    else copy(exact(value), 'the value exactly as recorded, ' + exact(value).length + ' characters');
  });

  // --- the lineage: a tree for the keyboard, with what is less asked for folded
  const levelOf = (node) => Number(node.dataset.level);
  const trees = all('ol.tree').map((list) => {
    const nodes = Array.from(list.children);
    const tree = { list, nodes, folded: new Set() };
    const refresh = () => {
      let above = Infinity;
      nodes.forEach((node) => {
        node.hidden = levelOf(node) > above;
        if (node.hidden) return;
        above = tree.folded.has(node) ? levelOf(node) : Infinity;
        if (node.hasAttribute('aria-expanded')) {
          const open = !tree.folded.has(node);
          node.setAttribute('aria-expanded', String(open));
          one('.fold', node).textContent = open ? '−' : '+';
        }
      });
    };
    const fold = (node, folded) => {
      if (!node.hasAttribute('aria-expanded')) return;
      if (folded) tree.folded.add(node); else tree.folded.delete(node);
      refresh();
    };
    const focus = (node) => {
      nodes.forEach((other) => { other.tabIndex = other === node ? 0 : -1; });
      node.focus();
    };
    const visible = () => nodes.filter((node) => !node.hidden);
    const step = (node, by) => {
      const shown = visible();
      const next = shown[shown.indexOf(node) + by];
      if (next) focus(next);
    };
    const parent = (node) => nodes.slice(0, nodes.indexOf(node)).reverse()
      .find((other) => levelOf(node) > levelOf(other));
    const keys = {
      ArrowDown: (node) => step(node, 1),
      ArrowUp: (node) => step(node, -1),
      Home: () => focus(visible()[0]),
      End: () => focus(visible().pop()),
      ArrowRight: (node) => tree.folded.has(node) ? fold(node, false) : step(node, 1),
      ArrowLeft: (node) => {
        if (node.getAttribute('aria-expanded') === 'true') fold(node, true);
        else if (parent(node)) focus(parent(node));
      },
      Enter: (node) => { const d = one('details', node); d.open = !d.open; },
    };
    list.setAttribute('role', 'tree');
    nodes.forEach((node, i) => {
      const next = nodes[i + 1];
      node.setAttribute('role', 'treeitem');
      node.setAttribute('aria-level', String(levelOf(node)));
      const line = one('.line', node);
      node.setAttribute('aria-label', one('[data-value], br', line) ? textOf(line) : line.textContent.trim());
      node.tabIndex = i ? -1 : 0;
      if (!next || !(levelOf(next) > levelOf(node))) return;
      node.setAttribute('aria-expanded', 'true');
      const button = make('button', '−', 'fold');
      button.tabIndex = -1;
      button.setAttribute('aria-label', 'Fold or unfold what is below');
      button.addEventListener('click', () => fold(node, !tree.folded.has(node)));
      one('.line', node).prepend(button);
      if (/\b(match|sibling|descendant)\b/.test(node.className)) tree.folded.add(node);
    });
    list.addEventListener('keydown', (event) => {
      const node = event.target.closest('.node');
      if (event.target !== node || !keys[event.key]) return;
      if (event.ctrlKey || event.altKey || event.metaKey) return;
      keys[event.key](node);
      event.preventDefault();
    });
    const tools = make('p', '', 'note');
    const siblings = nodes.filter((node) => node.classList.contains('sibling'));
    const unfold = make('button', 'Unfold all');
    unfold.addEventListener('click', () => { tree.folded.clear(); refresh(); });
    tools.append(unfold);
    if (siblings.length) {
      const button = make('button', '');
      const show = (shown) => {
        siblings.forEach((node) => {
          node.classList.toggle('off', !shown);
          if (!shown) { tree.folded.add(node); }
        });
        button.textContent = (shown ? 'Hide ' : 'Show ') + siblings.length + ' siblings of the matches';
        button.setAttribute('aria-expanded', String(shown));
        refresh();
      };
      button.addEventListener('click', () => show(button.getAttribute('aria-expanded') !== 'true'));
      tools.append(' ', button);
      tree.showSiblings = () => show(true);
      show(siblings.length === 0);
    }
    if (nodes.length > 1) list.before(tools);
    refresh();
    tree.refresh = refresh;
    return tree;
  });

  // A link to something folded opens what it is in.
  const reveal = () => {
    const target = location.hash.length > 1 ? document.getElementById(decodeURIComponent(location.hash.slice(1))) : null;
    if (!target) return;
    for (let at = target; at; at = at.parentElement) {
      if (at.localName === 'details') at.open = true;
      at.classList.remove('off');
    }
    const node = target.closest('.node');
    const tree = node ? trees.find((t) => t.nodes.includes(node)) : null;
    if (tree) {
      if (node.hidden || node.matches('.sibling')) { if (tree.showSiblings) tree.showSiblings(); tree.folded.clear(); tree.refresh(); }
      one('details', node).open = true;
    }
    target.scrollIntoView();
  };
  addEventListener('hashchange', reveal);

  // --- finding
  const field = (name) => one('#find-' + name);
  const fields = ['words', 'host', 'rule', 'level', 'event', 'from', 'to'].map(field);
  let items = null;
  const wordsOf = (item) => {
    if (item.words === null) item.words = item.element.textContent.toLowerCase();
    return item.words;
  };
  // What an item does not say of itself cannot keep it out: a problem has no host.
  const tests = {
    words: (item, wanted) => wanted.toLowerCase().split(/\s+/).every((word) => wordsOf(item).includes(word)),
    host: (item, wanted) => !item.element.dataset.host || item.element.dataset.host === wanted,
    rule: (item, wanted) => !item.element.dataset.rules || item.element.dataset.rules.split(' ').includes(wanted),
    level: (item, wanted) => !item.element.dataset.levels || item.element.dataset.levels.split(' ').includes(wanted),
    event: (item, wanted) => !item.element.dataset.event || item.element.dataset.event.split(' ').includes(wanted),
    from: (item, wanted) => !item.element.dataset.time || item.element.dataset.time >= wanted,
    to: (item, wanted) => !item.element.dataset.time || wanted + '~' >= item.element.dataset.time,
  };
  const kinds = [['.creation', 'matched process creations'], ['.timeline .item', 'events'], ['tr.item:not(.timeline tr)', 'other rows']];
  const count = field('count');
  const apply = () => {
    const wanted = fields.map((f) => [f.id.slice(5), f.value.trim()]).filter((pair) => pair[1] !== '');
    if (!items) items = all('.item').map((element) => ({ element, words: null }));
    items.forEach((item) => {
      item.element.classList.toggle('off', !wanted.every((pair) => tests[pair[0]](item, pair[1])));
    });
    all('.finding').forEach((section) => {
      section.classList.toggle('off', wanted.length > 0 ? !one('.item:not(.off)', section) : false);
    });
    one('.finder').classList.toggle('active', wanted.length > 0);
    count.textContent = wanted.length === 0 ? '' : 'Filtered; not everything is shown. ' + kinds.map((kind) => {
      const found = all(kind[0]);
      return found.filter((element) => !element.classList.contains('off')).length + ' of ' + found.length + ' ' + kind[1];
    }).join(', ') + '.';
  };
  let waiting = 0;
  const soon = () => { clearTimeout(waiting); waiting = setTimeout(apply, 150); };
  fields.forEach((f) => f.addEventListener('input', soon));
  one('#find-reset').addEventListener('click', () => {
    fields.forEach((f) => { f.value = ''; });
    apply();
    field('words').focus();
  });

  // --- sorting
  const sort = (table, column, descending) => {
    const body = table.tBodies[0];
    Array.from(body.rows).filter((row) => row.matches('.item')).forEach(decorateRow);
    const key = (row) => row.cells[column] ? row.cells[column].textContent.trim() : '';
    const order = new Intl.Collator('en', { numeric: true }).compare;
    const rows = Array.from(body.rows).map((row) => ({ row, key: key(row) }));
    rows.sort((a, b) => (descending ? -1 : 1) * order(a.key, b.key));
    body.append(...rows.map((entry) => entry.row));
  };
  all('table.sortable').forEach((table) => {
    const heads = all('thead th', table);
    heads.forEach((head, column) => {
      // No button element: Chromium does not repeat a head that has one on each printed page.
      const button = make('span', head.textContent, 'button');
      button.setAttribute('role', 'button');
      button.tabIndex = 0;
      head.replaceChildren(button);
      head.setAttribute('aria-sort', 'none');
      button.addEventListener('keydown', (event) => {
        if (event.key !== 'Enter') if (event.key !== ' ') return;
        event.preventDefault();
        button.click();
      });
      button.addEventListener('click', () => {
        const descending = head.getAttribute('aria-sort') === 'ascending';
        heads.forEach((other) => other.setAttribute('aria-sort', 'none'));
        head.setAttribute('aria-sort', descending ? 'descending' : 'ascending');
        sort(table, column, descending);
      });
    });
  });

  reveal();
}());
