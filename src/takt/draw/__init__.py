"""What pages are drawn with, a station's as well: plots, templates, and how times are written."""
