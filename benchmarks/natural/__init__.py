"""Prompts in plain English whose cause was planted, for models that learnt from real text."""
