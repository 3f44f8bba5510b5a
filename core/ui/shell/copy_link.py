"""A button that copies the address of the page as it is, so that a colleague sees the same view."""

from __future__ import annotations

import streamlit as st

from core.ui.shell import library, state
from core.ui.shell.services import service

_mount = st.components.v2.component(
    "whence_copy_link",
    html='<button type="button" class="copy-link">Copy link</button>',
    css="""
.copy-link { font: inherit; font-size: .875rem; color: var(--st-text-color); background: transparent;
  border: 1px solid var(--st-border-color); border-radius: var(--st-button-radius, .5rem);
  padding: 0 .75rem; min-height: 2.5rem; cursor: pointer; white-space: nowrap; }
.copy-link:hover, .copy-link:focus-visible { border-color: var(--st-primary-color);
  color: var(--st-primary-color); outline: none; }
""",
    js="""
export default function ({ parentElement }) {
  const button = parentElement.querySelector("button");
  const say = (words) => {
    button.textContent = words;
    clearTimeout(button.timer);
    button.timer = setTimeout(() => { button.textContent = "Copy link"; }, 2000);
  };
  button.onclick = async () => {
    const address = window.location.href;
    try {
      await navigator.clipboard.writeText(address);
      say("Copied");
    } catch {
      // Without https a browser gives pages no clipboard; the address can still be copied by hand.
      window.prompt("Copy this link", address);
    }
  };
}
""",
)


def button() -> None:
    """Draw the button. The link holds ids (example, model, granularity, target), never prompt text."""
    if service().store.hosted and library.shared_link() is None:
        return  # the address opens nothing for anybody else: *Workspace* in the sidebar makes links that do
    _mount(key=state.COPY_LINK.name)
