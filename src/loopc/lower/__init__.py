"""Which array operation a loop is: loop IR to a plan."""
