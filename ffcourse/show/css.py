"""The style sheet of live figures; it follows the colours of the page."""

CSS = """
.ffc{max-width:720px;overflow:visible}
.ffc .ffc-stage{position:relative;overflow:hidden}
.ffc .widget-html{height:auto;margin:0;overflow:hidden}
.ffc .widget-html-content{width:100%;line-height:normal;overflow:hidden}
.ffc svg{display:block;width:100%;height:auto;overflow:visible}
.ffc svg svg{overflow:hidden;width:auto}
.ffc .ffc-back *{stroke-linejoin:round;stroke-linecap:butt}
.ffc svg text{font-family:var(--jp-ui-font-family,system-ui,sans-serif)!important}
.ffc .ffc-stage{color:var(--jp-ui-font-color1,#222)}
.ffc .ffc-front{position:relative}
.ffc .ffc-front{fill:currentColor}
.ffc .ffc-front text{font-variant-numeric:tabular-nums}
.ffc .ffc-front text{filter:brightness(.72)}
[data-jp-theme-light=false] .ffc .ffc-front text{filter:brightness(1.45)}
.ffc .ffc-front .ffc-halo text{filter:none}
.ffc .ffc-halo text{paint-order:stroke;stroke:var(--jp-layout-color0,#fff);stroke-width:2.5px;
stroke-linejoin:round}
.ffc .ffc-controls{display:grid;grid-template-columns:repeat(auto-fit,minmax(290px,1fr));
column-gap:16px;max-width:672px}
.ffc .ffc-controls .widget-label{min-width:2.5em}
.ffc .ffc-busy::after{content:"working \\2026";position:absolute;right:8px;top:4px;
padding:1px 8px;border-radius:8px;font-size:12px;color:var(--jp-ui-font-color1,#222);
background:var(--jp-layout-color2,#eee);animation:ffc-late .2s step-end}
@keyframes ffc-late{from{opacity:0}to{opacity:1}}
.ffc .ffc-error{position:absolute;left:8px;right:8px;bottom:8px;padding:6px 10px;
border-left:4px solid #B5481F;background:var(--jp-layout-color2,#eee);
color:var(--jp-ui-font-color1,#222);font-size:13px;white-space:pre-wrap}
.ffc .ffc-code{user-select:all;font-size:12px;padding:2px 6px;
background:var(--jp-layout-color2,#eee);color:var(--jp-ui-font-color1,#222)}
.ffc .ffc-buttons{align-items:center}
.ffc :focus-visible{outline:2px solid #3360CF;outline-offset:2px}
""".replace("\n", "")

# ipywidgets leaves the handles of its sliders without an accessible name, and offers no way to
# set one. The style sheet's load event names each after the label beside it.
NAME_HANDLES = (
    "const root=this.closest('.ffc');const name=()=>root.querySelectorAll('.widget-slider')"
    ".forEach(s=>{const label=s.querySelector('label');s.querySelectorAll('.noUi-handle')"
    ".forEach(h=>h.setAttribute('aria-label',label.textContent))});"
    "[0,200,1000,5000].forEach(ms=>setTimeout(name,ms))"
)

STYLE = f'<style onload="{NAME_HANDLES}">{CSS}</style>'
