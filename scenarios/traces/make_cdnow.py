#!/usr/bin/env python3
"""Makes cdnow-1997-02.csv from CDNOW_master.txt (see README.md): make_cdnow.py CDNOW_master.txt > cdnow-1997-02.csv"""

import hashlib
import sys

FIRST_DAY, DAYS = 19970201, 12
SECONDS_PER_DAY = 10


def second_of(row: str) -> float:
    """The log has days only: a purchase's place within its (shortened) day is drawn from a hash of its line."""
    draw = int.from_bytes(hashlib.sha256(row.encode()).digest()[:8], "big")
    return draw * SECONDS_PER_DAY * 1000 // 2**64 / 1000


def main(path: str) -> None:
    orders = []
    with open(path, encoding="ascii") as log:
        next(log)
        for number, line in enumerate(log, start=2):
            customer, date, cds, _dollars = line.split()
            day = int(date) - FIRST_DAY
            if 0 <= day < DAYS:
                at = day * SECONDS_PER_DAY + second_of(f"{number}:{line.strip()}")
                orders.append((at, number, customer, 160 + 90 * int(cds)))
    print("time,key,size")
    for at, _number, customer, size in sorted(orders):
        print(f"{at:.3f},{customer},{size}")


if __name__ == "__main__":
    main(sys.argv[1])
