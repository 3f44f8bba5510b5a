"""Mutation testing of the maths: what is mutated, which tests must notice, what the report says (`make mutants`)."""
