"""Roots, minima, linear systems, loops, differential equations and integrals, with derivatives of any order."""
