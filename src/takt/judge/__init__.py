"""What events come to: outcomes, figures, bounds, verdicts and comparisons. Pure: no file, no station, no clock."""
