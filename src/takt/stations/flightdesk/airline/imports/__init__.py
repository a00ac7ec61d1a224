"""An instance from what airlines have: an SSIM schedule, aircraft, rotations, bookings and disruptions.

ssim         IATA SSIM chapter 7 files: their records, written
ssim_read    and read
tables       CSV files with named columns
problems     what is wrong with them: counted, and the first few shown
operations   the schedule's flights of the days asked for, in UTC
defaults     what is taken where nothing is said: defaults.toml, and the planner's own
tails        aircraft
fleet        who flies what
groups       bookings as groups on dated flights
happened     disruptions
airline      all of it put together: an Instance, and what was missing
exported     the other way: an instance as such files
"""
