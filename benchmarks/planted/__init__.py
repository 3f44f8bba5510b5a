"""What the benchmark of planted causes keeps (`ledger`), makes of it (`summary`) and writes (`document`)."""
