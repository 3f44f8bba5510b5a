"""The Metrics page: choices, the run that fills what is missing, figures and the examples behind them."""
