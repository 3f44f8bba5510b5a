"""The frame that every page stands in: model, dataset, jobs, errors, links. Knows no page."""
