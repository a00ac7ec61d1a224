"""Re-planning: from an instance to a solution."""
