"""An instance from what airlines have: an SSIM schedule, aircraft, rotations, bookings and disruptions.

ssim         IATA SSIM chapter 7 files: their records, written
ssim_read    and read
ssim_fields  what both go by: what is in which columns
tables       CSV files with named columns
problems     what is wrong with them: counted, and the first few shown
operations   the schedule's flights of the days asked for, in UTC
schedule     those flights, looked up by name and date
defaults     what is taken where nothing is said: defaults.toml, and the planner's own
tails        aircraft
fleet        who flies what
groups       bookings as groups on dated flights
happened     disruptions
places       airports: where they are, and how far from each other; continents of countries
making       the Instance, and which number in it stands for what
airline      all of it put together, and what was missing
exported     the other way: an instance as such files
commands     what `takt flightdesk import` and `export` read, write and print
"""
