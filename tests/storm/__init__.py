"""Storms: random worlds, people, faults and kills, judged afterwards from the other side's books alone."""
