"""What is particular to this chat's stack: its settings, its functions and routes, its page, its monitoring."""
