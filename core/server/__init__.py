"""The model server: one machine with a model answers the app, a notebook, or LIT itself.

    python -m core.server --model data/models/demo --port 8080

`lit.py` speaks LIT's wire, `v1.py` Whence's own, `monitor.py` tells operators how it is; `app.py` puts them
together. All work goes through `core.service` and its jobs, as the app's does.
"""
