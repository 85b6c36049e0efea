"""What is measured, side by side with the usual way. The functions and the components know nothing of it."""
