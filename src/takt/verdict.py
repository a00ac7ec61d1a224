"""Verdict: a shift's events -> accept, reject or undecided, valid however often you look. docs/verdict.md explains it.

The unit's outcome is a coin with an unknown chance p of "good"; the job asks p >= p0. After S good and F bad units,

    M(m) = mean over q in (m, 1) of  q^S (1-q)^F / (m^S (1-m)^F)

is what a gambler owns who started with 1 and bet, against odds that are fair if p = m, that p is above m, his stake
spread evenly over all the higher q. Against a true p <= m the bet cannot gain: M is a nonnegative supermartingale, so
P(M ever reaches 1/alpha) <= alpha (Ville 1939). The set of m not yet refuted is therefore a confidence sequence: a
betting one (Waudby-Smith & Ramdas, JRSSB 2024) whose bets are mixed as Robbins (1970) did, here in closed form by the
incomplete beta function. The upper bound is the same game played on "bad".
"""
