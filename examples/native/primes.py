#!/usr/bin/python3
"""Counts the primes from FIRST on, below FIRST + LENGTH, by a sieve."""

import sys


def primes_below(limit):
    sieve = bytearray([1]) * limit
    sieve[:2] = bytes(min(2, limit))
    for n in range(2, int(limit**0.5) + 1):
        if sieve[n]:
            sieve[n * n :: n] = bytes(len(range(n * n, limit, n)))
    return [n for n in range(limit) if sieve[n]]


def count(first, length):
    end = first + length
    sieve = bytearray([1]) * length
    for n in range(first, min(2, end)):
        sieve[n - first] = 0
    for p in primes_below(int(end**0.5) + 1):
        start = max(p * p, (first + p - 1) // p * p)
        sieve[start - first :: p] = bytes(len(range(start, end, p)))
    return sum(sieve)


if __name__ == "__main__":
    first, length = int(sys.argv[1]), int(sys.argv[2])
    with open("count.txt", "w") as out:
        print(first, length, count(first, length), file=out)
