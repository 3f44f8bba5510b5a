"""The token view alone, on made-up data; the query string chooses the case."""

from __future__ import annotations

import json

import streamlit as st
import synthetic

from core.records import Role, Segment
from core.ui.salience_text import Scores, choice, pack, salience_text

st.set_page_config(layout="wide")
query = st.query_params
unit = query.get("unit", "line")
text = synthetic.WORLD + synthetic.PROMPT if "world" in query else synthetic.PROMPT
if "long" in query:
    text = "\n".join(f"{i} " + synthetic.PROMPT for i in range(int(query["long"])))
answer = synthetic.ANSWER + (synthetic.WORLD if "world" in query else "")
if "think" in query:
    answer = synthetic.THINKING + ("" if query["think"] == "cut" else answer)
prompt = synthetic.segments(text, unit, Role.PROMPT)
if "template" in query:
    turn = Segment(0, "<start_of_turn>user\n", (0, 20), (0, 3), Role.TEMPLATE)
    rest = synthetic.segments(text, unit, Role.PROMPT, 20, 3)
    prompt = (turn, *(Segment(s.index + 1, s.text, s.chars, s.tokens, s.role) for s in rest))
response = synthetic.segments(answer, unit, Role.RESPONSE, prompt[-1].chars[1], prompt[-1].tokens[1])
signed = "signed" in query


@st.cache_resource
def scores(case: str) -> Scores:
    culprit = (
        None if "flat" in query else next(i for i, s in enumerate(prompt) if s.text.startswith("Verdict"))
    )
    weak = query.get("culprit")
    made = synthetic.matrix(prompt, response, norm=not signed, culprit=int(weak) if weak else culprit)
    return pack(made, response, prompt, negligible=float(query.get("negligible", 0)))


if st.toggle("Scores are there", value="late" not in query):
    packed = scores(str(query.to_dict()))
else:
    packed = pack(None, response, prompt)
if st.button("Select the first"):
    st.session_state.target = (0,)
target = st.session_state.setdefault("target", (len(response) - 1,))


def chosen() -> None:
    said = choice("view")
    if said:
        st.session_state.target = said.indices
    st.session_state.heard = st.session_state.get("heard", 0) + 1


common = {
    "prompt_segments": prompt,
    "response_segments": () if "stream" in query else response,
    "scores": packed,
    "selected": target,
    "stream": query.get("stream"),
    "writing": "written" not in query,
    "signed": signed,
    "unit": unit,
    "units": "nats per unit",
    "style": query.get("style", "highlight"),
    "strength": float(query.get("strength", 0.5)),
    "note": "likely 0.93, 31 tokens, 0.6 s",
    "actions": ("remove", "edit"),
    "height": 520,
    "on_select": chosen,
}
if "beside" in query:
    with st.columns([32, 68])[1]:
        picked = salience_text(key="view", **common)
elif "apart" in query:
    picked = salience_text(key="view", link="both", show=("response",), **common)
    st.divider()
    salience_text(key="map", link="both", show=("prompt", "strongest"), **common)
else:
    link = "other" if st.toggle("Another link") else None
    picked = salience_text(key="view", link=link, **common)
    st.caption(f"Linked as {link}")
state = {"indices": picked.indices, "heard": st.session_state.get("heard", 0)}
if picked.action:
    state["action"] = [picked.action.name, picked.action.segment]
st.code(json.dumps(state))
