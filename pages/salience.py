"""The main page: a prompt, the model's answer, and why: which parts of the prompt the answer came from."""

from core.ui.asking import answering, parameters, prompt_box
from core.ui.salience_page import bar, link, real_stories, view
from core.ui.shell import frame

frame.begin()
link.take_linked_answer()

example = bar.draw_why_bar()
spec, params = link.opened()
real_stories.draw_real_stories(example, spec)
answer = prompt_box.answer_to(example, spec, params)
prompt_box.around(example, answer)
view.draw_answer_and_reasons(example, spec, params, answer)
answering.into_link(answer)
parameters.into_link()
