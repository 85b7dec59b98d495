// Measures, in the page, when an input event comes and when the picture of that figure changes.
(() => {
  const bench = { figures: {}, active: null };
  window.bench = bench;
  const changed = (f, bytes) => {
    const now = performance.now();  // before the bytes are counted, which takes time itself
    f.changes.push({ at: now, bytes: bytes() });
    const shot = f.shots[f.shots.length - 1];
    if (shot && shot.done === null) shot.done = now;
  };
  const draw = CanvasRenderingContext2D.prototype.drawImage;
  CanvasRenderingContext2D.prototype.drawImage = function (...args) {
    const out = draw.apply(this, args);
    for (const f of Object.values(bench.figures))
      if (f.kind === 'canvas' && f.root.contains(this.canvas)) changed(f, () => 0);
    return out;
  };
  bench.add = (name, root, kind) => {
    const f = { root, kind, shots: [], changes: [], inputs: [], heights: new Set(), blanks: 0 };
    bench.figures[name] = f;
    const input = () => { if (bench.active === name) f.inputs.push(performance.now()); };
    root.addEventListener('keydown', () => {
      if (bench.active === name) f.shots.push({ start: performance.now(), done: null });
    }, true);
    document.addEventListener('pointermove', input, true);
    const picture = kind === 'svg' ? root.querySelector('.ffc-front').closest('.widget-html-content')
      : kind === 'label' ? root.querySelector('.bench-floor .widget-html-content') : root;
    f.picture = picture;
    if (kind !== 'canvas') new MutationObserver((records) => {
      if (kind === 'image') {
        const images = records.flatMap(r => r.type === 'attributes' ? [r.target] : [...r.addedNodes])
          .flatMap(n => n.querySelectorAll ? [...n.querySelectorAll('img')].concat(n.tagName === 'IMG' ? [n] : []) : []);
        for (const image of images)
          image.decode().catch(() => null).then(() => changed(f, () => image.src.length));
        if (images.length === 0 && !picture.querySelector('img')) f.blanks += 1;
      } else {
        changed(f, () => picture.innerHTML.length);
        if (kind === 'svg' && picture.querySelector('.ffc-front')?.childElementCount === 0) f.blanks += 1;
      }
    }).observe(picture, { childList: true, subtree: true, characterData: true,
      attributes: kind === 'image', attributeFilter: kind === 'image' ? ['src'] : undefined });
    const look = () => {
      if (bench.active === name) f.heights.add(Math.round(root.getBoundingClientRect().height));
      requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  };
})();
