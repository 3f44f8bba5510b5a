"""What this package adds to Whence stands in its modules."""
