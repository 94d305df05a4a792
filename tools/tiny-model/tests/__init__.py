"""Tests of the tiny model's parts."""
