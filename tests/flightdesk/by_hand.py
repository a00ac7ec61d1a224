"""An airline small enough to follow with a pencil, and its plan without a disruption."""

from __future__ import annotations

from pathlib import Path

TRIPLES = "F D 3.0 F C 4.0 F I 5.0 B D 1.0 B C 1.5 B I 2.0 E D 0.1 E C 0.2 E I 0.3"
OUT = "F D 900.0 F C 901.0 F I 902.0 B D 800.0 B C 801.0 B I 802.0 E D 100.0 E C 101.0 E I 102.0"
BACK = "F D 990.0 F C 991.0 F I 992.0 B D 880.0 B C 881.0 B I 882.0 E D 110.0 E C 111.0 E I 112.0"
DOWN = "F B D 10.0 F B C 20.0 F B I 30.0 F E D 40.0 F E C 50.0 F E I 60.0 B E D 70.0 B E C 80.0 B E I 90.0"

FILES = {
    "config": f"01/01/08 08:00 02/01/08 04:00\n{TRIPLES}\n{OUT}\n{BACK}\n{DOWN}\n20000.0 5000.0 1000.0\n1.0 1.0 1.0",
    "airports": "AAA 3 3 00:00 00:00\nBBB 1 2 00:00 12:00 2 2 12:00 00:00\nCCC 2 2 00:00 00:00",
    "dist": "AAA BBB 61 D\nBBB AAA 61 D\nAAA CCC 150 C\nCCC AAA 150 C\nBBB CCC 300 I\nCCC BBB 300 I",
    "aircraft": "\n".join(
        (
            "J1#1 J1 Jet 2/4/10 400 1000.0 30 20 AAA CCC-01/01/08-20:00-02/01/08-02:00-400",
            "J1#2 J1 Jet 2/4/10 400 1000.0 30 20 BBB NULL",
            "J2#3 J2 Jet 0/0/12 200 1500.0 40 20 AAA NULL",
            "P#4 P Prop 0/0/6 90 300.0 25 15 AAA NULL",
            "Bus#5 Bus Bus -1/-1/-1 90 0.0 10 10 AAA NULL",
        )
    ),
    "flights": "\n".join(
        (
            "1 AAA BBB 07:00 08:00 0",  # gone by the time recovery starts
            "2 BBB AAA 09:00 10:00 0",
            "3 AAA CCC 12:00 14:30 2",  # the next leg of 2
            "4 BBB CCC 10:00 15:00 0",
            "5 CCC BBB 16:00 21:00 0",
            "6 AAA BBB 13:00 14:00 0",
            "7 BBB AAA 15:00 16:00 0",
            "8 AAA BBB 22:30 23:31 0",
            "9 AAA BBB 08:30 08:50 0",  # the bus
        )
    ),
    "rotations": "\n".join(
        f"{n} 01/01/08 {tail}"
        for n, tail in (
            (1, "J1#1"),
            (2, "J1#1"),
            (3, "J1#1"),
            (4, "J1#2"),
            (5, "J1#2"),
            (6, "J2#3"),
            (7, "J2#3"),
            (8, "P#4"),
            (9, "Bus#5"),
        )
    ),
    "itineraries": "\n".join(
        (
            "1 A 100.0 4 1 01/01/08 E 4 01/01/08 E",  # AAA-BBB-CCC, 6 h in the air
            "2 R 250.5 3 2 01/01/08 B 3 01/01/08 E",  # BBB-AAA-CCC, 3 h 30, mixed cabins
            "3 A 80.0 6 6 01/01/08 E",
            "4 A 80.0 2 7 01/01/08 E",
            "5 R 500.0 2 5 01/01/08 F",
        )
    ),
    "position": "CCC J1 2/4/10 1\nBBB J1 2/4/10 1 P 0/0/6 1\nAAA J2 0/0/12 1",
    "alt_flights": "",
    "alt_aircraft": "",
    "alt_airports": "",
}
ROTATIONS = """\
1 AAA BBB 07:00 08:00 0 01/01/08 J1#1
2 BBB AAA 09:00 10:00 0 01/01/08 J1#1
3 AAA CCC 12:00 14:30 2 01/01/08 J1#1
4 BBB CCC 10:00 15:00 0 01/01/08 J1#2
5 CCC BBB 16:00 21:00 0 01/01/08 J1#2
6 AAA BBB 13:00 14:00 0 01/01/08 J2#3
7 BBB AAA 15:00 16:00 0 01/01/08 J2#3
8 AAA BBB 22:30 23:31 0 01/01/08 P#4
9 AAA BBB 08:30 08:50 0 01/01/08 Bus#5
"""
ITINERARIES = """\
1 A 100.0 4 1 01/01/08 E 4 01/01/08 E
2 R 250.5 3 2 01/01/08 B 3 01/01/08 E
3 A 80.0 6 6 01/01/08 E
4 A 80.0 2 7 01/01/08 E
5 R 500.0 2 5 01/01/08 F
"""


def write(folder: Path, **files: str) -> Path:
    """The airline, with some of its files replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in {**FILES, **files}.items():
        (folder / f"{name}.csv").write_text(text.rstrip("\n") + ("\n" if text else "") + "#\n")
    return folder


def write_plan(folder: Path, *edits: tuple[str, str]) -> Path:
    """Its plan, with some text replaced; each text must be there. "" is replaced at the end of the itineraries."""
    folder.mkdir(parents=True, exist_ok=True)
    rotations, itineraries = ROTATIONS, ITINERARIES
    for old, new in edits:
        assert old in rotations or old in itineraries, old
        rotations, itineraries = rotations.replace(old, new, 1), itineraries.replace(old, new, 1)
    (folder / "sol_rotations.csv").write_text(rotations + "#\n")
    (folder / "sol_itineraries.csv").write_text(itineraries + "#\n")
    return folder
