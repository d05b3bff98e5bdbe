"""Measurements, alone or beside other engines, each in a process of its own."""
