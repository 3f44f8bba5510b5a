/* The token view in a notebook: what `core/token_view` draws, and two menus above it. Joined behind its scripts. */

/* The view's own elements, empty: put in by widget.py, never by the state that a notebook keeps. Texts are set as text. */
const VIEW = "__VIEW__";

function menu(label, choices, model, name) {
  const box = make("label", "wn-menu", `${label} `);
  const select = make("select");
  for (const [value, text] of choices) {
    const option = make("option", "", text);
    option.value = value;
    select.append(option);
  }
  const show = () => {
    select.value = model.get(name);
  };
  select.addEventListener("change", () => {
    model.set(name, select.value);
    model.save_changes();
  });
  model.on(`change:${name}`, show);
  show();
  box.append(select);
  return box;
}

function render({ model, el }) {
  el.classList.add("whence-notebook");
  const bar = make("div", "wn-bar");
  bar.append(
    menu("Parts", model.get("_granularities"), model, "by"),
    menu("Method", model.get("_methods"), model, "method"),
  );
  const told = make("span", "wn-told");
  told.setAttribute("role", "status");
  bar.append(told);
  const frame = document.createElement("div");
  const template = document.createElement("template");
  template.innerHTML = VIEW;
  frame.append(template.content);
  el.append(bar, frame);
  const tell = (name, value) => {
    if (name !== "selection") return;
    model.set("_told", value);
    model.save_changes();
  };
  let leave;
  const draw = () => {
    told.textContent = model.get("_status");
    leave = salienceText({
      data: model.get("_data"),
      parentElement: frame,
      setStateValue: tell,
      setTriggerValue: () => {},
    });
  };
  model.on("change:_data", draw);
  model.on("change:_status", () => {
    told.textContent = model.get("_status");
  });
  const themes = new MutationObserver(draw);
  themes.observe(document.body, {
    attributes: true,
    attributeFilter: ["data-jp-theme-light", "class", "data-vscode-theme-kind"],
  });
  draw();
  requestAnimationFrame(draw); // the theme's colours are known once it stands in the page
  return () => {
    themes.disconnect();
    leave?.();
  };
}

export default { render };
