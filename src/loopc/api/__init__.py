"""What a Python program sees."""
