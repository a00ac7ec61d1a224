"""The situation board, `takt flightdesk situation`: what a user's own files say about flights, overflights and fares.

files.py        a CSV file as a DuckDB table; what is wrong with it, by file, line and column
flights.py      cancelled by day, airports that came back           from a flight-status CSV
overflights.py  how each corridor's states changed                  from EUROCONTROL's DAIO CSVs
fares.py        the lowest fares, the seats left                    from a CSV of fares seen
plots.py, map.py, page.py, *.html.j2    the pictures and the page
cli.py          what the command prints

Needs DuckDB, which is not among takt's own dependencies: `pip install 'run-at-rate[situation]'`.
"""
