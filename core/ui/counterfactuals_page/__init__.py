"""The Counterfactuals page: choose a generator, look at the staged changes, run them, see what they did."""
