"""The page of a person at work: tools as forms, or pictures and controls. It knows the hatch, and no shift."""
