"""From the reason to the better prompt: what must stay, what mattered in an edit, what is needless, what to mend.

The engines know a prompt as parts that are there or not, and a question as a callable; `rows` asks the rows of a
dataset, `core.salience.taking_out` the words of one answer. Knows no page, no store and no job.
"""
