"""What is asked of the model: prompt, turns, versions, sending, the answer and its explained part. Knows no page."""
